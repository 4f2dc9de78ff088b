"""The look that all pictures share: one palette, one way to title, label and draw bars.

Everything goes through figure objects; the global state of pyplot and of the style settings is never changed.
"""

import textwrap
from collections.abc import Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colorbar import Colorbar
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator
from numpy.typing import ArrayLike, NDArray

from tabular.pages import words

DPI = 110
INK, MUTED, GRID, QUIET = "#1f2933", "#52606d", "#e4e7eb", "#b0bec9"
"""Text; labels of axes; grid lines; what is there for comparison."""
ACCENT, WARNING = "#0072b2", "#d55e00"
"""What was chosen or measured; lines of reference and what is bad. Both are from Okabe & Ito (2008)."""
LINES = (ACCENT, WARNING, "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""One colour for each class, again with dashes from the seventh class on."""
SEQUENTIAL = LinearSegmentedColormap.from_list("sequential", ["#dde9f1", "#7fb8d8", ACCENT, "#003a5c"])
LOW_TO_HIGH = LinearSegmentedColormap.from_list("low_to_high", [ACCENT, "#b9c3cc", WARNING])

SMALL, NORMAL, LARGE = 9.0, 10.0, 12.0
_TITLE_CHARACTERS_PER_INCH = 10
_ROWS_OF_A_SCATTER = 1000


def figure(height: float, width: float = 8.0) -> Figure:
    """An empty white figure, in inches."""
    made = Figure(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white")
    FigureCanvasAgg(made)
    return made


def text(content: str) -> str:
    """Text that is drawn as it is, though it may hold dollars, which matplotlib takes for formulas."""
    return content.replace("$", r"\$")


def headline(figure: Figure, content: str) -> None:
    """The title of the whole figure: what it shows, in words, wrapped to its width."""
    wrapped = textwrap.fill(text(content), int(figure.get_figwidth() * _TITLE_CHARACTERS_PER_INCH))
    figure.suptitle(wrapped, x=0.01, ha="left", fontsize=LARGE, fontweight="bold", color=INK)


def tidy(axes: Axes, x: str, y: str, grid: Literal["x", "y", "both"] = "both") -> None:
    """Labels, a faint grid behind the data, numbers for people, and no frame above and to the right."""
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


def numbers() -> FuncFormatter:
    """Tick labels with thousands separators, without the noise of the last digits."""
    return FuncFormatter(lambda number, _: f"{number:,.8g}".replace("-", "\N{MINUS SIGN}"))


def legend(figure: Figure, axes: Axes, columns: int = 4) -> None:
    """The legend of one of the axes, each label once, below the figure, where it hides no data."""
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
    """The scale of colours beside the axes: small, and without a frame."""
    bar.ax.tick_params(colors=MUTED, labelsize=SMALL, length=0)
    bar.set_label(label, fontsize=SMALL, color=MUTED)
    bar.outline.set_visible(False)


def bar_height(count: int) -> float:
    """Inches for a figure with so many horizontal bars."""
    return 1.5 + 0.36 * count


def bars(
    axes: Axes,
    labels: Sequence[str],
    values: Sequence[float],
    notes: Sequence[str],
    highlighted: int | None = None,
    deviations: Sequence[float] | None = None,
) -> None:
    """Horizontal bars from the top down, each with a note at its end; call it after `tidy`.

    Args:
        labels, values, notes: one for each bar; an undefined value (nan) draws no bar but keeps its note.
        highlighted: index of the bar in the accent colour; None for all bars in it.
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
    for place, note in enumerate(notes):
        axes.annotate(
            text(note),
            (max(lengths[place] + spread[place], 0.0), place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=SMALL,
            color=INK,
            fontweight="bold" if place == highlighted else "normal",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 0.5},
        )
    axes.axvline(0, color=QUIET, linewidth=0.8)
    axes.spines["left"].set_visible(False)


def cloud(figure: Figure, axes: Axes, x: ArrayLike, y: ArrayLike, beside: Axes | None = None) -> None:
    """Rows as dots, or where there are many as hexagons coloured by their number; the scale lies right of `beside`."""
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
    """The range of the values with a margin of 3 %, and some width where all are equal."""
    low, high = float(values.min()), float(values.max())
    margin = 0.03 * (high - low) or 0.05 * abs(high) or 1.0
    return low - margin, high + margin
