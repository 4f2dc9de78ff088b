"""The statistics of counts against scipy on the raw samples, and against examples from the books."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from tabular.bundles.making.describing import histogram
from tabular.monitoring.statistics import fisher, holm, homogeneity, kolmogorov_smirnov, psi, total_variation


def _cells(values: NDArray[np.float64], points: tuple[float, ...]) -> list[int]:
    return np.diff(np.searchsorted(np.sort(values), points, side="right"), prepend=0, append=len(values)).tolist()


@pytest.mark.parametrize("seed", range(5))
def test_distance_of_repeated_values_is_that_of_the_samples(seed: int) -> None:
    # given: two samples of whole numbers, the second a little higher
    random = np.random.default_rng(seed)
    first, second = random.binomial(40, 0.5, 2000) * 1.0, random.binomial(40, 0.52, 300) * 1.0
    known = histogram(np.r_[first, second])
    of_first = histogram(first)
    assert known is not None
    assert of_first is not None
    # when: at all values of both, and as the reference of the first keeps them
    reached = [(first <= point).mean() for point in known.points]
    distance, p_value = kolmogorov_smirnov(_cells(second, known.points), reached, len(first))
    kept, _ = kolmogorov_smirnov(_cells(second, of_first.points), of_first.reached, len(first))
    # then
    expected = stats.ks_2samp(second, first, method="exact")
    assert distance == pytest.approx(expected.statistic, abs=1e-12)
    assert kept == pytest.approx(expected.statistic, abs=1 / len(first))
    assert expected.pvalue <= p_value <= 1.3 * expected.pvalue


@pytest.mark.parametrize("shift", [0.0, 0.1, 1.0, -3.0])
def test_distance_of_a_continuous_number_is_short_by_less_than_the_step_of_the_points(shift: float) -> None:
    # given
    random = np.random.default_rng(7)
    first, second = random.normal(size=5000), random.normal(shift, 1, 800)
    known = histogram(first)
    assert known is not None
    # when
    distance, _ = kolmogorov_smirnov(_cells(second, known.points), known.reached, len(first))
    # then
    expected = stats.ks_2samp(second, first).statistic
    assert expected - 0.0075 <= distance <= expected


def test_parts_of_a_sample_add_up() -> None:
    # given
    random = np.random.default_rng(3)
    known, values = histogram(random.normal(size=1000)), random.normal(size=500)
    assert known is not None
    # when
    parts = np.sum([_cells(part, known.points) for part in np.split(values, [1, 120])], axis=0)
    # then
    whole = _cells(values, known.points)
    assert kolmogorov_smirnov(parts, known.reached, 1000) == kolmogorov_smirnov(whole, known.reached, 1000)


def test_chance_is_as_often_below_a_limit_as_it_says() -> None:
    # given: 400 pairs of samples of one source
    random = np.random.default_rng(0)
    shares, p_values, squares = np.array([0.5, 0.3, 0.15, 0.05]), [], []
    known = histogram(random.normal(size=100_000))
    assert known is not None
    for _ in range(400):
        cells = _cells(random.normal(size=500), known.points)
        p_values.append(kolmogorov_smirnov(cells, known.reached, 100_000)[1])
        squares.append(homogeneity(random.multinomial(500, shares), random.multinomial(2000, shares)))
    # then
    assert 0.02 <= np.mean(np.array(p_values) < 0.05) <= 0.08
    assert 0.02 <= np.mean(np.array(squares) < 0.05) <= 0.08


def test_nothing_observed_is_no_distance() -> None:
    distance, p_value = kolmogorov_smirnov([0, 0], [1.0], 10)
    assert math.isnan(distance)
    assert p_value == 1.0
    assert math.isnan(total_variation([0, 0], [1, 2]))
    assert math.isnan(psi([0, 0], [0.5, 0.5], 10))
    assert homogeneity([0, 0], [1, 2]) == 1.0
    assert fisher(0, 0, 1, 2) == 1.0


def test_large_cells_are_tested_as_scipy_does() -> None:
    first, second = [30, 50, 20], [260, 610, 300]
    assert homogeneity(first, second) == pytest.approx(stats.chi2_contingency([first, second], correction=False).pvalue)


@pytest.mark.parametrize(
    ("first", "second", "pooled"),
    [
        ([0, 60, 40], [0, 700, 300], [[60, 40], [700, 300]]),
        ([0, 1, 60, 39], [40, 15, 600, 300], [[1, 60, 39], [55, 600, 300]]),
        ([1, 60, 39, 0], [2, 600, 400, 3], [[40, 60], [405, 600]]),
    ],
    ids=["what nobody has", "with each other", "with the next one as well"],
)
def test_small_cells_are_pooled(first: list[int], second: list[int], pooled: list[list[int]]) -> None:
    assert homogeneity(first, second) == pytest.approx(stats.chi2_contingency(pooled, correction=False).pvalue)


def test_one_cell_that_is_left_differs_from_nothing() -> None:
    assert homogeneity([3, 1], [1, 1]) == 1.0
    assert homogeneity([500], [300]) == 1.0


def test_total_variation_is_the_share_that_would_have_to_change() -> None:
    assert total_variation([50, 30, 20], [0.3, 0.3, 0.4]) == pytest.approx(0.2)
    assert total_variation([1, 0], [0, 1]) == 1.0


def test_psi_is_what_a_person_computes() -> None:
    assert psi([75, 25], [0.5, 0.5], 1000) == pytest.approx(0.25 * math.log(3))
    assert psi([50, 50], [0.5, 0.5], 1000) == 0.0


def test_psi_of_empty_bins_counts_half_a_row() -> None:
    assert psi([100, 0], [0.5, 0.5], 1000) == pytest.approx(0.5 * math.log(2) + (0.005 - 0.5) * math.log(0.005 / 0.5))
    assert psi([50, 50], [1.0, 0.0], 1000) == pytest.approx(
        -0.5 * math.log(0.5) + (0.5 - 0.0005) * math.log(0.5 / 0.0005)
    )


def test_fishers_own_cups_of_tea() -> None:
    # given: of 4 cups with milk first the lady named 3, of 4 others 1
    assert fisher(3, 4, 1, 4, only_more=True) == pytest.approx(17 / 70)
    assert fisher(3, 4, 1, 4) == pytest.approx(34 / 70)
    assert fisher(1, 4, 3, 4, only_more=True) == pytest.approx(69 / 70)


def test_millions_are_tested_as_exactly() -> None:
    # given: shares that differ by two hundredths of a percent point
    rows, other = 1_000_000, 4_000_000
    pooled = (10_200 + 40_000) / (rows + other)
    score = 0.0002 / math.sqrt(pooled * (1 - pooled) * (1 / rows + 1 / other))
    # then: as the normal distribution says
    assert fisher(10_200, rows, 40_000, other) == pytest.approx(2 * stats.norm.sf(score), rel=0.05)
    assert fisher(0, rows, 0, other) == 1.0


def test_holms_adjustment_steps_down() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []
