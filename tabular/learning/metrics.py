"""The metrics of both tasks and their bootstrap distributions."""

import math
from collections.abc import Callable, Iterable
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn import metrics as sk

from tabular.config.stages import CLASSIFICATION_METRICS, HIGHER_IS_BETTER, REGRESSION_METRICS, Task
from tabular.errors import UserError
from tabular.learning import resampling
from tabular.learning.resampling import Floats, Labels
from tabular.reports.training import Interval

NEEDS_PROBABILITIES = frozenset({"roc_auc", "log_loss"})


def names(task: Task) -> tuple[str, ...]:
    """The metrics of a task, in the order in which they are shown."""
    return REGRESSION_METRICS if task == "regression" else CLASSIFICATION_METRICS


def goal(metric: str) -> Literal["minimize", "maximize"]:
    """Whether lower or higher values are better; raises a UserError for a name that is not a metric."""
    if metric not in (*REGRESSION_METRICS, *CLASSIFICATION_METRICS):
        known = ", ".join((*REGRESSION_METRICS, *CLASSIFICATION_METRICS))
        raise UserError(f"'{metric}' is not a metric; choose one of {known}")
    return "maximize" if metric in HIGHER_IS_BETTER else "minimize"


def is_better(metric: str, a: float, b: float) -> bool:
    """Whether `a` is strictly better than `b`; any number is better than an undefined value (nan)."""
    if math.isnan(a) or math.isnan(b):
        return math.isnan(b) and not math.isnan(a)
    return a > b if goal(metric) == "maximize" else a < b


def as_text(value: float, digits: int = 4) -> str:
    """A number as text with `digits` significant digits; from 10**(digits - 1) on whole, with thousands separators."""
    return f"{value:,.0f}" if abs(value) >= 10 ** (digits - 1) else f"{value:,.{digits}g}"


def outcomes(values: Any, task: Task) -> NDArray[Any]:
    """Actual or predicted values (rows,) in the form of the reports: numbers as float64, labels as text."""
    if task == "regression":
        return np.asarray(values, dtype=np.float64)
    return np.array([str(label) for label in np.asarray(values).tolist()], dtype=object)


def score(
    task: Task,
    actual: ArrayLike,
    predicted: ArrayLike,
    probabilities: ArrayLike | None = None,
    classes: Iterable[object] | None = None,
) -> dict[str, float]:
    """All metrics of the task in their order, as `metric` defines them; raises as `metric` does."""
    return {name: metric(name, task, actual, predicted, probabilities, classes) for name in names(task)}


def metric(
    name: str,
    task: Task,
    actual: ArrayLike,
    predicted: ArrayLike,
    probabilities: ArrayLike | None = None,
    classes: Iterable[object] | None = None,
) -> float:
    """The value of one metric.

    Let y be the actual value, p the predicted value and e = y - p. Percentages are given as percent, 0 to 100.

    - `r2`, `rmse`, `mae`: as in scikit-learn. If all actual values are equal, `r2` is 1 for perfect predictions and 0
      for all others (scikit-learn's convention); it is nan for a single row.
    - `mape` = mean |e|/|y| (Hyndman & Koehler 2006), `median_ape` = median |e|/|y| (MdAPE, Armstrong & Collopy
      1992), `within_10pct` = share of |e|/|y| <= 10 % (PPE10 of automated valuation models): over the rows whose
      actual value is not 0; nan if there are none.
    - `smape` = mean 2|e|/(|y| + |p|), 0 to 200 % (the form of the M4 competition, Makridakis et al. 2020); 0/0 is 0.
    - `wmape` = sum |e| / sum |y| (the MAD/mean ratio, Kolassa & Schuetz 2007); nan if all actual values are 0.
    - `accuracy`, `precision_`, `recall_`, `f1_macro` and `_weighted` (by the actual rows of a class): as in
      scikit-learn, over the classes that occur as actual or predicted; 0/0 is 0. `balanced_accuracy` is the mean
      recall of the actual classes.
    - `roc_auc`: for two classes the area of the second; for more classes one against the rest, averaged over the
      actual classes (macro, Provost & Domingos 2000); nan if all rows have the same class.
    - `log_loss` = -mean ln(probability of the actual class), with the probability clipped to at least 2.2e-16.

    Args:
        name: one of `names(task)`.
        task: decides whether `actual` and `predicted`, each (rows,), are numbers or labels.
        probabilities: rows x classes; needed for `roc_auc` and `log_loss` only.
        classes: labels of the columns of `probabilities`. An actual label that is not among them has probability 0.

    Raises:
        UserError: `name` is not a metric of `task`.
        ValueError: lengths differ, there are no rows, a number is not finite, or probabilities are needed and missing.
    """
    _check_name(name, task)
    if task == "regression":
        return float(_REGRESSION[name](*_numbers(actual, predicted)))
    return float(_CLASSIFICATION[name](_labels(name in NEEDS_PROBABILITIES, actual, predicted, probabilities, classes)))


