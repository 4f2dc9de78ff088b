import math

import pytest

from tabular.config.stages import CLASSIFICATION_METRICS, REGRESSION_METRICS
from tabular.pages import words


def test_every_metric_has_words() -> None:
    # given / when / then
    assert set(words.METRICS) == {*REGRESSION_METRICS, *CLASSIFICATION_METRICS}
    assert words.better("r2") == "larger is better"
    assert words.better("log_loss") == "smaller is better"


@pytest.mark.parametrize(
    ("number", "digits", "expected"),
    [
        (1234567.0, 4, "1,234,567"),
        (-12.5, 4, "\N{MINUS SIGN}12.50"),
        (99.96, 3, "100"),
        (0.0, 3, "0"),
        (0.012345, 3, "0.0123"),
        (3.0, 3, "3.00"),
    ],
)
def test_numbers_are_written_for_people(number: float, digits: int, expected: str) -> None:
    # given / when / then
    assert words.plain(number, digits) == expected


def test_values_of_a_metric_carry_their_unit() -> None:
    # given / when / then
    assert words.value("wmape", 12.5) == "12.50 %"
    assert words.value("rmse", 41156.4) == "41,156"
    assert words.value("r2", math.nan) == "undefined"
    assert words.with_unit("mae") == "MAE (in the unit of the target)"
    assert words.with_unit("something_new") == "something_new"


def test_long_names_lose_their_middle() -> None:
    # given / when
    short = words.short("first\nline " + "x" * 50 + " end", 20)
    # then
    assert len(short) == 20
    assert short.startswith("first lin")
    assert short.endswith(" end")
