"""Distances between distributions, and how likely they are by chance; on counts, so that many rows are quick."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

EXPECTED = 5
"""Cells of a chi-squared test are pooled until each is expected to hold so many (Cochran 1954)."""


def psi(observed: ArrayLike, expected: ArrayLike, rows: int) -> float:
    """The population stability index: the sum of (o - e) ln(o / e) over the shares o and e of all bins.

    Siddiqi 2006, "Credit Risk Scorecards", who calls up to 0.1 stable and from 0.25 on a shift. An empty bin, which has
    no logarithm, is taken to hold half a row.

    Args:
        observed: counts by bin.
        expected: shares by bin; they sum to 1.
        rows: behind `expected`.

    Returns:
        0 and above; nan where nothing was observed.
    """
    counts, shares = np.asarray(observed, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    count = counts.sum()
    if not count or not rows:
        return math.nan
    found = np.maximum(counts, 0.5) / count
    wanted = np.maximum(shares, 0.5 / rows)
    return float(((found - wanted) * np.log(found / wanted)).sum())


def kolmogorov_smirnov(cells: ArrayLike, reached: ArrayLike, rows: int) -> tuple[float, float]:
    """The largest distance between two distribution functions, and the chance of one as large in samples of one source.

    Smirnov 1939, "On the estimation of the discrepancy between empirical curves of distribution for two independent
    samples": the limit distribution at the effective size n m / (n + m). For few rows, where values repeat, and because
    the distance is taken at the points alone, the p-value is rather too large.

    Args:
        cells: counts up to and including each point, in between each two, and above the last: one more than points.
        reached: at each point the distribution function of the other sample.
        rows: of the other sample.

    Returns:
        The distance, 0 to 1, and the p-value; nan and 1 where one of the samples is empty.
    """
    counts = np.asarray(cells, dtype=np.int64)
    count = int(counts.sum())
    if not count or not rows:
        return math.nan, 1.0
    own = np.cumsum(counts[:-1]) / count
    distance = float(np.abs(own - np.asarray(reached)).max())
    return distance, float(stats.kstwobign.sf(distance * math.sqrt(count * rows / (count + rows))))


def total_variation(observed: ArrayLike, expected: ArrayLike) -> float:
    """Half the sum of the absolute differences between two sets of shares.

    It is the share of the rows that would have to be others.

    Args:
        observed: counts or shares by cell.
        expected: the same of the other sample.

    Returns:
        0 to 1; nan where one of them is empty.
    """
    first, second = np.asarray(observed, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    if not first.sum() or not second.sum():
        return math.nan
    return float(np.abs(first / first.sum() - second / second.sum()).sum() / 2)


def homogeneity(first: ArrayLike, second: ArrayLike) -> float:
    """The p-value of Pearson's chi-squared test that two sets of counts come from one distribution.

    Pearson 1911. Cells in which either sample is expected to hold fewer than five are pooled, the smallest first
    (Cochran 1954, "Some methods for strengthening the common chi-squared tests").

    Args:
        first: counts by cell.
        second: the same of the other sample.

    Returns:
        1 where fewer than two cells are left.
    """
    table = np.array([first, second], dtype=np.float64)
    samples = table.sum(axis=1)
    if not samples.all():
        return 1.0
    pooled = _pooled(table, float(EXPECTED * samples.sum() / samples.min()))
    return float(stats.chi2_contingency(pooled, correction=False).pvalue)


def _pooled(table: NDArray[np.float64], least: float) -> NDArray[np.float64]:
    """The cells in ascending order of their sums, each sum at least `least`, as far as there is as much at all."""
    table = table[:, np.argsort(table.sum(axis=0), kind="stable")]
    sums = table.sum(axis=0)
    # The first so many go together: those that are too small, and then more until they are enough.
    together = max(int(np.searchsorted(sums, least)), int(np.searchsorted(np.cumsum(sums), least)) + 1)
    return np.column_stack([table[:, :together].sum(axis=1), table[:, together:]])


def fisher(count: int, rows: int, other_count: int, other_rows: int, only_more: bool = False) -> float:
    """The p-value of Fisher's exact test that two shares are one.

    Fisher 1935, "The logic of inductive inference".

    Args:
        count: of `rows`.
        rows: of the first sample.
        other_count: of `other_rows`.
        other_rows: of the other sample.
        only_more: one-sided: only a larger share in the first sample counts against it.

    Returns:
        1 where a sample is empty.
    """
    if not rows or not other_rows:
        return 1.0
    table = [[count, rows - count], [other_count, other_rows - other_count]]
    return float(min(stats.fisher_exact(table, alternative="greater" if only_more else "two-sided").pvalue, 1.0))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values adjusted so that, over all of them, the chance of any below alpha by luck alone is at most alpha.

    Holm 1979, "A simple sequentially rejective multiple test procedure"; no independence is needed.
    """
    found = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(found, kind="stable")
    factors = np.arange(len(found), 0, -1)
    adjusted = np.empty_like(found)
    adjusted[order] = np.minimum(np.maximum.accumulate(found[order] * factors), 1)
    return [float(value) for value in adjusted]
