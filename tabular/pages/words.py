"""Metrics and numbers as people read them, written in the same way in every picture and page."""

import math
from typing import Literal, NamedTuple

from tabular.config.stages import HIGHER_IS_BETTER
from tabular.reports.training import Interval


class MetricWords(NamedTuple):
    """The label, the unit and the meaning of a metric."""

    label: str
    unit: Literal["", "%", "target"]
    """`target` stands for the unit of the target; empty for a number without a unit."""
    meaning: str


METRICS = {
    "r2": MetricWords(
        "R²", "", "Share of the target's variance that is explained; 1 is perfect, 0 is as good as the mean."
    ),
    "rmse": MetricWords("RMSE", "target", "Typical error in the unit of the target; large errors weigh more."),
    "mae": MetricWords("MAE", "target", "Mean absolute error in the unit of the target."),
    "mape": MetricWords("MAPE", "%", "Mean absolute error as a share of the actual value."),
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
    "balanced_accuracy": MetricWords(
        "balanced accuracy", "", "Share of right labels in each class, averaged over the classes."
    ),
    "precision_macro": MetricWords(
        "precision (macro)", "", "Share of the rows given a label that have it, averaged over the classes."
    ),
    "recall_macro": MetricWords(
        "recall (macro)", "", "Share of the rows with a label that are given it, averaged over the classes."
    ),
    "f1_macro": MetricWords("F1 (macro)", "", "Harmonic mean of precision and recall, averaged over the classes."),
    "precision_weighted": MetricWords(
        "precision (weighted)", "", "Share of the rows given a label that have it; classes are weighted by their rows."
    ),
    "recall_weighted": MetricWords(
        "recall (weighted)",
        "",
        "Share of the rows with a label that are given it; classes are weighted by their rows.",
    ),
    "f1_weighted": MetricWords(
        "F1 (weighted)", "", "Harmonic mean of precision and recall; classes are weighted by their rows."
    ),
    "roc_auc": MetricWords(
        "ROC AUC", "", "How often a row of a class ranks above a row of another class; 0.5 is chance."
    ),
    "log_loss": MetricWords(
        "log loss", "", "Mean negative logarithm of the probability of the actual label; 0 is perfect."
    ),
}


def metric(name: str) -> MetricWords:
    """The label, unit and meaning of a metric; an unknown metric is labelled by its name."""
    return METRICS.get(name, MetricWords(name, "", ""))


def with_unit(name: str) -> str:
    """The label of a metric's axis, such as `wMAPE (%)`."""
    label, unit, _ = metric(name)
    return {"": label, "%": f"{label} (%)", "target": f"{label} (in the unit of the target)"}[unit]


def unit_of_change(name: str) -> str:
    """The unit of a difference of two values of the metric, in brackets; empty where there is none."""
    return {"": "", "%": " (percentage points)", "target": " (in the unit of the target)"}[metric(name).unit]


def better(name: str) -> str:
    """Whether larger or smaller values of a metric are better, as text."""
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
    """A number with so many significant digits; trailing zeros are kept, so that numbers in a column line up.

    Large numbers are whole, with thousands separators. The minus sign is the typographic one.
    """
    whole = number == 0 or abs(number) >= 10 ** (digits - 1)
    written = f"{number:,.0f}" if whole else f"{number:#.{digits}g}".rstrip(".")
    return written.replace("-", "\N{MINUS SIGN}")


def short(name: str, length: int = 30) -> str:
    """A name on one line; if it is longer than `length` characters, its middle is left out."""
    line = " ".join(name.split())
    if len(line) <= length:
        return line
    head = (length - 1) // 2
    return f"{line[:head]}\N{HORIZONTAL ELLIPSIS}{line[head + 1 - length :]}"
