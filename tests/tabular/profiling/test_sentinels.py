"""Numbers that may stand for a missing value, and those that do not."""

import io
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tabular.profiling.profile import profile
from tabular.table.parsing import parse
from tests.support.columns import ROWS, SMALL, csv, told

SENTINELS = [-200, -1, 0, 999, 8888, 1e20, 9.969209968386869e36, -32768, -999]


def sensor(value: float) -> Any:
    return np.where(np.arange(ROWS) % 20, np.random.default_rng(3).normal(60, 9, ROWS).round(1), value)


def shown(value: float) -> str:
    return f"{value:.0f}" if abs(value) < 1e15 else repr(value)


def test_repeated_numbers_far_from_all_others_are_named() -> None:
    # given
    columns = {f"sensor{place}": sensor(value) for place, value in enumerate(SENTINELS)}
    # when
    found = profile(csv(**columns, co=SMALL), "f", "co").found
    # then
    for name, value in zip(columns, SENTINELS, strict=True):
        said = told(found, name, "warning")
        assert f"{shown(value)} in 12 rows may stand for a missing value" in said
        assert f"data.reading.numbers: {{{name}: {{missing: [{shown(value)}]}}}}" in said


@pytest.mark.parametrize("value", SENTINELS[:3])
def test_a_target_that_stands_for_a_hole_is_loud(value: float) -> None:
    said = told(profile(csv(co=sensor(value), other=SMALL), "the file", "co").found, "co", "loud")
    assert f"{shown(value)} in 12 rows may stand for a missing value" in said and "target_missing: drop" in said


RANDOM = np.random.default_rng(5)
NO_SENTINELS = {
    "counts with many zeros": RANDOM.poisson(0.8, ROWS),
    "amounts with many zeros": np.where(RANDOM.random(ROWS) < 0.6, 0, RANDOM.lognormal(5, 1, ROWS).round(2)),
    "a cap": np.minimum(RANDOM.lognormal(12, 0.6, ROWS).round(), 200_001),
    "outliers": np.where(np.arange(ROWS) < 3, [9e5, 7e6, 3e7][0] * np.arange(1, ROWS + 1), RANDOM.normal(50, 5, ROWS)),
    "temperatures": RANDOM.integers(-1, 30, ROWS),
    "doses": RANDOM.choice([1, 10, 100, 1000], ROWS),
    "notes and coins": RANDOM.choice([1, 2, 5, 10, 20, 50, 100], ROWS),
    "grades": RANDOM.integers(1, 7, ROWS),
    "list prices": RANDOM.choice([1.99, 2.49, 3.5, 12.0], ROWS),
}


def test_counts_caps_and_outliers_stand_for_themselves() -> None:
    found = profile(csv(**NO_SENTINELS, price=SMALL), "the file", "price").found
    assert [finding for finding in found.findings if "may stand" in finding.text] == []


def test_a_number_that_stands_for_a_hole_is_one_once_the_config_says_so() -> None:
    # given
    rows = pd.DataFrame({"sensor": sensor(-200), "price": SMALL})
    buffer = io.BytesIO()
    rows.to_parquet(buffer)
    reading = profile(csv(**rows), "the file", "price").found.reading
    reading = reading.model_validate(reading.model_dump() | {"numbers": {"sensor": {"missing": [-200]}}})
    # when / then
    for content in (csv(**rows), buffer.getvalue()):
        pd.testing.assert_series_equal(
            parse(content, "the file", reading)["sensor"], rows["sensor"].replace(-200, np.nan)
        )
