"""The columns of the present rows beside those of training, one small picture for each column."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from tabular.pages import words
from tabular.pages.pictures import style

MOST = 12
"""Largest number of columns in one figure."""
_ACROSS = 3
_BINS = 24
_CATEGORIES = 6
_TAIL = 0.005
"""Share of the values at each end that would only widen a picture."""
_TRAINED = "training"
_NOW = "these rows"


def distributions(reference: pd.DataFrame, current: pd.DataFrame, columns: Sequence[str]) -> Figure | None:
    """The first `MOST` columns, in grey as they were in training and in blue as they are now; None without any column.

    Args:
        reference, current: tables with these columns, each with a known value in both; numbers are float64.
        columns: names of the columns, the most important first.
    """
    shown = list(columns)[:MOST]
    if not shown:
        return None
    down = -(-len(shown) // _ACROSS)
    figure = style.figure(0.9 + 2.1 * down, width=10.0)
    grid = figure.subplots(down, _ACROSS, squeeze=False).ravel()
    for axes, column in zip(grid, shown, strict=False):
        draw = _numbers if pd.api.types.is_numeric_dtype(reference[column]) else _categories
        draw(axes, reference[column].dropna(), current[column].dropna())
        style.subtitle(axes, words.short(column, 32))
    for axes in grid[len(shown) :]:
        axes.set_visible(False)
    style.legend(figure, grid[0])
    style.headline(figure, "Columns of these rows beside those of training")
    return figure


def _numbers(axes: Axes, trained: pd.Series, now: pd.Series) -> None:
    before, after = (values.to_numpy(dtype=np.float64) for values in (trained, now))
    # The bins reach from the lower tail of both to the upper one.
    low = min(float(np.quantile(values, _TAIL)) for values in (before, after))
    high = max(float(np.quantile(values, 1 - _TAIL)) for values in (before, after))
    if low == high:
        low, high = style.limits(np.array([low, high]))
    edges = np.linspace(low, high, _BINS + 1)
    style.tidy(axes, "", "", grid="y")
    axes.stairs(_shares(before, edges), edges, fill=True, color=style.QUIET, label=_TRAINED)
    axes.stairs(_shares(after, edges), edges, color=style.ACCENT, linewidth=1.4, label=_NOW)
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.xaxis.set_major_locator(MaxNLocator(4))


def _shares(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the percentage of the values in each bin; values beyond the ends are counted in the first and last bin."""
    counts = np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0]
    return np.asarray(100 * counts / len(values))


def _categories(axes: Axes, trained: pd.Series, now: pd.Series) -> None:
    before, after = (100 * values.value_counts(normalize=True) for values in (trained, now))
    names = before.add(after, fill_value=0).sort_index().sort_values(ascending=False, kind="stable").index[:_CATEGORIES]
    places = np.arange(len(names))
    style.tidy(axes, "", "", grid="x")
    for part, colour, label, shift in ((before, style.QUIET, _TRAINED, -0.2), (after, style.ACCENT, _NOW, 0.2)):
        axes.barh(places + shift, [float(part.get(name, 0.0)) for name in names], 0.38, color=colour, label=label)
    axes.set_yticks(places, [style.text(words.short(str(name), 16)) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
