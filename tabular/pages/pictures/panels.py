"""Two values of each metric side by side, in a small panel with a scale of its own."""

import math
from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import FigureBase
from matplotlib.ticker import MaxNLocator

from tabular.pages import words
from tabular.pages.pictures import style
from tabular.reports.training import Interval

_COLUMNS = 4
LOOKS = ((style.MUTED, "s"), (style.ACCENT, "o"))
"""Colour and mark of the first and of the second value, which differ in shape too."""

Pair = tuple[Interval | None, Interval | None]


def height(metrics: int) -> float:
    """Inches for the panels of so many metrics."""
    return 1.35 * math.ceil(metrics / _COLUMNS)


def metric_panels(figure: FigureBase, pairs: Mapping[str, Pair], labels: tuple[str, str], main: str) -> None:
    """Draw a panel for each metric: the first value above the second one, each with its interval.

    Args:
        figure: a figure or a part of one that has no axes yet.
        pairs: both values by metric; None where a value is unknown.
        labels: names of what the first and the second value belong to.
        main: the metric whose panel stands out.
    """
    rows, columns = math.ceil(len(pairs) / _COLUMNS), min(_COLUMNS, len(pairs))
    for place, (name, pair) in enumerate(pairs.items()):
        axes = figure.add_subplot(rows, columns, place + 1)
        _panel(axes, name, pair, stands_out=name == main)
        shown = ("", "") if place % columns else labels
        axes.set_yticks([0, 1], [style.text(words.short(label, 20)) for label in shown], color=style.INK)


def _panel(axes: Axes, name: str, pair: Pair, stands_out: bool) -> None:
    style.tidy(axes, "", "", grid="x")
    axes.xaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 2.5, 5, 10]))
    arrow = "\N{RIGHTWARDS ARROW}" if words.better(name).startswith("larger") else "\N{LEFTWARDS ARROW}"
    label, unit, _ = words.metric(name)
    style.subtitle(axes, f"{label}{' (%)' if unit == '%' and '%' not in label else ''}, better {arrow}", stands_out)
    for place, (interval, (colour, mark)) in enumerate(zip(pair, LOOKS, strict=True)):
        if interval is None or not math.isfinite(interval.value):
            said = "\N{EN DASH}" if interval is None else "undefined"
            axes.text(0.5, place, said, transform=axes.get_yaxis_transform(), ha="center", va="center")
            continue
        style.whisker(axes, interval, place, fmt=mark, color=colour, markersize=6, elinewidth=2, capsize=3)
        style.note(axes, words.plain(interval.value, 4), (interval.value, place), (0, 6), ha="center")
    first = pair[0]
    if first is not None and math.isfinite(first.value):
        axes.axvline(first.value, color=style.MUTED, linestyle="--", linewidth=1, zorder=0.5)
    axes.set_ylim(1.6, -0.9)
    axes.margins(x=0.25)
    axes.spines["left"].set_visible(False)
