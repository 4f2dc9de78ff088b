"""A linear model that is really compiled, and what a batch wrote about each row."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tabular.batch.report import BatchReport
from tabular.batch.scoring import BatchModel, score
from tabular.bundles.encoding import Encoder
from tabular.bundles.predictor import CompiledPredictor
from tabular.bundles.recipe import Recipe
from tabular.config.batch import BatchConfig
from tests.support.described import CATEGORIES, described, table

SIZES = [len(categories) for categories in CATEGORIES.values()]


def model(classes: tuple[str, ...] = (), link: str = "identity") -> BatchModel:
    """A bundle of a regression or a classification, with two numbers, a date and two categories as inputs."""
    said = np.arange(500) % len(classes) if classes else None
    home = described(table(500, 1), said if said is None else np.array(classes)[said], classes)
    recipe = Recipe.model_validate_json(
        f"""{{"task": "{home.bundle.task}", "imputer": {{"kind": "constant", "fill": [4.0, 3.0, 19700.0]}},
        "blocks": [{{"kind": "numbers", "columns": [0, 1, 2]}}, {{"kind": "categories", "sizes": {SIZES}}}],
        "estimator": {{"kind": "linear"}}, "link": "{"softmax" if classes else link}", "undo": "none"}}"""
    )
    width, outputs = 3 + sum(SIZES), max(1, len(classes))
    weights = np.random.default_rng(2).uniform(-1, 1, (width, outputs))
    arrays = {
        "mean": np.array([4.0, 3.0, 19700.0, *[0.0] * sum(SIZES)]),
        "scale": np.array([1.0, 1.0, 365.0, *[1.0] * sum(SIZES)]),
        "coefficients": weights,
        "intercepts": np.zeros(outputs),
    }
    predictor = CompiledPredictor(recipe, arrays, Path(), threads=1)
    return BatchModel(home.bundle, home.reference, "0" * 64, predictor)


def config(source: Path | str, output: Path | str, **options: Any) -> BatchConfig:
    """A configuration of the batch, with chunks of 100 rows unless something else is asked for."""
    given = {"model": "homes", "input": str(source), "output": str(output), "chunk_rows": 100}
    return BatchConfig.model_validate(given | options)


def run(source: Path | str, output: Path | str, by: BatchModel | None = None, **options: Any) -> BatchReport:
    return score(config(source, output, **options), by or model())[0]


def predictions(output: Path | str) -> pd.DataFrame:
    """The rows of the output, by the number of the row."""
    return pd.read_parquet(f"{output}/predictions").set_index("row")


def rejects(output: Path | str) -> pd.DataFrame:
    """The rows of the output, by the number of the row."""
    return pd.read_parquet(f"{output}/rejects").set_index("row")


def answers(by: BatchModel, rows: pd.DataFrame) -> list[float]:
    """The predictor's own predictions for the rows."""
    columns = {
        str(name): [None if value is None or value != value else value for value in rows[name].astype(object)]
        for name in [column.name for column in by.bundle.columns]
    }
    return by.predictor.predict(Encoder(by.bundle.columns).columns(columns)[0]).tolist()


def write(file: Path, *lines: str) -> Path:
    """Write a CSV with the model's columns."""
    file.write_text("\n".join(["income,place,rooms,sold,heat", *lines]) + "\n")
    return file
