"""Dates as numbers of days, and their parts."""

from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest

from tabular.arithmetic.dates import FIRST, LAST, days, iso, moments, part
from tabular.config.stages import DatePart

TEXTS = ["1969-12-31", "1970-01-01", "2000-12-31 23:00", "2023-01-01", "2024-02-29T18:30:15.25", "1812-07-03"]


def test_the_parts_are_those_of_the_calendar() -> None:
    # given
    stamps = pd.DatetimeIndex([pd.Timestamp(text) for text in TEXTS])
    numbers = np.array([days(text) for text in TEXTS])
    expected: dict[str, Any] = {
        "year": stamps.year,
        "month": stamps.month,
        "day_of_week": stamps.day_of_week,
        "day_of_year": stamps.day_of_year,
        "age": (pd.Timestamp("2024-03-01") - stamps) / pd.Timedelta(days=1),
    }
    # when / then
    assert set(expected) == set(get_args(DatePart))
    for name in get_args(DatePart):
        found = part(name, numbers, days("2024-03-01"))
        np.testing.assert_allclose(found, expected[name], rtol=1e-12, atol=1e-9, err_msg=name)


def test_an_offset_is_taken_to_utc() -> None:
    assert days("2024-02-29T01:00:00+02:00") == days("2024-02-28T23:00:00Z") == days("2024-02-28 23:00")


@pytest.mark.parametrize("text", ["", "29.02.2024", "2023-02-29", "2024", "today", "1709164800", "2024-02-29T25:00"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        days(text)


def test_numbers_come_back_as_days_and_moments() -> None:
    assert iso(days("2024-02-29T18:30")) == "2024-02-29"
    assert [iso(number) for number in (FIRST, LAST, -1e12, 1e12)] == ["0001-01-01", "9999-12-31"] * 2
    # to the microsecond
    found = moments(np.array([days(TEXTS[4]), np.nan]))
    assert found[0] == np.datetime64(TEXTS[4], "us")
    assert np.isnat(found[1])


def test_numbers_beyond_the_calendar_are_its_ends() -> None:
    assert part("year", np.array([-1e300, 1e300]), 0.0).tolist() == [1.0, 9999.0]
