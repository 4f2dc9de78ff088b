"""Cross-validation in which everything, imputer and clusters included, is fitted on the fold's own training rows."""

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd
from lightgbm import LGBMModel
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits
from xgboost import XGBModel

from tabular.config.stages import TargetConfig
from tabular.errors import UserError, one_line
from tabular.learning.algorithms import LabelledClassifier
from tabular.learning.imputation import expected_warnings_off
from tabular.learning.metrics import metric

Work = TypeVar("Work")
Result = TypeVar("Result")
Parts = tuple[pd.DataFrame, pd.DataFrame]
"""Training and test rows of a fold, target included."""


class Fold(NamedTuple):
    """The two parts of one fold, ready for an estimator: matrices of float32 and targets."""

    train: NDArray[np.float32]
    train_target: NDArray[np.generic]
    test: NDArray[np.float32]
    test_target: NDArray[np.generic]
    columns: tuple[str, ...] = ()
    """Names of the matrices' columns; a category that the training part lacks has no column."""


def available_cores() -> int:
    """The processors this process may use, which in a container are fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def fold_rows(rows: pd.DataFrame, target: TargetConfig, folds: int, seed: int) -> list[Parts]:
    """The raw rows of each fold; a classification keeps the shares of its classes.

    Raises:
        UserError: too few rows, or fewer rows of every class than folds.
    """
    kind = StratifiedKFold if target.task == "classification" else KFold
    splitter = kind(folds, shuffle=True, random_state=seed)
    # As codes: labels such as 0.5 and 1.5 are no classes to scikit-learn.
    codes = pd.factorize(rows[target.column])[0]
    try:
        with expected_warnings_off():
            places = list(splitter.split(rows, codes))
    except ValueError as error:
        said = one_line(error)
        raise UserError(
            f"{len(rows)} training rows cannot be cut into {folds} folds: {said} Bring more rows."
        ) from error
    return [(rows.iloc[a], rows.iloc[b]) for a, b in places]


def prepare(parts: Parts, target: str, preprocessing: Pipeline) -> Fold:
    """Fit a copy of `preprocessing` on the fold's training rows and transform both parts."""
    train, test = (part.drop(columns=target) for part in parts)
    actual, test_actual = (part[target].to_numpy() for part in parts)
    fitted = clone(preprocessing)
    # As a pipeline is fitted: what encodes by the target gives the training part other values than `transform` would.
    matrix = fitted.fit_transform(train, actual)
    return Fold(
        matrix,
        actual,
        fitted.transform(test),
        test_actual,
        tuple(str(name) for name in fitted.get_feature_names_out()),
    )


def score(estimator: BaseEstimator, fold: Fold, target: TargetConfig, name: str) -> float:
    """Fit a copy of the estimator on the fold and score its other part by one metric; raises as `fit_and_score`."""
    return fit_and_score(estimator, fold, target, name)[0]


def fit_and_score(estimator: BaseEstimator, fold: Fold, target: TargetConfig, name: str) -> tuple[float, BaseEstimator]:
    """As `score`, with the fitted copy.

    Raises:
        UserError: the metric is undefined there, such as a percentage error where every actual value is 0.
    """
    fitted = clone(estimator).fit(fold.train, fold.train_target)
    if target.task == "regression":
        value = metric(name, target.task, fold.test_target, fitted.predict(fold.test))
    else:
        probabilities = fitted.predict_proba(fold.test)
        predicted = fitted.classes_[probabilities.argmax(axis=1)]
        value = metric(name, target.task, fold.test_target, predicted, probabilities, fitted.classes_)
    if math.isnan(value):
        raise UserError(
            f"'{name}' of '{target.column}' is undefined on a fold of {len(fold.test)} rows; "
            "choose another metric, fewer folds or more rows"
        )
    return value, fitted


def importances(fitted: BaseEstimator, columns: Sequence[str]) -> dict[str, float]:
    """What the estimator itself knows of how much each column of its matrix matters.

    Trees: the total gain of the splits on a column (impurity decrease, Breiman et al., 1984), for all of them the same
    measure, which favours a column of many values less than the number of splits does. Linear models: |coefficient|
    times the standard deviation of the column, the mean over classes ("Common pitfalls in the interpretation of
    coefficients of linear models", scikit-learn's examples); their columns come scaled, so the deviation is 1.

    Args:
        fitted: as `tabular.learning.algorithms.estimator` builds it.
        columns: the names of the matrix that it was fitted on.

    Returns:
        By column, at least 0, with the sum 1. Empty where the algorithm keeps none (histogram gradient boosting) or
        mixes up the classes (XGBoost's linear booster), or where no column was of any use.
    """
    model: Any = fitted
    if isinstance(model, LabelledClassifier):
        model = model.estimator_
    elif isinstance(model, TransformedTargetRegressor):
        model = model.regressor_
    if isinstance(model, Pipeline):
        model = model[-1]
    if getattr(model, "booster", None) == "gblinear":
        return {}
    if hasattr(model, "coef_"):
        values = np.abs(np.atleast_2d(model.coef_)).mean(axis=0)
    else:
        if isinstance(model, LGBMModel | XGBModel):
            model.set_params(importance_type="gain" if isinstance(model, LGBMModel) else "total_gain")
        values = np.asarray(getattr(model, "feature_importances_", ()), dtype=np.float64)
    total = float(values.sum())
    return {name: float(value) / total for name, value in zip(columns, values, strict=True)} if total > 0 else {}


def mean_importances(parts: Sequence[Mapping[str, float]], most: int) -> dict[str, float]:
    """The largest means over the parts, largest first; a column that a part lacks did not matter there."""
    names = dict.fromkeys(name for part in parts for name in part)
    means = {name: sum(part.get(name, 0.0) for part in parts) / len(parts) for name in names}
    return dict(sorted(means.items(), key=lambda item: -item[1])[:most])


def in_parallel(work: Callable[[Work], Result], tasks: Iterable[Work], threads: int) -> Sequence[Result]:
    """The results in the order of the tasks, each computed on one core so that no digit depends on timing."""
    # The limit is the process's own for BLAS, but each thread's own for OpenMP.
    pool = ThreadPoolExecutor(threads, initializer=threadpool_limits, initargs=(1,))
    with expected_warnings_off(), threadpool_limits(1), pool:
        return list(pool.map(work, tasks))
