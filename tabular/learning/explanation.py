"""Explanations of a model: permutation importances of raw columns and SHAP values of the estimator's columns."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from lightgbm import LGBMModel
from numpy.typing import NDArray
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    BaseEnsemble,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from xgboost import DMatrix, XGBModel

from tabular.config.stages import Task
from tabular.learning import metrics
from tabular.reports.training import Importance, ShapSummary

Floats = NDArray[np.float64]

_REPEATS = 3
_SHAP_COLUMNS = 20
_FORESTS = (RandomForestRegressor, RandomForestClassifier, ExtraTreesRegressor, ExtraTreesClassifier)
_HISTOGRAM_BOOSTERS = (HistGradientBoostingRegressor, HistGradientBoostingClassifier)
_FEWEST_ROWS = 20
_ROWS_TIMES_LEAVES = 5_000_000
"""The limit for tree SHAP: it takes 1 to 4 s on one core, depending on the depth of the trees."""


def importances(
    model: Pipeline, rows: pd.DataFrame, actual: NDArray[Any], task: Task, metric: str, seed: int
) -> list[Importance]:
    """Permutation importances of the raw columns (Breiman 2001); all columns are shuffled by the same three orders."""
    random = np.random.default_rng(seed)
    orders = [random.permutation(len(rows)) for _ in range(_REPEATS)]
    sign = 1 if metrics.goal(metric) == "minimize" else -1

    def scores(raw: pd.DataFrame) -> Floats:
        if metric in metrics.NEEDS_PROBABILITIES:
            classes = metrics.outcomes(model.classes_, task).tolist()
            parts = np.split(model.predict_proba(raw), len(raw) // len(rows))
            return np.array([metrics.metric(metric, task, actual, actual, part, classes) for part in parts])
        parts = np.split(metrics.outcomes(model.predict(raw), task), len(raw) // len(rows))
        return np.array([metrics.metric(metric, task, actual, part) for part in parts])

    intact = scores(rows)[0]
    importances = []
    for column in rows.columns:
        shuffled = pd.concat([rows] * _REPEATS, ignore_index=True)
        shuffled[column] = pd.concat([rows[column].iloc[order] for order in orders], ignore_index=True)
        losses = sign * (scores(shuffled) - intact)
        importances.append(Importance(column=str(column), permutation=float(losses.mean()), std=float(losses.std())))
    return sorted(importances, key=lambda importance: (-importance.permutation, importance.column))


def shap_summary(
    model: Pipeline, matrix: NDArray[Any], train: pd.DataFrame, predicted: NDArray[np.intp]
) -> ShapSummary | None:
    """SHAP values of the estimator's columns, in the unit of its raw output (log-odds, a transformed target, ...).

    For two classes they explain the second. For more classes each row's values explain its predicted class, and
    columns are ranked by the mean over all classes. Trees with very many leaves are explained on fewer rows.

    The mean of `train`, raw rows, is the reference of a linear model; `predicted` holds the code of the predicted class
    of each row (rows,). The result is None for an algorithm that cannot be explained cheaply.
    """
    estimator = _innermost(model[-1])
    matrix = matrix[: _explainable_rows(estimator, matrix)]
    values = _contributions(estimator, matrix, lambda: np.asarray(model[:-1].transform(train)))
    if values is None:
        return None
    size = np.abs(values).mean(axis=0) if values.ndim == 2 else np.abs(values).mean(axis=(0, 2))
    if values.ndim == 3:
        values = np.take_along_axis(values, predicted[: len(values), None, None], axis=2)[:, :, 0]
    top = np.argsort(-size, kind="stable")[:_SHAP_COLUMNS]
    names = model[:-1].get_feature_names_out()
    return ShapSummary(
        columns=[str(names[i]) for i in top], values=values[:, top].tolist(), inputs=matrix[:, top].tolist()
    )


def _innermost(estimator: Any) -> Any:
    """The estimator inside all wrappers; the `estimator_` of an ensemble is only a template and is not entered."""
    while True:
        if isinstance(estimator, TransformedTargetRegressor):
            estimator = estimator.regressor_
        elif hasattr(estimator, "estimator_") and not isinstance(estimator, BaseEnsemble):
            estimator = estimator.estimator_
        else:
            return estimator


def _explainable_rows(estimator: Any, matrix: NDArray[Any]) -> int:
    """The number of rows to explain: all, unless the trees have so many leaves that it would take too long."""
    if isinstance(estimator, Pipeline):
        return _explainable_rows(_innermost(estimator[-1]), estimator[:-1].transform(matrix))
    leaves = _leaves(estimator, matrix)
    affordable = _ROWS_TIMES_LEAVES // leaves if leaves else len(matrix)
    return min(len(matrix), max(_FEWEST_ROWS, affordable))


def _leaves(estimator: Any, matrix: NDArray[Any]) -> int:
    """The number of leaves of all trees, estimated for boosters from those that the rows reach; 0 without trees."""
    if isinstance(estimator, LGBMModel):
        reached = np.asarray(estimator.booster_.predict(matrix, pred_leaf=True)).reshape(len(matrix), -1)
        return int((reached.max(axis=0) + 1).sum())
    if isinstance(estimator, XGBModel):  # it numbers all nodes of a tree, and half of them are leaves
        return int((estimator.apply(matrix).reshape(len(matrix), -1).max(axis=0) // 2 + 1).sum())
    if isinstance(estimator, _FORESTS):
        return sum(int(tree.tree_.n_leaves) for tree in estimator.estimators_)
    if isinstance(estimator, _HISTOGRAM_BOOSTERS):
        return int(estimator.n_iter_ * estimator.n_trees_per_iteration_ * (estimator.max_leaf_nodes or 256))
    return 0


def _contributions(estimator: Any, matrix: NDArray[Any], train: Callable[[], NDArray[Any]]) -> Floats | None:
    """SHAP values (rows x columns, or rows x columns x classes); None if they cannot be computed cheaply.

    Boosters compute their own (tree SHAP, Lundberg et al. 2020); those of a linear model are coefficient * (x - mean).
    """
    if isinstance(estimator, Pipeline):
        before: Pipeline = estimator[:-1]
        inner = before.transform(matrix)
        values = _contributions(_innermost(estimator[-1]), inner, lambda: before.transform(train()))
        return values if values is not None and values.shape[:2] == matrix.shape else None
    if isinstance(estimator, LGBMModel):
        return _columns_first(estimator.booster_.predict(matrix, pred_contrib=True), matrix)
    if isinstance(estimator, XGBModel):
        booster = estimator.get_booster()
        rows = DMatrix(matrix, feature_names=booster.feature_names, missing=estimator.missing)
        return _columns_first(booster.predict(rows, pred_contribs=True), matrix)
    if isinstance(estimator, _FORESTS + _HISTOGRAM_BOOSTERS):
        import shap  # the import takes three seconds, and only these estimators need it

        values = np.asarray(shap.TreeExplainer(estimator).shap_values(matrix, check_additivity=False))
        return values[:, :, 1] if values.ndim == 3 and values.shape[2] == 2 else values
    if isinstance(estimator, Ridge | LogisticRegression):
        centred = matrix.astype(np.float64) - train().astype(np.float64).mean(axis=0)
        return _squeezed(centred[:, :, None] * np.atleast_2d(estimator.coef_).T[None])
    return None


def _columns_first(contributions: Any, matrix: NDArray[Any]) -> Floats:
    """Reorder a booster's contributions, rows x classes x (columns and a bias), to rows x columns (x classes)."""
    blocks = np.asarray(contributions, dtype=np.float64).reshape(len(matrix), -1, matrix.shape[1] + 1)
    return _squeezed(np.moveaxis(blocks[:, :, :-1], 1, 2))


def _squeezed(values: Floats) -> Floats:
    return values[:, :, 0] if values.shape[2] == 1 else values
