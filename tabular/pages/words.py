"""Metrics and numbers in words for people, the same in every picture and page."""

import math
from typing import Literal, NamedTuple

from tabular.config.stages import HIGHER_IS_BETTER
from tabular.reports.training import Interval


class MetricWords(NamedTuple):
    """How a metric is called, counted and explained."""

    label: str
    unit: Literal["", "%", "target"]
    """`target` is the unit of the target; empty for a number without a unit."""
    meaning: str


METRICS = {
    "r2": MetricWords("R²", "", "Share of the target's variance that is explained; 1 is perfect, 0 is a constant."),
    "rmse": MetricWords("RMSE", "target", "Typical error, with large errors weighing more; in the unit of the target."),
    "mae": MetricWords("MAE", "target", "Mean size of the error, in the unit of the target."),
    "mape": MetricWords("MAPE", "%", "Mean size of the error as a share of the actual value."),
    "smape": MetricWords(
        "SMAPE", "%", "Mean error as a share of the mean of actual and predicted value; at most 200 %."
    ),
    "wmape": MetricWords("wMAPE", "%", "Sum of all errors as a share of the sum of all actual values."),
    "median_ape": MetricWords(
        "median APE", "%", "Half of the rows have a smaller error, as a share of the actual value."
    ),
    "within_10pct": MetricWords(
        "within 10 %", "%", "Share of rows that are predicted within 10 % of the actual value."
    ),
    "accuracy": MetricWords("accuracy", "", "Share of rows that get the right label."),
    "balanced_accuracy": MetricWords("balanced accuracy", "", "Mean share of right labels, each class counting alike."),
    "precision_macro": MetricWords(
        "precision (macro)", "", "Of the rows given a label, the share that has it; by class."
    ),
    "recall_macro": MetricWords(
        "recall (macro)", "", "Of the rows that have a label, the share that is found; by class."
    ),
    "f1_macro": MetricWords("F1 (macro)", "", "Balance of precision and recall, each class counting alike."),
    "precision_weighted": MetricWords(
        "precision (weighted)", "", "Of the rows given a label, the share that has it; classes weighted by their rows."
    ),
    "recall_weighted": MetricWords(
        "recall (weighted)",
        "",
        "Of the rows that have a label, the share that is found; classes weighted by their rows.",
    ),
    "f1_weighted": MetricWords("F1 (weighted)", "", "Balance of precision and recall, classes weighted by their rows."),
    "roc_auc": MetricWords("ROC AUC", "", "How often a row of a class ranks above one of another; 0.5 is chance."),
    "log_loss": MetricWords("log loss", "", "Surprise at the actual labels given the probabilities; 0 is perfect."),
}


def metric(name: str) -> MetricWords:
    """The words of a metric; a name that is not known stands for itself."""
    return METRICS.get(name, MetricWords(name, "", ""))


def with_unit(name: str) -> str:
    """A metric as the label of an axis, such as `wMAPE (%)`."""
    label, unit, _ = metric(name)
    return {"": label, "%": f"{label} (%)", "target": f"{label} (in the unit of the target)"}[unit]


def unit_of_change(name: str) -> str:
    """The unit of a difference of two values of the metric, in brackets; empty where there is none."""
    return {"": "", "%": " (percentage points)", "target": " (in the unit of the target)"}[metric(name).unit]


def better(name: str) -> str:
    """Which way a metric is better."""
    return "larger is better" if name in HIGHER_IS_BETTER else "smaller is better"


def value(name: str, number: float) -> str:
    """A value of a metric with three to four significant digits, thousands separators and its percent sign."""
    if math.isnan(number):
        return "undefined"
    return plain(number, 4) + (" %" if metric(name).unit == "%" else "")


def span(name: str, interval: Interval) -> str:
    """The ends of a metric's interval."""
    return "undefined" if math.isnan(interval.low) else f"{value(name, interval.low)} to {value(name, interval.high)}"


def signed(number: float) -> str:
    """A difference with three significant digits and its sign."""
    return "undefined" if math.isnan(number) else ("+" if number > 0 else "") + plain(number)


def plain(number: float, digits: int = 3) -> str:
    """A number with so many significant digits, zeros at the end included, so that numbers in a column compare.

    Large ones are whole, with thousands separators. The minus is a real one.
    """
    whole = number == 0 or abs(number) >= 10 ** (digits - 1)
    written = f"{number:,.0f}" if whole else f"{number:#.{digits}g}".rstrip(".")
    return written.replace("-", "\N{MINUS SIGN}")


def short(name: str, length: int = 30) -> str:
    """A name on one line, its middle left out where it is longer than `length`."""
    line = " ".join(name.split())
    if len(line) <= length:
        return line
    head = (length - 1) // 2
    return f"{line[:head]}\N{HORIZONTAL ELLIPSIS}{line[head + 1 - length :]}"
