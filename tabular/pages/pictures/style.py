"""The look that all pictures share: one palette, and one way to title, label, annotate and draw bars.

Everything goes through figure objects: the global state of pyplot and its style settings never change.
"""

import math
import textwrap
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colorbar import Colorbar
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator
from numpy.typing import ArrayLike, NDArray

from tabular.pages import words
from tabular.reports.training import Interval

DPI = 110
INK, MUTED, GRID, QUIET = "#1f2933", "#52606d", "#e4e7eb", "#b0bec9"
"""Colours of text, of axis labels, of grid lines, and of values that are shown for comparison."""
ACCENT, WARNING = "#0072b2", "#d55e00"
"""Colours of what was chosen or measured, and of reference lines and bad values; both from Okabe & Ito (2008)."""
LINES = (ACCENT, WARNING, "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""One colour for each class; from the seventh class on they come again with dashed lines."""
SEQUENTIAL = LinearSegmentedColormap.from_list("sequential", ["#dde9f1", "#7fb8d8", ACCENT, "#003a5c"])
LOW_TO_HIGH = LinearSegmentedColormap.from_list("low_to_high", [ACCENT, "#b9c3cc", WARNING])

SMALL, NORMAL, LARGE = 9.0, 10.0, 12.0
_TITLE_CHARACTERS_PER_INCH = 10
_ROWS_OF_A_SCATTER = 1000


def figure(height: float, width: float = 8.0) -> Figure:
    """Return an empty white figure; height and width are in inches."""
    made = Figure(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white")
    FigureCanvasAgg(made)
    return made


def text(content: str) -> str:
    """Return text with its dollar signs escaped, because matplotlib reads what is between two of them as a formula."""
    return content.replace("$", r"\$")


def headline(figure: Figure, content: str) -> None:
    """Give the whole figure a title in words, wrapped to its width."""
    wrapped = textwrap.fill(text(content), int(figure.get_figwidth() * _TITLE_CHARACTERS_PER_INCH))
    figure.suptitle(wrapped, x=0.01, ha="left", fontsize=LARGE, fontweight="bold", color=INK)


def tidy(axes: Axes, x: str, y: str, grid: Literal["x", "y", "both"] = "both") -> None:
    """Label the axes, put a faint grid behind the data, write readable numbers and remove the upper and right frame."""
    axes.set_xlabel(text(x), fontsize=NORMAL, color=MUTED)
    axes.set_ylabel(text(y), fontsize=NORMAL, color=MUTED)
    axes.set_axisbelow(True)
    axes.grid(True, axis=grid, color=GRID, linewidth=0.8)
    axes.tick_params(colors=MUTED, labelsize=SMALL, length=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(QUIET)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
        axis.set_major_formatter(numbers())


def subtitle(axes: Axes, content: str, stands_out: bool = False) -> None:
    """Give one of several axes a title of its own."""
    look: dict[str, Any] = {"color": ACCENT, "fontweight": "bold"} if stands_out else {"color": INK}
    axes.set_title(text(content), loc="left", fontsize=NORMAL, **look)


def numbers() -> FuncFormatter:
    """Return a formatter of tick labels that separates thousands and drops rounding noise."""
    return FuncFormatter(lambda number, _: f"{number:,.8g}".replace("-", "\N{MINUS SIGN}"))


def legend(figure: Figure, axes: Axes, columns: int = 4) -> None:
    """Put the legend of one of the axes below the figure, where it hides no data; each label appears once."""
    handles, labels = axes.get_legend_handles_labels()
    kinds = dict(zip(labels, handles, strict=True))
    figure.legend(
        kinds.values(),
        kinds.keys(),
        loc="outside lower center",
        ncols=min(columns, len(kinds)),
        frameon=False,
        fontsize=SMALL,
        labelcolor=INK,
    )


def tidy_colours(bar: Colorbar, label: str) -> None:
    """Make the colour bar small and remove its frame."""
    bar.ax.tick_params(colors=MUTED, labelsize=SMALL, length=0)
    bar.set_label(label, fontsize=SMALL, color=MUTED)
    bar.outline.set_visible(False)


def bar_picture(
    title: str, label: str, labels: Sequence[str], values: Sequence[float], notes: Sequence[str], **look: Any
) -> Figure:
    """Return a whole figure of `bars` with a title and the label of its axis."""
    made = figure(1.5 + 0.36 * len(values))
    axes = made.add_subplot()
    tidy(axes, label, "", grid="x")
    bars(axes, labels, values, notes, **look)
    headline(made, title)
    return made


def bars(
    axes: Axes,
    labels: Sequence[str],
    values: Sequence[float],
    notes: Sequence[str],
    highlighted: int | None = None,
    deviations: Sequence[float] | None = None,
) -> None:
    """Draw horizontal bars from the top down, each with a note at its end; call `tidy` before.

    Args:
        labels, values, notes: one for each bar; an undefined value (nan) has no bar but keeps its note.
        highlighted: index of the bar in the accent colour; with None all bars are in it.
        deviations: half the length of each bar's whisker.
    """
    places = np.arange(len(values))
    lengths = np.nan_to_num(np.asarray(values, dtype=np.float64), nan=0.0)
    spread = np.zeros(len(values)) if deviations is None else np.nan_to_num(np.asarray(deviations, dtype=np.float64))
    colours = [ACCENT if highlighted in (None, place) else QUIET for place in places]
    axes.barh(places, lengths, height=0.66, color=colours)
    if deviations is not None:
        axes.errorbar(lengths, places, xerr=spread, fmt="none", ecolor=INK, elinewidth=1.1, capsize=2.5)
    axes.set_yticks(places, [text(words.short(label, 38)) for label in labels], color=INK, fontsize=NORMAL)
    axes.set_ylim(len(values) - 0.4, -0.6)
    for place, content in enumerate(notes):
        end = max(lengths[place] + spread[place], 0.0)
        note(axes, content, (end, place), (5, 0), va="center", fontweight="bold" if place == highlighted else "normal")
    axes.axvline(0, color=QUIET, linewidth=0.8)
    axes.spines["left"].set_visible(False)


def note(axes: Axes, content: str, point: tuple[float, float], offset: tuple[float, float], **look: Any) -> None:
    """Write a small text beside a point, `offset` points to the right of it and above it."""
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 0.5}
    look = {"fontsize": SMALL, "color": INK, "bbox": box, **look}
    axes.annotate(text(content), point, xytext=offset, textcoords="offset points", **look)


def whisker(axes: Axes, interval: Interval, height: float, **look: Any) -> None:
    """Draw a value as a mark and its interval as a whisker at one height; an undefined end has no whisker."""
    ends = (max(interval.value - interval.low, 0.0), max(interval.high - interval.value, 0.0))
    spread = [[end] for end in ends] if all(map(math.isfinite, ends)) else None
    axes.errorbar([interval.value], [height], xerr=spread, **look)


def gain_lines(axes: Axes, tolerance: float) -> None:
    """Mark no gain, and the loss up to which a model counts as equally good, as vertical lines."""
    axes.axvline(0, color=INK, linewidth=1.2, label="no difference")
    if tolerance:
        axes.axvline(-tolerance, color=WARNING, linestyle="--", label="worst that still counts as equally good")


def cloud(figure: Figure, axes: Axes, x: ArrayLike, y: ArrayLike, beside: Axes | None = None) -> None:
    """Draw rows as dots, or many rows as hexagons coloured by their number of rows.

    The colour bar of the hexagons lies to the right of `beside`, by default of the axes themselves.
    """
    across, up = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if len(across) <= _ROWS_OF_A_SCATTER:
        axes.scatter(across, up, s=14, color=ACCENT, alpha=0.45, linewidths=0)
        return
    (left, right), (low, high) = limits(across), limits(up)
    cells = axes.hexbin(
        across,
        up,
        gridsize=60,
        extent=(left, right, low, high),
        mincnt=1,
        norm=LogNorm(),
        cmap=SEQUENTIAL,
        linewidths=0,
    )
    bar = figure.colorbar(
        cells, ax=beside or axes, pad=0.01, aspect=30, ticks=LogLocator(subs=(1, 2, 5)), format=numbers()
    )
    bar.ax.minorticks_off()
    tidy_colours(bar, "rows in a cell")


def limits(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the range of the values with a margin of 3 %; the range has some width even if all values are equal."""
    low, high = float(values.min()), float(values.max())
    margin = 0.03 * (high - low) or 0.05 * abs(high) or 1.0
    return low - margin, high + margin