def bootstrap_intervals(
    task: Task,
    actual: ArrayLike,
    predicted: ArrayLike,
    probabilities: ArrayLike | None,
    classes: Iterable[object] | None,
    resamples: int,
    confidence: float,
    seed: int,
) -> dict[str, Interval]:
    """All metrics with percentile bootstrap intervals over the rows (Efron & Tibshirani 1993, chapter 13).

    Each resample draws as many rows as there are, with replacement; all metrics use the same ones. `confidence` is the
    coverage of the intervals, 0 to 1; the other parameters are those of `metric`.

    Returns:
        By metric: `value` on all rows, `low` and `high`. Resamples in which a metric is undefined are left out of its
        interval; both ends are nan if none is left.
    """
    known = list(classes) if classes is not None else None
    values = score(task, actual, predicted, probabilities, known)
    drawn = resampled(names(task), task, actual, predicted, probabilities, known, resamples, seed)
    return {name: percentile_interval(value, drawn[name], confidence) for name, value in values.items()}


def percentile_interval(value: float, drawn: Floats, confidence: float) -> Interval:
    """`value` with the interval that holds the central share `confidence` (0 to 1) of `drawn`, nan left out."""
    defined = drawn[~np.isnan(drawn)]
    if not len(defined):
        return Interval(value=value, low=math.nan, high=math.nan)
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(value=value, low=float(low), high=float(high))


def resampled(
    wanted: Iterable[str],
    task: Task,
    actual: ArrayLike,
    predicted: ArrayLike,
    probabilities: ArrayLike | None,
    classes: Iterable[object] | None,
    resamples: int,
    seed: int,
) -> dict[str, Floats]:
    """The `wanted` metrics in each bootstrap resample, by name (resamples,).

    Equal `seed`, `resamples` and number of rows draw the same rows, so two calls for two models make a paired
    bootstrap. Every metric is a function of how often each row was drawn, so a chunk of resamples costs one matrix
    product. The most expensive metric, `roc_auc`, takes a sort for each class and a pass over all resamples.
    """
    wanted = tuple(wanted)
    for name in wanted:
        _check_name(name, task)
    if task == "regression":
        y, p = _numbers(actual, predicted)
        forms = {name: resampling.regression_form(name, y, p) for name in wanted}
        rows = len(y)
    else:
        labels = _labels(not NEEDS_PROBABILITIES.isdisjoint(wanted), actual, predicted, probabilities, classes)
        forms = {name: resampling.classification_form(name, labels) for name in wanted}
        rows = len(labels.actual)
    chunks = [
        {name: form(counts) for name, form in forms.items()} for counts in resampling.draws(rows, resamples, seed)
    ]
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in wanted}


def _check_name(name: str, task: Task) -> None:
    if name not in names(task):
        raise UserError(f"'{name}' is not a metric of a {task}; choose one of {', '.join(names(task))}")


