"""The algorithms that compete: how each is built for a task, its small grid, and the parameter of its rounds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from lightgbm import LGBMClassifier, LGBMRegressor
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import LabelEncoder, StandardScaler
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import check_is_fitted
from xgboost import XGBClassifier, XGBRegressor

from tabular.arithmetic.calibration import logits_of_log_odds, logits_of_shares, softmax
from tabular.config.stages import ClassWeight, Task
from tabular.errors import UserError
from tabular.reports.training import TargetTransform

Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Algorithm:
    """One algorithm of the selection."""

    build: Callable[[Task, Parameters, int, int], BaseEstimator]
    """(task, parameters, seed, threads) -> unfitted estimator."""
    grid: tuple[dict[str, Any], ...]
    """Parameters of each candidate in the selection for a regression."""
    rounds: str | None = None
    """Name of the parameter with the number of trees or boosting rounds; None for an algorithm without one."""
    classes: tuple[dict[str, Any], ...] = ()
    """Parameters of each candidate for a classification; empty if they are those of a regression."""

    def points(self, task: Task) -> tuple[dict[str, Any], ...]:
        """Parameters of each candidate in the selection."""
        return self.classes if task == "classification" and self.classes else self.grid


class LabelledClassifier(ClassifierMixin, BaseEstimator):
    """A classifier that takes labels of any kind; XGBoost, for example, only takes 0, 1, 2, ...

    Args:
        estimator: any classifier with `predict_proba`, or a pipeline that ends in one.
        class_weight: with `balanced`, the weight of a row while fitting is the number of rows / (number of classes *
            rows of its class) (King & Zeng 2001, as in scikit-learn), for every algorithm.
        temperature: the divisor of the logits, see `tabular.arithmetic.calibration`.
    """

    def __init__(self, estimator: BaseEstimator, class_weight: ClassWeight = None, temperature: float = 1.0) -> None:
        self.estimator = estimator
        self.class_weight = class_weight
        self.temperature = temperature

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Fit on `y` (rows,), labels of any kind."""
        self.encoder_ = LabelEncoder().fit(y)
        self.classes_ = self.encoder_.classes_
        codes = self.encoder_.transform(y)
        weights: dict[str, Any] = {}
        if self.class_weight is not None:
            is_pipeline = isinstance(self.estimator, Pipeline)
            name = f"{self.estimator.steps[-1][0]}__sample_weight" if is_pipeline else "sample_weight"
            weights[name] = compute_sample_weight(self.class_weight, codes)
        self.estimator_ = clone(self.estimator).fit(X, codes, **weights)
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The most likely label of each row (rows,), in the type of the training labels."""
        best = self.predict_proba(X).argmax(axis=1)
        labels: NDArray[Any] = self.classes_[best]
        return labels

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Probabilities (rows x classes), float64, in the order of `classes_`."""
        check_is_fitted(self)
        if self.temperature == 1.0 or len(self.classes_) == 1:
            return np.asarray(self.estimator_.predict_proba(X), dtype=np.float64)
        return softmax(self.logits(X), self.temperature)

    def logits(self, X: ArrayLike) -> NDArray[np.float64]:
        """Logits (rows x classes), float64, before the temperature; `predict_proba` at temperature 1 is their softmax.

        They are read from the estimator itself, because a probability close to 1 has lost the digits that tell logits
        apart.
        """
        check_is_fitted(self)
        if isinstance(self.estimator_, LGBMClassifier):
            raw = self.estimator_.predict(X, raw_score=True)
        elif isinstance(self.estimator_, XGBClassifier):
            raw = self.estimator_.predict(X, output_margin=True)
        elif hasattr(self.estimator_, "decision_function"):
            raw = self.estimator_.decision_function(X)
        else:
            return logits_of_shares(np.asarray(self.estimator_.predict_proba(X), dtype=np.float64))
        found = np.asarray(raw, dtype=np.float64)
        return found if found.ndim == 2 else logits_of_log_odds(found)


