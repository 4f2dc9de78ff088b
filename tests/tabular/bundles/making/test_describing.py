"""The distribution function of the training rows: exact at values that occur."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tabular.bundles.making.describing import histogram


def _share_up_to(values: NDArray[np.float64], point: float) -> float:
    return float((values <= point).mean())


def test_few_different_values_are_all_kept_with_their_shares() -> None:
    # given: nine of ten values are the same
    values = np.array([3.0] * 5 + [1.0] * 90 + [2.0] * 5)
    # when
    found = histogram(values)
    # then
    assert found is not None
    assert found.points == (1.0, 2.0, 3.0)
    assert found.reached == (0.9, 0.95, 1.0)


@pytest.mark.parametrize(("different", "kept"), [(200, 200), (201, 2)], ids=["200", "201"])
def test_up_to_200_different_values_are_all_kept_however_rare(different: int, kept: int) -> None:
    # given: all rows but a few are the smallest value
    values = np.r_[np.zeros(100_000), np.arange(1, different)]
    # when
    found = histogram(np.random.default_rng(1).permutation(values))
    # then
    assert found is not None
    assert len(found.points) == kept
    assert (found.points[0], found.points[-1]) == (0.0, different - 1.0)


def test_a_continuous_number_has_points_that_occur_and_exact_shares() -> None:
    # given: a skewed number
    values = np.random.default_rng(2).lognormal(size=5000)
    # when
    found = histogram(values)
    # then
    assert found is not None
    assert len(found.points) == 202
    assert set(found.points) <= set(values)
    assert list(found.points) == sorted(set(found.points))
    assert (found.points[0], found.points[-1]) == (values.min(), values.max())
    assert list(found.reached) == [_share_up_to(values, point) for point in found.points]
    assert max(np.diff(found.reached)) == pytest.approx(1 / 201, abs=2 / 5000)


def test_a_value_that_fills_many_quantiles_is_one_point() -> None:
    # given: half of the rows are 0
    values = np.r_[np.zeros(1000), np.random.default_rng(3).uniform(1, 2, 1000)]
    # when
    found = histogram(values)
    # then
    assert found is not None
    assert found.points[0] == 0.0
    assert found.reached[0] == 0.5
    assert list(found.points) == sorted(set(found.points))


def test_a_constant_is_one_point() -> None:
    found = histogram(np.array([4.0, 4.0]))
    assert found is not None
    assert (found.points, found.reached, found.std) == ((4.0,), (1.0,), 0.0)


def test_what_is_not_finite_is_left_out() -> None:
    found = histogram(np.array([np.inf, 1.0, np.nan, 2.0, -np.inf]))
    assert found is not None
    assert (found.points, found.reached) == ((1.0, 2.0), (0.5, 1.0))


@pytest.mark.parametrize("values", [[], [np.nan, np.inf]], ids=["no row", "nothing finite"])
def test_without_values_there_is_nothing(values: list[float]) -> None:
    assert histogram(np.array(values)) is None
