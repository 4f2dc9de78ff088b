"""Metrics and numbers as people read them, written in the same way in every picture and page."""

import math
from typing import NamedTuple

from tabular.config.stages import HIGHER_IS_BETTER
from tabular.reports.training import Interval


class MetricWords(NamedTuple):
    """The label, the unit and the meaning of a metric."""

    label: str
    unit: str
    """`%`; `target` for the unit of the target; empty for a number without a unit."""
    meaning: str


_WORDS = {
    "r2": ("R²", "", "Share of the target's variance that is explained; 1 is perfect, 0 is as good as the mean."),
    "rmse": ("RMSE", "target", "Typical error in the unit of the target; large errors weigh more."),
    "mae": ("MAE", "target", "Mean absolute error in the unit of the target."),
    "mape": ("MAPE", "%", "Mean absolute error as a share of the actual value."),
    "smape": ("SMAPE", "%", "Mean error as a share of the mean of actual and predicted value; at most 200 %."),
    "wmape": ("wMAPE", "%", "Sum of all errors as a share of the sum of all actual values."),
    "median_ape": ("median APE", "%", "Half of the rows have a smaller error, as a share of the actual value."),
    "within_10pct": ("within 10 %", "%", "Share of rows that are predicted within 10 % of the actual value."),
    "accuracy": ("accuracy", "", "Share of rows that get the right label."),
    "balanced_accuracy": ("balanced accuracy", "", "Share of right labels in each class, averaged over the classes."),
    "roc_auc": ("ROC AUC", "", "How often a row of a class ranks above a row of another class; 0.5 is chance."),
    "log_loss": ("log loss", "", "Mean negative logarithm of the probability of the actual label; 0 is perfect."),
}
_OF_A_CLASS = {
    "precision": "Share of the rows given a label that have it",
    "recall": "Share of the rows with a label that are given it",
    "f1": "Harmonic mean of precision and recall",
}
_AVERAGES = {"macro": ", averaged over the classes.", "weighted": "; classes are weighted by their rows."}
METRICS = {name: MetricWords(*words) for name, words in _WORDS.items()} | {
    f"{name}_{average}": MetricWords(f"{name.replace('f1', 'F1')} ({average})", "", meaning + ending)
    for average, ending in _AVERAGES.items()
    for name, meaning in _OF_A_CLASS.items()
}


def metric(name: str) -> MetricWords:
    """Return the label, unit and meaning of a metric; an unknown metric is labelled by its name."""
    return METRICS.get(name, MetricWords(name, "", ""))


def with_unit(name: str) -> str:
    """Return the label of a metric's axis, such as `wMAPE (%)`."""
    label, unit, _ = metric(name)
    return {"": label, "%": f"{label} (%)", "target": f"{label} (in the unit of the target)"}[unit]


def unit_of_change(name: str) -> str:
    """Return the unit of a difference of two values of the metric, in brackets; empty where there is none."""
    return {"": "", "%": " (percentage points)", "target": " (in the unit of the target)"}[metric(name).unit]


def better(name: str) -> str:
    """Say whether larger or smaller values of a metric are better."""
    return "larger is better" if name in HIGHER_IS_BETTER else "smaller is better"


def value(name: str, number: float) -> str:
    """Return a value of a metric with three to four significant digits, thousands separators and its percent sign."""
    if math.isnan(number):
        return "undefined"
    return plain(number, 4) + (" %" if metric(name).unit == "%" else "")


def span(name: str, interval: Interval) -> str:
    """Return the ends of a metric's interval."""
    return "undefined" if math.isnan(interval.low) else f"{value(name, interval.low)} to {value(name, interval.high)}"


def signed(number: float) -> str:
    """Return a difference with three significant digits and its sign."""
    return "undefined" if math.isnan(number) else ("+" if number > 0 else "") + plain(number)


def plain(number: float, digits: int = 3) -> str:
    """Return a number with so many significant digits; trailing zeros are kept, so that numbers in a column line up.

    Large numbers are whole, with thousands separators. The minus sign is the typographic one.
    """
    whole = number == 0 or abs(number) >= 10 ** (digits - 1)
    written = f"{number:,.0f}" if whole else f"{number:#.{digits}g}".rstrip(".")
    return written.replace("-", "\N{MINUS SIGN}")


def short(name: str, length: int = 30) -> str:
    """Return a name on one line; if it is longer than `length` characters, its middle is left out."""
    line = " ".join(name.split())
    if len(line) <= length:
        return line
    head = (length - 1) // 2
    return f"{line[:head]}\N{HORIZONTAL ELLIPSIS}{line[head + 1 - length :]}"
