"""Writes the bundle of a model: compile, compare, describe."""

import math
import os
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from tabular.bundles.bundle import CARD, MANIFEST, MODEL, REFERENCE, Bundle, digest
from tabular.bundles.making import describing, parity
from tabular.bundles.making.compiling import compiled, raw_columns
from tabular.bundles.making.report import PackageReport, ParityReport
from tabular.bundles.making.trees import NotCompilable
from tabular.bundles.predictor import CompiledPredictor
from tabular.config.stages import TargetConfig
from tabular.storage.persistence import to_bytes


class Origin(NamedTuple):
    """Facts about a model that only the caller knows."""

    name: str
    version: str
    created: str
    """Time at which the version was registered: UTC, ISO 8601."""
    algorithm: str
    data_sha256: str
    data_source: str
    metrics: dict[str, float]
    """Metrics on the held-out rows."""
    card: str
    """Model card, Markdown."""


def write(
    folder: Path,
    model: Pipeline,
    train_rows: pd.DataFrame,
    test_rows: pd.DataFrame,
    target: TargetConfig,
    origin: Origin,
) -> PackageReport:
    """Compile the model, compare it with the original and write the bundle; the folder appears when it is complete.

    Args:
        folder: folder of the bundle; an existing one is replaced.
        model: a pipeline from `tabular.learning.training.fit`.
        train_rows: the rows that it was fitted on, target included, for ranges and reference statistics.
        test_rows: the held-out rows, target included, for the comparison and the statistics of predictions.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as room:
        made = Path(room) / "bundle"
        made.mkdir()
        inputs = test_rows.drop(columns=target.column)
        raw = raw_columns(model)
        predictor, compared, why = _compiled(made, model, inputs)
        content = to_bytes(model)
        (made / MODEL).write_bytes(content)
        (made / CARD).write_text(origin.card, encoding="utf-8")
        predictions = np.asarray(model.predict(inputs))
        described = describing.reference(train_rows, raw, predictions, target)
        (made / REFERENCE).write_text(described.model_dump_json(indent=1), encoding="utf-8")
        classes = model.named_steps["estimator"].classes_ if target.task == "classification" else ()
        bundle = Bundle(
            name=origin.name,
            version=origin.version,
            task=target.task,
            target=target.column,
            created=origin.created,
            model_sha256=digest(content),
            data_sha256=origin.data_sha256,
            data_source=origin.data_source,
            algorithm=origin.algorithm,
            columns=describing.columns(train_rows, list(model.named_steps["columns"].feature_names_in_), raw),
            classes=tuple(str(label) for label in classes),
            metrics={name: value for name, value in origin.metrics.items() if math.isfinite(value)},
            baseline=describing.baseline(train_rows, target),
            compiled=predictor is not None,
            why=why,
            files={path.name: digest(path.read_bytes()) for path in sorted(made.iterdir())},
        )
        (made / MANIFEST).write_text(bundle.model_dump_json(indent=1), encoding="utf-8")
        report = PackageReport(
            compiled=bundle.compiled,
            why=why,
            parity=compared,
            seconds=parity.latencies(model, predictor, inputs, raw),
            bytes={path.name: path.stat().st_size for path in sorted(made.iterdir())},
            bundle_sha256=digest((made / MANIFEST).read_bytes()),
        )
        if folder.exists():
            os.replace(folder, Path(room) / "old")
        os.replace(made, folder)
    return report


def _compiled(
    folder: Path, model: Pipeline, inputs: pd.DataFrame
) -> tuple[CompiledPredictor | None, ParityReport | None, str]:
    """The compiled predictor read from the folder, if it may serve; the comparison; the reason in words."""
    try:
        files = compiled(model)
    except NotCompilable as error:
        return None, None, f"the original serves, because the pipeline cannot be compiled: {error}"
    for name, content in files.items():
        (folder / name).write_bytes(content)
    predictor = CompiledPredictor.load(folder)
    compared = parity.compare(model, predictor, inputs, raw_columns(model))
    if compared.agrees:
        return predictor, compared, compared.in_words()
    for name in files:
        (folder / name).unlink()
    return None, compared, compared.in_words()
