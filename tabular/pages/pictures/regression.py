"""Pictures of the held-out rows of a regression."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tabular.pages import words
from tabular.pages.pictures import style
from tabular.reports.training import Evaluation

Floats = NDArray[np.float64]

_UNIT = "in the unit of the target"


def draw(evaluation: Evaluation) -> dict[str, Figure]:
    """`predicted_against_actual` and `residuals`."""
    actual = np.asarray(evaluation.actual, dtype=np.float64)
    predicted = np.asarray(evaluation.predicted, dtype=np.float64)
    return {
        "predicted_against_actual": _against(evaluation, actual, predicted),
        "residuals": _residuals(actual, predicted),
    }


def _against(evaluation: Evaluation, actual: Floats, predicted: Floats) -> Figure:
    figure = style.figure(6.4, width=7.2)
    axes = figure.add_subplot()
    style.tidy(axes, f"actual value ({_UNIT})", f"predicted value ({_UNIT})")
    style.cloud(figure, axes, actual, predicted)
    ends = style.limits(np.concatenate([actual, predicted]))
    axes.plot(ends, ends, color=style.WARNING, linestyle="--", linewidth=1.3, label="a perfect prediction")
    axes.set(xlim=ends, ylim=ends, aspect="equal")
    style.legend(figure, axes)
    found = [
        f"{words.metric(name).label} {words.value(name, evaluation.metrics[name].value)}"
        for name in ("r2", "wmape")
        if name in evaluation.metrics
    ]
    scores = f": {', '.join(found)}" if found else ""
    style.headline(figure, f"Predicted against actual, {evaluation.rows:,} held-out rows{scores}")
    return figure


def _residuals(actual: Floats, predicted: Floats) -> Figure:
    residuals = actual - predicted
    figure = style.figure(4.6)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[3, 1])
    style.tidy(left, f"predicted value ({_UNIT})", "residual: actual \N{MINUS SIGN} predicted")
    style.cloud(figure, left, predicted, residuals, beside=right)
    low, high = style.limits(residuals)
    style.tidy(right, "rows", "")
    bins = int(np.clip(np.sqrt(len(residuals)), 10, 40))
    right.hist(residuals, bins=bins, range=(low, high), orientation="horizontal", color=style.ACCENT)
    right.xaxis.get_major_locator().set_params(nbins=3, integer=True)
    right.tick_params(labelleft=False)
    for axes in (left, right):
        axes.axhline(0, color=style.WARNING, linestyle="--", linewidth=1.3)
    left.set_ylim(low, high)
    half = words.plain(float(np.median(np.abs(residuals))))
    style.headline(figure, f"Half of the predictions are off by less than {half}")
    return figure
