"""Cross-validation that fits everything, imputer and clusters included, on the training rows of each fold."""

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
    """Both parts of one fold, ready for an estimator: float32 matrices (rows x columns) and targets (rows,)."""

    train: NDArray[np.float32]
    train_target: NDArray[np.generic]
    test: NDArray[np.float32]
    test_target: NDArray[np.generic]
    columns: tuple[str, ...] = ()
    """Names of the columns of both matrices; a category that is absent from the training part has no column."""


def available_cores() -> int:
    """Number of processors that this process may use; in a container it can be smaller than the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def fold_rows(rows: pd.DataFrame, target: TargetConfig, folds: int, seed: int) -> list[Parts]:
    """The raw rows of each fold; the folds of a classification have the same shares of classes.

    Raises:
        UserError: there are fewer rows than folds, or every class has fewer rows than there are folds.
    """
    kind = StratifiedKFold if target.task == "classification" else KFold
    splitter = kind(folds, shuffle=True, random_state=seed)
    # Codes, because scikit-learn does not take labels such as 0.5 and 1.5 for classes.
    codes = pd.factorize(rows[target.column])[0]
    try:
        with expected_warnings_off():
            places = list(splitter.split(rows, codes))
    except ValueError as error:
        said = one_line(error)
        raise UserError(
            f"{len(rows)} training rows cannot be split into {folds} folds: {said} Provide more rows."
        ) from error
    return [(rows.iloc[a], rows.iloc[b]) for a, b in places]


def prepare(parts: Parts, target: str, preprocessing: Pipeline) -> Fold:
    """Fit a copy of `preprocessing` on the fold's training rows and transform both parts."""
    train, test = (part.drop(columns=target) for part in parts)
    actual, test_actual = (part[target].to_numpy() for part in parts)
    fitted = clone(preprocessing)
    # `fit_transform`, because an encoder of target means gives training rows cross-fitted values that `transform`
    # would not give.
    matrix = fitted.fit_transform(train, actual)
    return Fold(
        matrix,
        actual,
        fitted.transform(test),
        test_actual,
        tuple(str(name) for name in fitted.get_feature_names_out()),
    )


def fit_and_score(estimator: BaseEstimator, fold: Fold, target: TargetConfig, name: str) -> tuple[float, BaseEstimator]:
    """Fit a copy of the estimator on the fold's training part and score it on the test part by one metric.

    Returns:
        The value of the metric, and the fitted copy.

    Raises:
        UserError: the metric is undefined on the fold, such as a percentage error if every actual value is 0.
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
    """The importance of each column of the estimator's matrix, as the estimator itself measures it.

    For trees it is the total gain of the splits on a column (impurity decrease, Breiman et al., 1984), which favours
    columns of many values less than the number of splits does. For linear models it is |coefficient| times the
    standard deviation of the column, as a mean over classes ("Common pitfalls in the interpretation of coefficients of
    linear models", scikit-learn's examples); their columns are scaled, so the deviation is 1.

    Returns:
        Importances by column, at least 0, with the sum 1. Empty if the algorithm does not keep any (histogram gradient
        boosting) or mixes the classes (XGBoost's linear booster), or if no column was used.
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
    """The `most` largest means over the parts, largest first; a column that is absent from a part counts as 0 there."""
    names = dict.fromkeys(name for part in parts for name in part)
    means = {name: sum(part.get(name, 0.0) for part in parts) / len(parts) for name in names}
    return dict(sorted(means.items(), key=lambda item: -item[1])[:most])


def in_parallel(work: Callable[[Work], Result], tasks: Iterable[Work], threads: int) -> Sequence[Result]:
    """The results in the order of the tasks, each computed on one core, so that no digit depends on timing."""
    # BLAS takes the limit from the process, OpenMP takes it from each thread.
    pool = ThreadPoolExecutor(threads, initializer=threadpool_limits, initargs=(1,))
    with expected_warnings_off(), threadpool_limits(1), pool:
        return list(pool.map(work, tasks))
