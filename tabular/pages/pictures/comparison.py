"""The picture of two versions side by side."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tabular.learning.comparison import Bins, Comparison, PairedTest, Scores
from tabular.pages import words
from tabular.pages.pictures import style

_COLUMNS = 4
_MOST_CLASSES = 12
_SHOWN_ERRORS = 0.99
_LOOKS = ((style.MUTED, "s"), (style.ACCENT, "o"))
"""Colour and mark of A and of B: they differ in shape too."""


def draw(report: Comparison) -> dict[str, Figure]:
    """`comparison`: metrics of both with intervals; the bootstrap difference; errors by row, or hits by class."""
    lines = math.ceil(len(report.scores) / _COLUMNS)
    test = next((test for test in report.tests if test.metric == report.metric), None)
    answers_differ = report.errors_a != report.errors_b or any(share.a != share.b for share in report.classes)
    below = int(test is not None and report.drawn is not None) + int(answers_differ)
    heights = [1.3 * lines + 0.7, *([4.6] if below else [])]
    figure = style.figure(sum(heights) + 0.9, width=11.0)
    parts = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    parts[0].suptitle(
        "Metrics of each version on its own held-out rows, with intervals",
        x=0.01,
        ha="left",
        fontsize=style.NORMAL,
        color=style.MUTED,
    )
    for place, score in enumerate(report.scores):
        axes = parts[0].add_subplot(lines, _COLUMNS, place + 1)
        _scores(axes, score, report, is_first=place % _COLUMNS == 0)
    if test is not None and report.drawn is not None:
        axes = parts[1].add_subplot(1, below, 1)
        _difference(axes, report, test, report.drawn)
        style.legend(figure, axes)
    if answers_differ:
        axes = parts[1].add_subplot(1, below, below)
        (_errors if report.errors_a else _classes)(figure, axes, report)
    rows = f" ({report.compared_on})" if report.compared_on else ""
    style.headline(figure, report.words[:1].upper() + report.words[1:] + rows)
    return {"comparison": figure}


def _scores(axes: Axes, score: Scores, report: Comparison, is_first: bool) -> None:
    """One metric of both, A above B, on a scale of its own."""
    style.tidy(axes, "", "", grid="x")
    axes.xaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 2.5, 5, 10]))
    is_main = score.metric == report.metric
    arrow = "\N{RIGHTWARDS ARROW}" if words.better(score.metric).startswith("larger") else "\N{LEFTWARDS ARROW}"
    label, kind, _ = words.metric(score.metric)
    unit = " (%)" if kind == "%" and "%" not in label else ""
    axes.set_title(
        style.text(f"{label}{unit}, better {arrow}"),
        loc="left",
        fontsize=style.NORMAL,
        color=style.ACCENT if is_main else style.INK,
        fontweight="bold" if is_main else "normal",
    )
    for place, (interval, (colour, mark)) in enumerate(zip((score.a, score.b), _LOOKS, strict=True)):
        if interval is None or not all(map(math.isfinite, (interval.value, interval.low, interval.high))):
            axes.text(0.5, place, "undefined", transform=axes.get_yaxis_transform(), ha="center", va="center")
            continue
        ends = [[max(interval.value - interval.low, 0.0)], [max(interval.high - interval.value, 0.0)]]
        axes.errorbar(
            [interval.value], [place], xerr=ends, fmt=mark, color=colour, markersize=6, elinewidth=2, capsize=3
        )
        axes.annotate(
            words.plain(interval.value, 4),
            (interval.value, place),
            xytext=(0, 6),
            textcoords="offset points",
            ha="center",
            fontsize=style.SMALL,
            color=style.INK,
        )
    axes.set_yticks(
        [0, 1], [style.text(words.short(name, 20)) for name in (report.a, report.b)] if is_first else ["", ""]
    )
    axes.tick_params(axis="y", labelcolor=style.INK)
    axes.set_ylim(1.6, -0.9)
    axes.margins(x=0.25)
    axes.spines["left"].set_visible(False)


def _difference(axes: Axes, report: Comparison, test: PairedTest, drawn: Bins) -> None:
    """How often each difference occurs among the resamples; those inside the interval are in colour."""
    difference = test.difference
    label = f"gain in {words.metric(test.metric).label}{words.unit_of_change(test.metric)}"
    style.tidy(axes, f"{label}: right of 0 {report.b} is better", "resamples", grid="y")
    edges, counts = np.asarray(drawn.edges), np.asarray(drawn.counts)
    middles = (edges[1:] + edges[:-1]) / 2
    inside = (middles >= difference.low) & (middles <= difference.high)
    colours = [style.LINES[5] if one else style.QUIET for one in inside]
    axes.bar(middles, counts, width=np.diff(edges), color=colours, edgecolor="white", linewidth=0.4)
    top = float(counts.max())
    axes.errorbar(
        [difference.value],
        [1.1 * top],
        xerr=[[difference.value - difference.low], [difference.high - difference.value]],
        fmt="o",
        color=style.ACCENT,
        markersize=8,
        elinewidth=3,
        capsize=5,
        label=f"difference with its {100 * report.confidence:g} % interval",
    )
    for end, side in ((difference.low, "right"), (difference.value, "center"), (difference.high, "left")):
        axes.annotate(
            words.plain(end),
            (end, 1.1 * top),
            xytext=({"right": -7, "center": 0, "left": 7}[side], 9 if side == "center" else 0),
            textcoords="offset points",
            ha=side,
            va="bottom" if side == "center" else "center",
            color=style.INK,
        )
    axes.axvline(0, color=style.INK, linewidth=1.2, label="no difference")
    if report.tolerance:
        axes.axvline(-report.tolerance, color=style.WARNING, linestyle="--", label="worst that still counts as as good")
    axes.set_ylim(0, 1.25 * top)
    low, high = min(0.0, -report.tolerance, float(edges[0])), max(0.0, float(edges[-1]))
    margin = 0.12 * (high - low)
    axes.set_xlim(low - margin, high + margin)
    _title(axes, f"The difference in {report.resamples:,} paired resamples")


def _errors(figure: Figure, axes: Axes, report: Comparison) -> None:
    """The absolute errors of both by row, without the largest, which would squeeze all others into a corner."""
    a, b = np.asarray(report.errors_a), np.asarray(report.errors_b)
    edge = float(np.quantile(np.concatenate([a, b]), _SHOWN_ERRORS)) or 1.0
    shown = (a <= edge) & (b <= edge)
    style.tidy(axes, f"absolute error of {report.a}", f"absolute error of {report.b}")
    style.cloud(figure, axes, a[shown], b[shown])
    axes.plot([0, edge], [0, edge], color=style.WARNING, linestyle="--", linewidth=1.3)
    axes.set(xlim=(0, edge), ylim=(0, edge), aspect="equal")
    closer = 100 * float((b < a).mean())
    away = f"; {int((~shown).sum()):,} rows are farther out" if not shown.all() else ""
    _title(axes, f"{report.b} is closer on {words.plain(closer)} % of the rows\n(below the line{away})")


def _classes(figure: Figure, axes: Axes, report: Comparison) -> None:
    """The share right by class, the most frequent classes first."""
    shares = sorted(report.classes, key=lambda share: (-share.rows, share.label))[:_MOST_CLASSES]
    style.tidy(axes, "rows of the class that get the right label (%)", "", grid="x")
    for place, share in enumerate(shares):
        axes.plot([100 * share.a, 100 * share.b], [place, place], color=style.QUIET, linewidth=2.5, zorder=1)
    columns = ([100 * share.a for share in shares], [100 * share.b for share in shares])
    for values, name, (colour, mark) in zip(columns, (report.a, report.b), _LOOKS, strict=True):
        axes.scatter(values, range(len(shares)), s=60, color=colour, marker=mark, zorder=2, label=style.text(name))
    axes.set_yticks(
        range(len(shares)), [style.text(f"{words.short(it.label, 20)} ({it.rows:,})") for it in shares], color=style.INK
    )
    axes.set_ylim(len(shares) - 0.4, -0.6)
    axes.margins(x=0.08)
    axes.legend(loc="best", fontsize=style.SMALL, labelcolor=style.INK, frameon=True, framealpha=0.9, edgecolor="none")
    of = f" ({len(shares)} most frequent of {len(report.classes)})" if len(shares) < len(report.classes) else ""
    _title(axes, f"Share right by class{of}; in brackets its rows")


def _title(axes: Axes, content: str) -> None:
    axes.set_title(style.text(content), loc="left", fontsize=style.NORMAL, color=style.INK)
