"""Fixtures of the prediction log."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tabular.bundles.bundle import Bundle, read
from tabular.prediction_log.writer import PredictionLog
from tests.support.bundles import COLUMNS, category, make_bundle

HEATING: dict[str, object] = {"name": "heating", "kind": "category", "categories": ["gas"], "missing_share": 0.0}
"""A category column whose codes do not tell missing from unknown."""


@pytest.fixture
def log(tmp_path: Path) -> Iterator[PredictionLog]:
    log = PredictionLog(str(tmp_path / "log"), flush_seconds=0.02)
    log.start()
    yield log
    log.stop()


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    make_bundle(tmp_path / "bundle", columns=(*COLUMNS, category("place"), HEATING))
    return read(tmp_path / "bundle")


@pytest.fixture
def classifier(tmp_path: Path) -> Bundle:
    make_bundle(tmp_path / "classifier", classes=("no", "yes"), value=(0.0, 1.0))
    return read(tmp_path / "classifier")
