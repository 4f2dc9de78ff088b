"""Pictures of the held-out rows of a classification."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray
from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_curve

from tabular.pages import words
from tabular.pages.pictures import style
from tabular.reports.training import Evaluation

Floats = NDArray[np.float64]
Labels = NDArray[np.object_]
Curves = dict[str, tuple[NDArray[np.bool_], Floats]]
"""By label, which rows have it and the probability of the label."""

_MOST_CLASSES = 30
_MOST_NUMBERED = 15
_MOST_CURVES = 12
_BINS = 10
_DARK_CELL = 0.45


def draw(evaluation: Evaluation) -> dict[str, Figure]:
    """`confusion_matrix`, and from the probabilities `roc`, `precision_recall` and `calibration`."""
    actual, predicted = np.array(evaluation.actual, dtype=object), np.array(evaluation.predicted, dtype=object)
    figures = {"confusion_matrix": _confusion(actual, predicted, evaluation.classes)}
    if not evaluation.probabilities:
        return figures
    probabilities = np.array(evaluation.probabilities, dtype=np.float64)
    curves = _one_against_rest(actual, probabilities, evaluation.classes)
    if curves and len(evaluation.classes) <= _MOST_CURVES:
        figures["roc"] = _roc(curves)
        figures["precision_recall"] = _precision_recall(curves)
    figures["calibration"] = _calibration(actual, probabilities, evaluation.classes)
    return figures


def _confusion(actual: Labels, predicted: Labels, classes: list[str]) -> Figure:
    """Rows are actual labels and columns predicted ones; a colour is the share of its row, a number counts rows."""
    labels = [*classes, *sorted({*actual, *predicted} - set(classes))]
    if len(labels) > _MOST_CLASSES:
        frequent = {label for label, _ in Counter(sorted(actual)).most_common(_MOST_CLASSES - 1)}
        rest = f"the other {len(labels) - len(frequent)}"
        labels = [label for label in labels if label in frequent] + [rest]
        actual, predicted = (
            np.array([label if label in frequent else rest for label in part], dtype=object)
            for part in (actual, predicted)
        )
    codes = {label: place for place, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels)), dtype=int)
    np.add.at(counts, ([codes[label] for label in actual], [codes[label] for label in predicted]), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = min(10.0, 3.2 + 0.55 * len(labels))
    figure = style.figure(side, width=max(6.2, side + 1.2))
    axes = figure.add_subplot()
    style.tidy(axes, "predicted label", "actual label")
    axes.grid(False)
    cells = axes.imshow(shares, cmap=style.SEQUENTIAL, vmin=0, vmax=1)
    names = [style.text(words.short(label, 22)) for label in labels]
    long_names = max(map(len, names)) > 4 and len(names) > 2
    turned: dict[str, Any] = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if long_names else {}
    axes.set_xticks(range(len(names)), names, color=style.INK, **turned)
    axes.set_yticks(range(len(names)), names, color=style.INK)
    if len(labels) <= _MOST_NUMBERED:
        for (row, column), count in np.ndenumerate(counts):
            colour = "white" if shares[row, column] > _DARK_CELL else style.INK if count else style.MUTED
            axes.text(column, row, f"{count:,}", ha="center", va="center", fontsize=style.SMALL, color=colour)
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(cells, ax=axes, shrink=0.8, aspect=30, format=PercentFormatter(1, decimals=0, symbol=" %"))
    style.tidy_colours(bar, "share of the rows with that actual label")
    right = int((actual == predicted).sum())
    style.headline(figure, f"{right:,} of {len(actual):,} held-out rows get the right label")
    return figure


def _one_against_rest(actual: Labels, probabilities: Floats, classes: list[str]) -> Curves:
    """The labels that some rows have and others do not; of two classes only the second one is taken."""
    wanted = [1] if len(classes) == 2 else range(len(classes))
    pairs = {classes[place]: (actual == classes[place], probabilities[:, place]) for place in wanted}
    return {label: pair for label, pair in pairs.items() if pair[0].any() and not pair[0].all()}


def _roc(curves: Curves) -> Figure:
    figure, axes = _square(
        "false alarms: share of the other rows that get the label", "hits: share of the label's rows that get it"
    )
    points = {label: roc_curve(*pair)[:2] for label, pair in curves.items()}
    areas = {label: float(auc(*ends)) for label, ends in points.items()}
    _lines(axes, points, areas)
    axes.plot([0, 1], [0, 1], color=style.QUIET, linestyle=":", label="chance (0.500)")
    return _titled(figure, axes, f"ROC of {_whose(curves)}area {np.mean([*areas.values()]):.3f}")


def _precision_recall(curves: Curves) -> Figure:
    figure, axes = _square(
        "recall: share of the label's rows that get it", "precision: share of rows given the label that have it"
    )
    points = {label: precision_recall_curve(*pair)[1::-1] for label, pair in curves.items()}
    areas = {label: float(average_precision_score(*pair)) for label, pair in curves.items()}
    _lines(axes, points, areas, drawstyle="steps-post")
    if len(curves) == 1:
        share = float(next(iter(curves.values()))[0].mean())
        axes.axhline(share, color=style.QUIET, linestyle=":", label=f"chance ({share:.3f})")
    mean = np.mean([*areas.values()])
    return _titled(figure, axes, f"Precision and recall of {_whose(curves)}average precision {mean:.3f}")


def _lines(axes: Axes, points: Mapping[str, Any], areas: Mapping[str, float], **more: Any) -> None:
    """A curve for each label: all colours with a solid line, then all with dashes."""
    looks: Iterator[dict[str, Any]] = cycle(
        {"color": colour, "linestyle": line} for line in ("-", "--") for colour in style.LINES
    )
    for (label, (across, up)), look in zip(points.items(), looks, strict=False):
        name = style.text(f"{words.short(label, 24)} ({areas[label]:.3f})")
        axes.plot(across, up, label=name, linewidth=1.6, **look, **more)


def _titled(figure: Figure, axes: Axes, title: str) -> Figure:
    style.legend(figure, axes, columns=2)
    style.headline(figure, title)
    return figure


def _calibration(actual: Labels, probabilities: Floats, classes: list[str]) -> Figure:
    """Predicted probability against the share of rows for which it came true, in ten bins.

    It is drawn for the second of two classes, or for the most probable one of several, which is the reliability diagram
    of Guo et al. (2017), "On Calibration of Modern Neural Networks".
    """
    if len(classes) == 2:
        expected, observed = probabilities[:, 1], actual == classes[1]
        what = f"label '{words.short(classes[1], 24)}'"
    else:
        top = probabilities.argmax(axis=1)
        expected, observed = probabilities.max(axis=1), actual == np.array(classes, dtype=object)[top]
        what = "most probable label"
    bins = np.minimum((expected * _BINS).astype(int), _BINS - 1)
    rows = np.bincount(bins, minlength=_BINS)
    used = rows > 0
    mean_expected = np.bincount(bins, expected, minlength=_BINS)[used] / rows[used]
    mean_observed = np.bincount(bins, observed, minlength=_BINS)[used] / rows[used]
    gap = float(np.average(np.abs(mean_expected - mean_observed), weights=rows[used]))
    figure = style.figure(6.2, width=6.4)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    style.tidy(upper, "", "share of the rows that have the label")
    upper.plot([0, 1], [0, 1], color=style.WARNING, linestyle="--", label="perfect calibration")
    sizes = 15 + 150 * rows[used] / rows.max()
    upper.plot(mean_expected, mean_observed, color=style.QUIET, zorder=1)
    dots: dict[str, Any] = {"s": sizes, "color": style.ACCENT, "clip_on": False, "zorder": 3}
    upper.scatter(mean_expected, mean_observed, label="a bin; larger with more rows", **dots)
    upper.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    style.tidy(lower, f"probability of the {what}", "rows", grid="y")
    lower.bar((np.arange(_BINS) + 0.5) / _BINS, rows, width=0.9 / _BINS, color=style.QUIET)
    lower.yaxis.get_major_locator().set_params(nbins=3, integer=True)
    return _titled(figure, upper, f"Probabilities are off by {100 * gap:.1f} percentage points on average")


def _square(x: str, y: str) -> tuple[Figure, Axes]:
    figure = style.figure(6.6, width=6.4)
    axes = figure.add_subplot()
    style.tidy(axes, x, y)
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    return figure, axes


def _whose(curves: Iterable[str]) -> str:
    labels = list(curves)
    return f"'{words.short(labels[0], 24)}': " if len(labels) == 1 else "each label against the rest: mean "
