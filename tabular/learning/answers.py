"""What a fitted model says to rows, from their raw columns."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from tabular.config.stages import Task
from tabular.learning import metrics


class Answers(NamedTuple):
    """What one model says to some rows."""

    predicted: NDArray[Any]
    """(rows,): float64, or labels as text."""
    probabilities: NDArray[np.float64] | None
    """Rows x classes; None for a regression, or where there are none."""
    classes: list[str] | None
    """The columns of `probabilities`; None for a regression."""


def raw_columns(model: Pipeline, train: pd.DataFrame, target: str) -> list[str]:
    """The columns in the order of fitting, because some first steps refuse any other."""
    if hasattr(model, "feature_names_in_"):
        return list(model.feature_names_in_)
    return [column for column in train.columns if column != target]


def answers_of(predictor: Any, rows: Any, task: Task) -> Answers:
    """What a fitted model says to rows; `rows` are what its `predict` takes, a DataFrame or a matrix."""
    predicted = metrics.outcomes(predictor.predict(rows), task)
    if task == "regression":
        return Answers(predicted, None, None)
    probabilities = np.asarray(predictor.predict_proba(rows), dtype=np.float64)
    return Answers(predicted, probabilities, metrics.outcomes(predictor.classes_, task).tolist())
