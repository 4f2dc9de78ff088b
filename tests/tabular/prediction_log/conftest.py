"""Fixtures of the prediction log."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tabular.prediction_log.prediction_log import PredictionLog


@pytest.fixture
def log(tmp_path: Path) -> Iterator[PredictionLog]:
    log = PredictionLog(str(tmp_path / "log"), flush_seconds=0.02)
    log.start()
    yield log
    log.stop()
