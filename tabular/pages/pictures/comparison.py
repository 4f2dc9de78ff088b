"""The picture of two versions side by side."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tabular.learning.comparison import Bins, Comparison, PairedTest
from tabular.pages import words
from tabular.pages.pictures import panels, style

_MOST_CLASSES = 12
_SHOWN_ERRORS = 0.99


def draw(report: Comparison) -> dict[str, Figure]:
    """`comparison`: the metrics of both versions, the bootstrap difference, and errors by row or hits by class."""
    test = next((test for test in report.tests if test.metric == report.metric), None)
    answers_differ = report.errors_a != report.errors_b or any(share.a != share.b for share in report.classes)
    below = int(test is not None and report.drawn is not None) + int(answers_differ)
    heights = [panels.height(len(report.scores)) + 0.7, *([4.6] if below else [])]
    figure = style.figure(sum(heights) + 0.9, width=11.0)
    parts = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    said = "Metrics of each version on its own held-out rows, with intervals"
    parts[0].suptitle(said, x=0.01, ha="left", fontsize=style.NORMAL, color=style.MUTED)
    pairs = {score.metric: (score.a, score.b) for score in report.scores}
    panels.metric_panels(parts[0], pairs, (report.a, report.b), report.metric)
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


def _difference(axes: Axes, report: Comparison, test: PairedTest, drawn: Bins) -> None:
    """How often each difference occurs among the resamples; those inside the interval are in colour."""
    difference = test.difference
    label = f"gain in {words.metric(test.metric).label}{words.unit_of_change(test.metric)}"
    style.tidy(axes, f"{label}: to the right of 0 {report.b} is better", "resamples", grid="y")
    edges, counts = np.asarray(drawn.edges), np.asarray(drawn.counts)
    middles = (edges[1:] + edges[:-1]) / 2
    inside = (middles >= difference.low) & (middles <= difference.high)
    colours = [style.LINES[5] if one else style.QUIET for one in inside]
    axes.bar(middles, counts, width=np.diff(edges), color=colours, edgecolor="white", linewidth=0.4)
    top = float(counts.max())
    style.whisker(
        axes,
        difference,
        1.1 * top,
        fmt="o",
        color=style.ACCENT,
        markersize=8,
        elinewidth=3,
        capsize=5,
        label=f"difference with its {100 * report.confidence:g} % interval",
    )
    for end, offset, side in (
        (difference.low, (-7, -4), "right"),
        (difference.value, (0, 9), "center"),
        (difference.high, (7, -4), "left"),
    ):
        style.note(axes, words.plain(end), (end, 1.1 * top), offset, ha=side, fontsize=style.NORMAL)
    style.gain_lines(axes, report.tolerance)
    axes.set_ylim(0, 1.25 * top)
    low, high = min(0.0, -report.tolerance, float(edges[0])), max(0.0, float(edges[-1]))
    margin = 0.12 * (high - low)
    axes.set_xlim(low - margin, high + margin)
    style.subtitle(axes, f"The difference in {report.resamples:,} paired resamples")


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
    style.subtitle(axes, f"{report.b} is closer on {words.plain(closer)} % of the rows\n(below the line{away})")


def _classes(figure: Figure, axes: Axes, report: Comparison) -> None:
    """The share of rows with the right label by class, the most frequent classes first."""
    shares = sorted(report.classes, key=lambda share: (-share.rows, share.label))[:_MOST_CLASSES]
    style.tidy(axes, "rows of the class that get the right label (%)", "", grid="x")
    for place, share in enumerate(shares):
        axes.plot([100 * share.a, 100 * share.b], [place, place], color=style.QUIET, linewidth=2.5, zorder=1)
    columns = ([100 * share.a for share in shares], [100 * share.b for share in shares])
    for values, name, (colour, mark) in zip(columns, (report.a, report.b), panels.LOOKS, strict=True):
        axes.scatter(values, range(len(shares)), s=60, color=colour, marker=mark, zorder=2, label=style.text(name))
    axes.set_yticks(
        range(len(shares)), [style.text(f"{words.short(it.label, 20)} ({it.rows:,})") for it in shares], color=style.INK
    )
    axes.set_ylim(len(shares) - 0.4, -0.6)
    axes.margins(x=0.08)
    axes.legend(loc="best", fontsize=style.SMALL, labelcolor=style.INK, frameon=True, framealpha=0.9, edgecolor="none")
    of = f" ({len(shares)} most frequent of {len(report.classes)})" if len(shares) < len(report.classes) else ""
    style.subtitle(axes, f"Share of right labels by class{of}; number of rows in brackets")
