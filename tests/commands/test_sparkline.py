import math

import pytest

from commands.monitor_status import BARS, sparkline


def test_the_smallest_value_is_the_lowest_bar_and_the_largest_the_highest() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == BARS
    assert sparkline([-5.0, 1e9]) == "▁█"


def test_what_is_not_there_is_a_gap() -> None:
    assert sparkline([1.0, None, 2.0, math.nan, math.inf]) == "▁·█··"
    assert sparkline([None, math.nan]) == "··"
    assert sparkline([]) == ""


def test_the_ends_of_the_scale_may_be_given() -> None:
    assert sparkline([0.0, 0.5, 1.0], low=0.0, high=2.0) == "▁▃▅"
    assert sparkline([-1.0, 3.0], low=0.0, high=2.0) == "▁█"


@pytest.mark.parametrize(("values", "drawn"), [([3.0, 3.0], "▁▁"), ([0.0], "▁")])
def test_equal_values_are_a_flat_line(values: list[float], drawn: str) -> None:
    assert sparkline(values) == drawn


def test_a_line_that_lies_above_its_scale_is_at_the_top() -> None:
    assert sparkline([5.0, 0.0], low=0.0, high=0.0) == "█▁"


def test_very_large_numbers_are_drawn() -> None:
    assert sparkline([-1.7e308, 0.0, 1.7e308]) == "▁▅█"
