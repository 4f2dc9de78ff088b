"""The metrics as functions of how often each row was drawn, so that a thousand resamples cost one matrix product.

Other modules call `tabular.learning.metrics`, which checks the inputs and replaces labels by codes.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Weighted = Callable[[Floats], Floats]
"""Takes how often each row was drawn (resamples x rows) and returns the metric of each resample (resamples,)."""

_CHUNK = 1_000_000
"""Number of drawn rows that are held in memory at once; with all temporary arrays they take less than 100 MB."""


class Labels(NamedTuple):
    """Labels as codes 0 to `classes` - 1."""

    actual: Codes
    predicted: Codes
    classes: int
    probabilities: Floats
    """Rows x classes; without columns if no metric needs them."""


def draws(rows: int, resamples: int, seed: int) -> Iterator[Floats]:
    """Counts of how often each row is drawn (resamples x rows), float64, in chunks of whole resamples."""
    random = np.random.default_rng(seed)
    step = max(1, _CHUNK // rows)
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        drawn = random.integers(0, rows, size=(size, rows)) + rows * np.arange(size)[:, None]
        yield np.bincount(drawn.ravel(), minlength=size * rows).reshape(size, rows).astype(np.float64)


def percentage_errors(actual: Floats, predicted: Floats) -> Floats:
    """100 |e|/|y| of each row; nan where the actual value is 0."""
    return ratio(100 * np.abs(actual - predicted), np.abs(actual))


def symmetric_errors(actual: Floats, predicted: Floats) -> Floats:
    """200 |e|/(|y| + |p|) of each row; 0 where both are 0."""
    return np.nan_to_num(ratio(200 * np.abs(actual - predicted), np.abs(actual) + np.abs(predicted)))


def is_within_10pct(actual: Floats, predicted: Floats) -> NDArray[np.bool_]:
    """Whether |e| <= |y|/10 for each row, in a form that is exact for whole numbers."""
    within: NDArray[np.bool_] = 10 * np.abs(actual - predicted) <= np.abs(actual)
    return within


def surprises(labels: Labels) -> Floats:
    """-ln(probability of the actual class) of each row, with the probability clipped to at least 2.2e-16."""
    given = np.take_along_axis(labels.probabilities, labels.actual[:, None], axis=1)[:, 0]
    surprise: Floats = -np.log(np.clip(given, np.finfo(np.float64).eps, 1.0))
    return surprise


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """The quotient of each pair of elements; nan where the denominator is 0."""
    quotient: Floats = np.full(np.shape(numerator), np.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator != 0)
    return quotient


def regression_form(name: str, actual: Floats, predicted: Floats) -> Weighted:
    """The weighted form of one metric of a regression; for its definition see `tabular.learning.metrics.metric`."""
    error = np.abs(actual - predicted)
    every = np.ones(len(actual))
    nonzero = (actual != 0).astype(np.float64)
    if name == "r2":
        return _weighted_r2(actual, error**2)
    if name == "rmse":
        squared = _weighted_ratio(error**2, every)
        return lambda counts: np.sqrt(squared(counts))
    if name == "median_ape":
        return _weighted_median(percentage_errors(actual, predicted))
    numerator, denominator = {
        "mae": (error, every),
        "mape": (np.nan_to_num(percentage_errors(actual, predicted)), nonzero),
        "smape": (symmetric_errors(actual, predicted), every),
        "wmape": (100 * error, np.abs(actual)),
        "within_10pct": (100 * is_within_10pct(actual, predicted) * nonzero, nonzero),
    }[name]
    return _weighted_ratio(numerator, denominator)


def classification_form(name: str, labels: Labels) -> Weighted:
    """The weighted form of one metric of a classification; for its definition see `tabular.learning.metrics.metric`."""
    every = np.ones(len(labels.actual))
    if name == "accuracy":
        return _weighted_ratio((labels.actual == labels.predicted).astype(np.float64), every)
    if name == "log_loss":
        return _weighted_ratio(surprises(labels), every)
    if name == "roc_auc":
        return _weighted_roc_auc(labels)
    return _weighted_by_class(name, labels)


def _weighted_ratio(numerator: Floats, denominator: Floats) -> Weighted:
    return lambda counts: ratio(counts @ numerator, counts @ denominator)


def _weighted_r2(actual: Floats, squared_error: Floats) -> Weighted:
    centred = actual - actual.mean()

    def form(counts: Floats) -> Floats:
        total = counts.sum(axis=1)
        raw, residual = counts @ centred**2, counts @ squared_error
        spread = raw - (counts @ centred) ** 2 / total
        constant = spread <= 1e-12 * raw  # all drawn actual values are equal, and the spread is rounding alone
        value = 1 - residual / np.where(constant, 1, spread)
        value[constant] = residual[constant] == 0
        value[total < 2] = np.nan
        return value

    return form


def _weighted_median(values: Floats) -> Weighted:
    """The median of the drawn values, nan left out."""
    order = np.argsort(values, kind="stable")[: np.count_nonzero(~np.isnan(values))]
    ordered = np.append(values[order], np.nan)

    def form(counts: Floats) -> Floats:
        if not len(order):
            return np.full(len(counts), np.nan)
        below = np.cumsum(counts[:, order], axis=1)
        total = below[:, -1:]
        lower = (below <= (total - 1) // 2).sum(axis=1)
        upper = (below <= total // 2).sum(axis=1)
        return np.where(total[:, 0] > 0, (ordered[lower] + ordered[upper]) / 2, np.nan)

    return form


def _weighted_by_class(name: str, labels: Labels) -> Weighted:
    """Averages of precision, recall and F1, which follow from three counts of each class; 0/0 is 0."""
    codes = np.arange(labels.classes)
    is_actual = (labels.actual[:, None] == codes).astype(np.float64)
    is_predicted = (labels.predicted[:, None] == codes).astype(np.float64)
    is_hit = is_actual * is_predicted

    def form(counts: Floats) -> Floats:
        actual, predicted, hits = counts @ is_actual, counts @ is_predicted, counts @ is_hit
        seen = actual + predicted > 0
        values, weights = {
            "balanced_accuracy": (ratio(hits, actual), actual > 0),
            "precision_macro": (ratio(hits, predicted), seen),
            "recall_macro": (ratio(hits, actual), seen),
            "f1_macro": (ratio(2 * hits, actual + predicted), seen),
            "precision_weighted": (ratio(hits, predicted), actual),
            "recall_weighted": (ratio(hits, actual), actual),
            "f1_weighted": (ratio(2 * hits, actual + predicted), actual),
        }[name]
        return ratio((np.nan_to_num(values) * weights).sum(axis=1), weights.sum(axis=1))

    return form


def _weighted_roc_auc(labels: Labels) -> Weighted:
    """The share of pairs in the right order, one class against the rest; ties count half (Mann & Whitney 1947)."""
    forms = [_weighted_ranking(labels.actual == code, labels.probabilities[:, code]) for code in ranked_codes(labels)]

    def form(counts: Floats) -> Floats:
        areas = np.stack([one(counts) for one in forms])
        return ratio(np.nan_to_num(areas).sum(axis=0), (~np.isnan(areas)).sum(axis=0).astype(np.float64))

    return form


def ranked_codes(labels: Labels) -> Codes:
    """Codes of the classes that `roc_auc` averages: the second of two classes, or of more classes all actual ones."""
    return np.array([1]) if labels.classes == 2 else np.unique(labels.actual)


def _weighted_ranking(positive: NDArray[np.bool_], scores: Floats) -> Weighted:
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    ties = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    is_positive = positive[order]

    def form(counts: Floats) -> Floats:
        drawn = counts[:, order]
        positives = np.add.reduceat(drawn * is_positive, ties, axis=1)
        negatives = np.add.reduceat(drawn * ~is_positive, ties, axis=1)
        below = np.cumsum(negatives, axis=1)
        pairs = positives.sum(axis=1) * below[:, -1]
        return ratio((positives * (below - negatives / 2)).sum(axis=1), pairs)

    return form