def estimator(
    name: str,
    task: Task,
    parameters: Parameters,
    transform: TargetTransform,
    seed: int,
    threads: int,
    class_weight: ClassWeight = None,
) -> BaseEstimator:
    """An unfitted estimator from the matrix of `tabular.learning.features` to predictions in the target's own unit.

    `parameters` are those that differ from the defaults in this file. `transform` is for a regression only, and
    `class_weight` for a classification only.

    Raises:
        UserError: there is no such algorithm, or it does not know a parameter.
    """
    if name not in ALGORITHMS:
        raise UserError(f"there is no algorithm '{name}'; there are {', '.join(ALGORITHMS)}")
    try:
        built = ALGORITHMS[name].build(task, parameters, seed, threads)
    except TypeError as error:
        raise UserError(f"algorithm '{name}': {error}") from error
    if task == "classification":
        return LabelledClassifier(built, class_weight)
    if transform == "log":
        return TransformedTargetRegressor(built, func=np.log, inverse_func=np.exp, check_inverse=False)
    return TransformedTargetRegressor(built)


def transforms_for(task: Task, target: ArrayLike, asked: tuple[TargetTransform, ...]) -> list[TargetTransform]:
    """The transforms that fit a target: `none` alone for classes, and no `log` if a value is not positive."""
    if task == "classification":
        return ["none"]
    return [t for t in asked if t != "log" or float(np.min(np.asarray(target, dtype=np.float64))) > 0] or ["none"]


def _linear(task: Task, parameters: Parameters, seed: int, threads: int) -> BaseEstimator:
    if task == "regression":
        model: BaseEstimator = Ridge(random_state=seed, **parameters)
    else:
        alpha, others = parameters.get("alpha", 1.0), {k: v for k, v in parameters.items() if k != "alpha"}
        model = LogisticRegression(C=1.0 / alpha, max_iter=1000, random_state=seed, **others)
    return Pipeline([("scale", StandardScaler()), ("model", model)])


def _random_forest(task: Task, parameters: Parameters, seed: int, threads: int) -> BaseEstimator:
    kind = RandomForestRegressor if task == "regression" else RandomForestClassifier
    # With more than one thread the predictions of trees are summed in the order in which they finish, which changes
    # the last digits.
    return kind(**{"n_estimators": 100, "max_features": 0.1, **parameters}, random_state=seed, n_jobs=1)


def _hist_gradient_boosting(task: Task, parameters: Parameters, seed: int, threads: int) -> BaseEstimator:
    kind = HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
    defaults = {"max_iter": 100, "max_bins": 63, "early_stopping": False}
    return kind(**{**defaults, **parameters}, random_state=seed)


def _lightgbm(task: Task, parameters: Parameters, seed: int, threads: int) -> BaseEstimator:
    kind = LGBMRegressor if task == "regression" else LGBMClassifier
    defaults: dict[str, Any] = {"n_estimators": 200, "max_bin": 63, "subsample_freq": 1}
    fixed: dict[str, Any] = {"deterministic": True, "force_row_wise": True, "verbose": -1}
    return kind(**{**defaults, **parameters}, **fixed, random_state=seed, n_jobs=threads)


def _xgboost(task: Task, parameters: Parameters, seed: int, threads: int) -> BaseEstimator:
    kind = XGBRegressor if task == "regression" else XGBClassifier
    defaults = {"n_estimators": 200, "max_bin": 63, "tree_method": "hist"}
    return kind(**{**defaults, **parameters}, random_state=seed, n_jobs=threads)


ALGORITHMS: dict[str, Algorithm] = {
    "linear": Algorithm(_linear, ({"alpha": 0.1}, {"alpha": 1.0}, {"alpha": 10.0})),
    "random_forest": Algorithm(
        _random_forest,
        ({"n_estimators": 30, "min_samples_leaf": 1}, {"n_estimators": 30, "min_samples_leaf": 3}),
        "n_estimators",
    ),
    "hist_gradient_boosting": Algorithm(
        _hist_gradient_boosting,
        ({"learning_rate": 0.1, "max_leaf_nodes": 31}, {"learning_rate": 0.2, "max_leaf_nodes": 31}),
        "max_iter",
    ),
    "lightgbm": Algorithm(
        _lightgbm,
        tuple({"learning_rate": 0.1, "colsample_bytree": 0.3, "num_leaves": leaves} for leaves in (31, 63)),
        "n_estimators",
        tuple({"learning_rate": 0.1, "colsample_bytree": 0.8, "num_leaves": leaves} for leaves in (7, 15)),
    ),
    "xgboost": Algorithm(
        _xgboost,
        tuple({"learning_rate": 0.1, "colsample_bytree": 0.3, "max_depth": depth} for depth in (4, 6)),
        "n_estimators",
        tuple({"learning_rate": 0.1, "colsample_bytree": 0.8, "max_depth": depth} for depth in (3, 5)),
    ),
}
