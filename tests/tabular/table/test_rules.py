"""The rules of a column: which values break them, and in which words."""

from typing import Any

import pandas as pd
import pytest

from tabular.config.stages import ColumnConfig
from tabular.table import rules

DAYS = pd.to_datetime(pd.Series(["2024-01-31 23:59", "2024-02-01 00:00", None])).astype("datetime64[us]")


@pytest.mark.parametrize(
    ("values", "config", "words", "broken"),
    [
        ([1.0, 3.0, None], {"kind": "number", "min": 2}, "must be at least 2", [True, False, False]),
        ([1.0, 3.0, None], {"kind": "number", "max": 2}, "must be at most 2", [False, True, False]),
        (["1", "3", None], {"kind": "number", "min": 2}, "must be at least 2", [False, False, False]),
        (DAYS, {"kind": "date", "earliest": "2024-02-01"}, "must not be before 2024-02-01", [True, False, False]),
        (DAYS, {"kind": "date", "latest": "2024-01-31"}, "must not be after 2024-01-31", [False, True, False]),
        (["a", "c", None], {"kind": "category", "categories": ["a", "b"]}, "must be one of a, b", [False, True, False]),
        ([1.0, 3.0, None], {"kind": "category", "categories": ["1"]}, "must be one of 1", [False, True, False]),
    ],
)
def test_values_that_break_a_rule_are_told_in_its_words(
    values: Any, config: dict[str, Any], words: str, broken: list[bool]
) -> None:
    # given
    found = rules.value_rules(ColumnConfig.model_validate(config))
    # when
    [(said, breaks)] = rules.broken(pd.Series(values), found).items()
    # then
    assert (said, breaks.tolist()) == (words, broken)


def test_a_category_may_count_in_every_spelling() -> None:
    # given
    config = ColumnConfig(kind="category", categories=("3.0", "True"))
    values = pd.Series(["3", "3.0", "true", "4"])
    # when
    [strict], [loose] = (rules.broken(values, rules.value_rules(config, every)).values() for every in (False, True))
    # then
    assert strict.tolist() == [True, False, True, True]
    assert loose.tolist() == [False, False, False, True]


def test_columns_that_are_missing_or_not_listed_are_named() -> None:
    # when
    [missing] = rules.broken_columns(["rooms", "age"], ["room", "age"], "allow")
    [unlisted] = rules.broken_columns(["age"], ["room", "age"], "refuse")
    # then
    assert (missing.column, missing.rule) == ("rooms", "must be a column of the table; the nearest column is 'room'")
    assert unlisted.column == "room" and "other_columns is 'refuse'" in unlisted.rule


def test_examples_are_few_different_and_short() -> None:
    # when / then
    assert rules.examples([3.0, 3.0, "x" * 50, *range(9)]) == ["3", "x" * rules.WIDTH, "0", "1", "2"]
