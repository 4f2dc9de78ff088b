"""Small models of the shipped configurations, made in a second each: their features, fixed parameters, no search."""

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from tabular.config.stages import ImputationConfig
from tabular.config.training import TrainingFile, TrainingParameters
from tabular.learning import imputation, training
from tabular.learning.features import preprocessing
from tabular.reports.training import BestParameters
from tabular.table import sources, splitting
from tests.support.project import ROOT

CLUSTERS = 25
"""The number of clusters, where the configuration asks for clusters."""
TUNED: dict[str, BestParameters] = {
    "train.yaml": BestParameters(
        algorithm="lightgbm",
        target_transform="log",
        parameters={"n_estimators": 200, "learning_rate": 0.1, "num_leaves": 31, "colsample_bytree": 0.5},
    ),
    "obesity.yaml": BestParameters(
        algorithm="lightgbm",
        target_transform="none",
        parameters={"n_estimators": 100, "learning_rate": 0.1, "num_leaves": 15, "colsample_bytree": 0.8},
    ),
    "boston.yaml": BestParameters(
        algorithm="lightgbm",
        target_transform="log",
        parameters={
            "n_estimators": 200,
            "learning_rate": 0.05,
            "num_leaves": 8,
            "colsample_bytree": 0.5,
            "min_child_samples": 5,
        },
    ),
}
LEVELS = (
    "Insufficient_Weight",
    "Normal_Weight",
    "Overweight_Level_I",
    "Overweight_Level_II",
    "Obesity_Type_I",
    "Obesity_Type_II",
    "Obesity_Type_III",
)
"""The classes of the obesity table, the lightest first."""


class Learned(NamedTuple):
    """A fitted model with the rows that it has never seen. It is shared: nobody changes the rows in place."""

    model: Pipeline
    held_out: pd.DataFrame
    """Raw inputs, without the target."""
    actual: NDArray[Any]
    """The target of the same rows."""

    def predict(self, **changes: Any) -> NDArray[Any]:
        """One answer for each held-out row, with some columns changed."""
        return np.asarray(self.model.predict(self.held_out.assign(**changes)))

    def levels(self, **changes: Any) -> NDArray[np.intp]:
        """The same of the obesity table, as places in `LEVELS`."""
        return np.array([LEVELS.index(label) for label in self.predict(**changes)])

    def relative_change(self, **changes: Any) -> NDArray[np.float64]:
        """By what share each predicted number rises when some columns change."""
        return np.asarray(self.predict(**changes) / self.predict() - 1, dtype=np.float64)

    def answers(self, *rows: dict[str, Any]) -> list[Any]:
        """The answers for rows that are made by hand; what they leave out is as in the middle of the held-out rows."""
        middle = {
            name: column.median() if pd.api.types.is_numeric_dtype(column) else column.mode()[0]
            for name, column in self.held_out.items()
        }
        return list(self.model.predict(pd.DataFrame([middle | row for row in rows])))


def parameters(config: str) -> TrainingParameters:
    """What a file in `configs/` says."""
    return TrainingFile.model_validate(yaml.safe_load((ROOT / "configs" / config).read_text())).parameters


def read(config: str, table: Path | None) -> pd.DataFrame:
    """The rows as the first step reads them: of the real table, or of the built-in sample."""
    asked = parameters(config)
    where = {"path": str(table)} if table is not None else {"url": None, "url_sha256": None}
    data = asked.data.model_copy(update=where)
    source = sources.locate(data, ROOT / ".cache" / "data", ROOT, asked.validation.columns)
    return sources.read_table(source, asked.target.column, data.drop_duplicates, asked.seed, data.drop_columns)[0]


def learn(config: str, rows: pd.DataFrame) -> Learned:
    """Train on the training rows of the configuration's own split."""
    asked = parameters(config)
    target = asked.target.column
    train, held_out = splitting.split(rows, asked.target, asked.split, asked.seed)
    pair, _ = imputation.compare(train, target, ImputationConfig(strategies=("median",)), asked.seed)
    clusters = None if asked.features.clusters is None else CLUSTERS
    way = preprocessing(train, asked.target, pair, asked.features, clusters, asked.seed)
    model = training.fit(train, asked.target, way, TUNED[config], asked.seed, 1)
    return Learned(model, held_out.drop(columns=target), held_out[target].to_numpy())


@cache
def learned(config: str, table: Path | None, shuffled: bool = False) -> Learned:
    """The model of a configuration; with `shuffled` the targets belong to other rows, and there is nothing to learn."""
    rows = read(config, table)
    if shuffled:
        target = parameters(config).target.column
        rows[target] = rows[target].sample(frac=1, random_state=0).to_numpy()
    return learn(config, rows)
