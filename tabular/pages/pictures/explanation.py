"""Pictures that both tasks share: importances, SHAP values and slices."""

from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tabular.config.stages import HIGHER_IS_BETTER
from tabular.pages import words
from tabular.pages.pictures import style
from tabular.reports.training import Evaluation, Slice

Floats = NDArray[np.float64]

_MOST_IMPORTANCES = 15
_MOST_PARTS = 12
_SWARM_BINS = 120
_SWARM_HALF_HEIGHT = 0.4


def importances(evaluation: Evaluation) -> dict[str, Figure]:
    """`importances`: how much worse the metric gets when a raw column is shuffled, the most important first."""
    shown = evaluation.importances[:_MOST_IMPORTANCES]
    if not shown:
        return {}
    name = words.metric(evaluation.metric).label
    change = "fall" if evaluation.metric in HIGHER_IS_BETTER else "rise"
    count = len(evaluation.importances)
    rest = f" (these are the first {len(shown)} of {count:,} columns)" if count > len(shown) else ""
    figure = style.bar_picture(
        f"'{words.short(shown[0].column)}' matters most to the model{rest}",
        f"{change} of {name}{words.unit_of_change(evaluation.metric)} when the column is shuffled",
        [it.column for it in shown],
        [it.permutation for it in shown],
        [words.plain(it.permutation) for it in shown],
        deviations=[it.std for it in shown],
    )
    return {"importances": figure}


def slices(evaluation: Evaluation) -> dict[str, Figure]:
    """`slices`: the metric of each part of the held-out rows, with that of all rows as a line."""
    metric = evaluation.metric
    groups: dict[str, list[Slice]] = {}
    for part in evaluation.slices:
        if metric in part.metrics:
            groups.setdefault(part.column, []).append(part)
    if not groups:
        return {}
    shown = {}
    for column, parts in groups.items():  # of many parts those with the most rows, in their original order
        kept = sorted(range(len(parts)), key=lambda place: -parts[place].rows)[:_MOST_PARTS]
        shown[column] = [parts[place] for place in sorted(kept)]
    bars = sum(map(len, shown.values()))
    figure = style.figure(1.3 + 0.34 * bars + 0.45 * len(shown))
    rows = figure.subplots(
        len(shown), 1, sharex=True, squeeze=False, height_ratios=[len(it) + 0.8 for it in shown.values()]
    )
    for axes, (column, parts) in zip(rows[:, 0], shown.items(), strict=True):
        last = axes is rows[-1, 0]
        style.tidy(axes, f"{words.with_unit(metric)}; {words.better(metric)}" if last else "", "", grid="x")
        values = [part.metrics[metric] for part in parts]
        notes = [f"{words.value(metric, part.metrics[metric])}  ({part.rows:,} rows)" for part in parts]
        worst = int(np.argmin(values) if metric in HIGHER_IS_BETTER else np.argmax(values))
        style.bars(axes, [part.part for part in parts], values, notes, highlighted=worst)
        left_out = len(groups[column]) - len(parts)
        more = f" (the {len(parts)} largest of {len(groups[column])} parts)" if left_out else ""
        style.subtitle(axes, words.short(column) + more)
        if metric in evaluation.metrics:
            axes.axvline(
                evaluation.metrics[metric].value, color=style.WARNING, linestyle="--", label="all held-out rows"
            )
    if rows[0, 0].get_legend_handles_labels()[1]:
        style.legend(figure, rows[0, 0])
    style.headline(
        figure, f"{words.metric(metric).label} by part of the held-out rows; the worst of each column in blue"
    )
    return {"slices": figure}


def shap_summary(evaluation: Evaluation) -> dict[str, Figure]:
    """`shap_summary`: a dot for each explained row and column; dots that would overlap are stacked."""
    summary = evaluation.shap
    if summary is None or not summary.values or not summary.columns:
        return {}
    values, inputs = np.array(summary.values), np.array(summary.inputs)
    count = len(summary.columns)
    figure = style.figure(1.7 + 0.34 * max(count, 3))
    axes = figure.add_subplot()
    binary = len(evaluation.classes) == 2
    towards = f"towards '{words.short(evaluation.classes[1], 20)}'" if binary else "towards the predicted class"
    pushes = "the prediction up or down" if evaluation.task == "regression" else towards
    style.tidy(axes, f"SHAP value in the unit of the raw model output; it pushes {pushes}", "", grid="x")
    width = style.limits(values.ravel())
    dots: dict[str, Any] = {"s": 9, "linewidths": 0}
    for place in range(count):
        heights = place + _swarm(values[:, place], width)
        colours = _share_of_range(inputs[:, place])
        unknown = np.isnan(colours)
        axes.scatter(values[unknown, place], heights[unknown], color=style.QUIET, **dots)
        axes.scatter(
            values[~unknown, place],
            heights[~unknown],
            c=colours[~unknown],
            cmap=style.LOW_TO_HIGH,
            norm=Normalize(0, 1),
            **dots,
        )
    axes.axvline(0, color=style.INK, linewidth=0.9, zorder=0.5)
    labels = [style.text(words.short(column, 34)) for column in summary.columns]
    axes.set_yticks(range(count), labels, color=style.INK, fontsize=style.NORMAL)
    axes.set_ylim(count - 0.4, -0.6)
    axes.spines["left"].set_visible(False)
    bar = figure.colorbar(ScalarMappable(Normalize(0, 1), style.LOW_TO_HIGH), ax=axes, pad=0.01, shrink=0.6, aspect=30)
    bar.set_ticks([0, 1], labels=["low", "high"], fontsize=style.SMALL, color=style.MUTED)
    style.tidy_colours(bar, "value of the column")
    bar.ax.yaxis.labelpad = -18
    rows = f"{len(values):,} held-out rows"
    style.headline(figure, f"How the {count} most important columns push each prediction ({rows})")
    return {"shap_summary": figure}


def _swarm(values: Floats, width: tuple[float, float]) -> Floats:
    """Offsets from the middle line, -0.4 to 0.4: rows of about the same value are stacked to both sides.

    Within a bin the first row lies in the middle, the next above, then below, so the offsets need no randomness.
    """
    bins = np.floor((values - width[0]) / (width[1] - width[0]) * _SWARM_BINS).astype(int)
    order = np.argsort(bins, kind="stable")
    starts = np.searchsorted(bins[order], bins[order])
    rank = np.empty(len(values), dtype=int)
    rank[order] = np.arange(len(values)) - starts
    sides = (rank + 1) // 2 * np.where(rank % 2, 1, -1)
    step = _SWARM_HALF_HEIGHT / max(8, int(np.abs(sides).max()))
    offsets: Floats = sides * step
    return offsets


def _share_of_range(inputs: Floats) -> Floats:
    """0 at the column's 5th percentile, 1 at the 95th; 0.5 everywhere for a constant, nan for a missing value."""
    known = inputs[np.isfinite(inputs)]
    if not len(known):
        return np.full(len(inputs), np.nan)
    low, high = np.percentile(known, [5, 95])
    if low == high:
        low, high = known.min(), known.max()
    if low == high:
        return np.where(np.isfinite(inputs), 0.5, np.nan)
    shares: Floats = np.clip((inputs - low) / (high - low), 0, 1)
    return np.where(np.isfinite(inputs), shares, np.nan)
