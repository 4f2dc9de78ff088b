"""Distances between distributions, and their p-values; on counts, so that many rows take no longer than few."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

EXPECTED = 5
"""Cells of a chi-squared test are pooled until each has this expected count (Cochran 1954)."""


def psi(observed: ArrayLike, expected: ArrayLike, rows: int) -> float:
    """Return the population stability index: the sum of (o - e) ln(o / e) over the shares o and e of all bins.

    Siddiqi 2006, "Credit Risk Scorecards", calls values up to 0.1 stable and values from 0.25 on a shift. An empty
    bin, whose logarithm does not exist, counts as half a row.

    Args:
        observed: counts by bin.
        expected: shares by bin; they sum to 1.
        rows: number of rows behind `expected`.

    Returns:
        0 or above; nan where nothing was observed.
    """
    counts, shares = np.asarray(observed, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    count = counts.sum()
    if not count or not rows:
        return math.nan
    found = np.maximum(counts, 0.5) / count
    wanted = np.maximum(shares, 0.5 / rows)
    return float(((found - wanted) * np.log(found / wanted)).sum())


def kolmogorov_smirnov(cells: ArrayLike, reached: ArrayLike, rows: int) -> tuple[float, float]:
    """Return the largest distance between two distribution functions, and its p-value.

    Smirnov 1939, "On the estimation of the discrepancy between empirical curves of distribution for two independent
    samples": the limit distribution at the effective size n m / (n + m). The p-value is somewhat too large for few
    rows, where values repeat, and because the distance is taken at the points alone.

    Args:
        cells: counts of the values up to and including the first point, between each two points, and above the last
            point; one more than points.
        reached: distribution function of the other sample at each point.
        rows: number of rows of the other sample.

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
    """Return half the sum of the absolute differences between two sets of shares.

    This is the share of the rows that would have to lie in another cell for the two to be equal.

    Args:
        observed: counts or shares by cell.
        expected: counts or shares of the other sample by cell.

    Returns:
        0 to 1; nan where one of them is empty.
    """
    first, second = np.asarray(observed, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    if not first.sum() or not second.sum():
        return math.nan
    return float(np.abs(first / first.sum() - second / second.sum()).sum() / 2)


def homogeneity(first: ArrayLike, second: ArrayLike) -> float:
    """Return the p-value of Pearson's chi-squared test that two sets of counts come from one distribution.

    Pearson 1911. Cells whose expected count is below five in either sample are pooled, the smallest first
    (Cochran 1954, "Some methods for strengthening the common chi-squared tests").

    It is 1 where fewer than two cells are left.
    """
    table = np.array([first, second], dtype=np.float64)
    samples = table.sum(axis=1)
    if not samples.all():
        return 1.0
    least = float(EXPECTED * samples.sum() / samples.min())
    table = table[:, np.argsort(table.sum(axis=0), kind="stable")]
    sums = table.sum(axis=0)
    # The first `together` cells are pooled: all that are too small, and more until their sum is large enough.
    together = max(int(np.searchsorted(sums, least)), int(np.searchsorted(np.cumsum(sums), least)) + 1)
    pooled = np.column_stack([table[:, :together].sum(axis=1), table[:, together:]])
    return float(stats.chi2_contingency(pooled, correction=False).pvalue)


def fisher(count: int, rows: int, other_count: int, other_rows: int, only_more: bool = False) -> float:
    """Return the p-value of Fisher's exact test that two shares are equal.

    Fisher 1935, "The logic of inductive inference".

    Args:
        count, other_count: number of the rows of each sample that count.
        rows, other_rows: number of all rows of each sample.
        only_more: test one-sided, against a larger share in the first sample.

    Returns:
        1 where a sample is empty.
    """
    if not rows or not other_rows:
        return 1.0
    table = [[count, rows - count], [other_count, other_rows - other_count]]
    return float(min(stats.fisher_exact(table, alternative="greater" if only_more else "two-sided").pvalue, 1.0))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return adjusted p-values: the chance that any of them is below alpha by luck alone is at most alpha.

    Holm 1979, "A simple sequentially rejective multiple test procedure". The tests need not be independent.
    """
    found = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(found, kind="stable")
    factors = np.arange(len(found), 0, -1)
    adjusted = np.empty_like(found)
    adjusted[order] = np.minimum(np.maximum.accumulate(found[order] * factors), 1)
    return [float(value) for value in adjusted]