def _numbers(actual: ArrayLike, predicted: ArrayLike) -> tuple[Floats, Floats]:
    y, p = np.asarray(actual, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    _check_shapes(y, p)
    if not (np.isfinite(y).all() and np.isfinite(p).all()):
        raise ValueError("actual and predicted must be finite numbers")
    return y, p


def _check_shapes(actual: NDArray[Any], predicted: NDArray[Any]) -> None:
    if actual.ndim != 1 or actual.shape != predicted.shape or not len(actual):
        raise ValueError(f"actual {actual.shape} and predicted {predicted.shape} must be equally long and not empty")


def _labels(
    with_probabilities: bool,
    actual: ArrayLike,
    predicted: ArrayLike,
    probabilities: ArrayLike | None,
    classes: Iterable[object] | None,
) -> Labels:
    y, p = np.asarray(actual), np.asarray(predicted)
    _check_shapes(y, p)
    known = np.asarray(list(classes)).tolist() if classes is not None else []
    named = len(known)
    known += sorted({*y.tolist(), *p.tolist()} - set(known), key=str)
    index = pd.Index(known, dtype=object)
    columns = np.zeros((len(y), 0))
    if with_probabilities:
        if probabilities is None or classes is None:
            raise ValueError("roc_auc and log_loss need probabilities and the classes of their columns")
        given = np.asarray(probabilities, dtype=np.float64)
        if given.shape != (len(y), named):
            raise ValueError(f"probabilities are {given.shape}, not {len(y)} rows x {named} classes")
        columns = np.zeros((len(y), len(known)))
        columns[:, :named] = given
    return Labels(index.get_indexer(y.astype(object)), index.get_indexer(p.astype(object)), len(known), columns)


def _r2(y: Floats, p: Floats) -> float:
    if len(y) < 2:
        return math.nan
    if np.ptp(y) == 0:  # the mean of equal floats can differ from them, and sk.r2_score would divide by that difference
        return float(np.array_equal(y, p))
    return float(sk.r2_score(y, p))


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else math.nan


def _median(values: Floats) -> float:
    return float(np.median(values)) if len(values) else math.nan


def _wmape(y: Floats, p: Floats) -> float:
    total = np.abs(y).sum()
    return float(100 * np.abs(y - p).sum() / total) if total else math.nan


def _roc_auc(labels: Labels) -> float:
    targets = {int(code): labels.actual == code for code in resampling.ranked_codes(labels)}
    areas = [
        sk.roc_auc_score(target, labels.probabilities[:, code])
        for code, target in targets.items()
        if target.any() and not target.all()
    ]
    return _mean(np.array(areas))


_REGRESSION: dict[str, Callable[[Floats, Floats], float]] = {
    "r2": _r2,
    "rmse": sk.root_mean_squared_error,
    "mae": sk.mean_absolute_error,
    "mape": lambda y, p: _mean(resampling.percentage_errors(y, p)[y != 0]),
    "smape": lambda y, p: _mean(resampling.symmetric_errors(y, p)),
    "wmape": _wmape,
    "median_ape": lambda y, p: _median(resampling.percentage_errors(y, p)[y != 0]),
    "within_10pct": lambda y, p: 100 * _mean(resampling.is_within_10pct(y, p)[y != 0]),
}

_CLASSIFICATION: dict[str, Callable[[Labels], float]] = {
    "accuracy": lambda it: sk.accuracy_score(it.actual, it.predicted),
    "balanced_accuracy": lambda it: sk.recall_score(
        it.actual, it.predicted, labels=np.unique(it.actual), average="macro", zero_division=0
    ),
    "precision_macro": lambda it: sk.precision_score(it.actual, it.predicted, average="macro", zero_division=0),
    "recall_macro": lambda it: sk.recall_score(it.actual, it.predicted, average="macro", zero_division=0),
    "f1_macro": lambda it: sk.f1_score(it.actual, it.predicted, average="macro", zero_division=0),
    "precision_weighted": lambda it: sk.precision_score(it.actual, it.predicted, average="weighted", zero_division=0),
    "recall_weighted": lambda it: sk.recall_score(it.actual, it.predicted, average="weighted", zero_division=0),
    "f1_weighted": lambda it: sk.f1_score(it.actual, it.predicted, average="weighted", zero_division=0),
    "roc_auc": _roc_auc,
    "log_loss": lambda it: _mean(resampling.surprises(it)),
}
