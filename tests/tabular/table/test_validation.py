"""The contract with the data: each rule kept and broken."""

from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest

from tabular.config.stages import ColumnConfig, TargetConfig, ValidationConfig
from tabular.errors import UserError
from tabular.reports.training import Check, ValidationReport
from tabular.table.validation import refuse, validate

ROWS = 60


def table(**changes: Any) -> pd.DataFrame:
    """A table that breaks no rule, with columns replaced."""
    frame = pd.DataFrame(
        {
            "age": np.linspace(1.0, 50.0, ROWS),
            "colour": ["red", "blue", "green"] * (ROWS // 3),
            "price": np.arange(ROWS, dtype=float),
        }
    )
    return frame.assign(**changes)


def check(
    frame: pd.DataFrame,
    column: str = "price",
    task: Literal["regression", "classification"] = "regression",
    **rules: Any,
) -> list[Check]:
    return validate(frame, TargetConfig(column=column, task=task), ValidationConfig(**rules)).failures


def age(**rules: Any) -> dict[str, ColumnConfig]:
    return {"age": ColumnConfig(kind="number", **rules)}


def first(frame: pd.DataFrame, column: str, *values: object) -> pd.DataFrame:
    """The table with the first values of a column replaced, whatever their type."""
    return frame.assign(**{column: pd.Series([*values, *frame[column].iloc[len(values) :]])})


def test_table_that_keeps_every_rule_passes() -> None:
    # given
    columns = age(min=1, max=50) | {
        "colour": ColumnConfig(kind="category", categories=("red", "blue", "green")),
        "price": ColumnConfig(kind="number", min=0),
    }
    # when
    failures = check(table(), columns=columns, other_columns="refuse", max_duplicate_share=0.0)
    # then
    assert failures == []


@pytest.mark.parametrize(
    ("rules", "rule", "failed", "examples"),
    [
        ({"min": 5.0}, "must be at least 5", 2, ["1", "3.5"]),
        ({"max": 1.5}, "must be at most 1.5", 1, ["3.5"]),
        ({}, "must have no missing value", 2, []),
        ({"max_missing": 0.01}, "must have at most 1% missing values", 2, []),
    ],
)
def test_broken_rule_of_a_column_is_counted(rules: dict[str, Any], rule: str, failed: int, examples: list[str]) -> None:
    # given
    frame = table(age=[1.0, 3.5, None, None] + [5.0 if "min" in rules else 1.0] * (ROWS - 4))
    limits = {"max_missing": 0.5} | rules if "min" in rules or "max" in rules else rules
    # when
    failures = check(frame, columns=age(**limits))
    # then
    assert failures == [Check(column="age", rule=rule, failed=failed, examples=examples)]


def test_tolerated_share_of_holes_passes() -> None:
    # given
    frame = first(table(), "age", np.nan, np.nan, np.nan)
    # when / then
    assert check(frame, columns=age(max_missing=0.05)) == []
    assert len(check(frame, columns=age(max_missing=0.049))) == 1


def test_number_that_arrives_as_text_is_one_failure_with_examples() -> None:
    # given
    frame = first(table(), "age", "unknown", "12 years", 3.0).astype({"age": str})
    # when
    failures = check(frame, columns=age(min=1, max=52))
    # then
    assert failures == [
        Check(
            column="age",
            rule="must be a number, but is text or a boolean",
            failed=2,
            examples=["unknown", "12 years"],
        )
    ]


def test_text_that_looks_like_numbers_is_still_text() -> None:
    # when
    failures = check(table(age=[str(number) for number in range(ROWS)]), columns=age())
    # then
    assert [(failure.failed, failure.examples) for failure in failures] == [(ROWS, ["0", "1", "2", "3", "4"])]


def test_unknown_categories_are_named_and_codes_are_compared_as_text() -> None:
    # given
    colours = {"colour": ColumnConfig(kind="category", categories=("red", "blue"))}
    codes = {"code": ColumnConfig(kind="category", categories=("1", "2"), max_missing=0.1)}
    # when
    failures = check(table(), columns=colours)
    kept = check(table(code=[np.nan] + [1, 2] * 29 + [1]), columns=codes)
    # then
    expected = Check(column="colour", rule="must be one of red, blue", failed=20, examples=["green"])
    assert failures == [expected]
    assert kept == []


def test_missing_and_unlisted_columns_are_named() -> None:
    # when
    failures = check(table(), columns={"agee": ColumnConfig(kind="number")}, other_columns="refuse")
    # then
    by_column = {failure.column: failure.rule for failure in failures}
    assert by_column.keys() == {"agee", "age", "colour"}
    assert by_column["agee"] == "must be a column of the table; the nearest column is 'age'"
    assert "other_columns is 'refuse'" in by_column["colour"]


def test_duplicates_beyond_the_share_are_counted() -> None:
    # given
    frame = pd.concat([table(), table().head(6)], ignore_index=True)
    # when
    report = validate(frame, TargetConfig(column="price"), ValidationConfig(max_duplicate_share=0.05))
    # then
    rule = "at most 5% of the rows may repeat an earlier row"
    assert report.duplicates == 6
    assert report.failures == [Check(column=None, rule=rule, failed=6, examples=[])]
    assert check(frame, max_duplicate_share=0.1) == []


def test_too_few_rows_are_refused() -> None:
    # when / then
    rule = "the table must have at least 61 rows, not 60"
    assert check(table(), min_rows=61) == [Check(column=None, rule=rule, failed=0, examples=[])]


def test_infinite_numbers_are_refused_whether_listed_or_not() -> None:
    # given
    frame = first(table(), "age", np.inf, -np.inf)
    # when / then
    expected = [Check(column="age", rule="must be finite", failed=2, examples=["inf", "-inf"])]
    assert check(frame) == expected
    assert check(frame, columns=age()) == expected


def test_text_target_of_a_regression_tells_the_way_out_once() -> None:
    # given
    frame = first(table(), "price", "n/a?").astype({"price": str})
    # when
    failures = check(frame, columns={"price": ColumnConfig(kind="number", min=0)})
    # then
    assert len(failures) == 1
    assert "is text" in failures[0].rule and "set target.task=classification or fix the column" in failures[0].rule
    assert (failures[0].failed, failures[0].examples) == (1, ["n/a?"])


@pytest.mark.parametrize(
    ("frame", "column", "task", "rule", "failed"),
    [
        (first(table(), "price", np.nan), "price", "regression", "must have no missing value", 1),
        (first(table(), "colour", None, None), "colour", "classification", "must have no missing value", 2),
        (table(price=1.0), "price", "regression", "must have more than one value", 0),
        (table(colour="red"), "colour", "classification", "must have more than one value", 0),
        (first(table(), "colour", "pink"), "colour", "classification", "each of its classes must have at least 2", 1),
        (table(), "prices", "regression", "must be a column of the table; the nearest column is 'price'", 0),
    ],
)
def test_target_that_cannot_be_learned_is_refused(
    frame: pd.DataFrame, column: str, task: Literal["regression", "classification"], rule: str, failed: int
) -> None:
    # when
    failures = check(frame, column, task)
    # then
    assert [failure.failed for failure in failures] == [failed]
    assert failures[0].column == column and rule in failures[0].rule


@pytest.mark.parametrize("values", [["a", "b"] * 30, [True, False] * 30, [0, 1] * 30], ids=["text", "bool", "codes"])
def test_classes_of_any_kind_pass(values: list[Any]) -> None:
    # when / then
    assert check(table(label=values), "label", "classification") == []


def test_all_failures_come_in_one_line() -> None:
    # given
    frame = first(table(), "age", 99.0)
    columns = age(max=52) | {"size": ColumnConfig(kind="number")}
    # when
    report = validate(frame, TargetConfig(column="price"), ValidationConfig(columns=columns, min_rows=100))
    # then
    assert len(report.failures) == 3
    with pytest.raises(UserError) as caught:
        refuse(report)
    said = str(caught.value)
    assert "\n" not in said and said.count("; ") >= 3
    for part in ("3 rule(s)", "'age' must be at most 52 (1 row, such as '99')", "'size'", "at least 100 rows, not 60"):
        assert part in said


def test_sound_report_is_not_refused() -> None:
    # given
    report = validate(table(), TargetConfig(column="price"), ValidationConfig())
    # when / then
    assert report.failures == []
    refuse(report)


def test_profile_shows_each_column_at_a_glance() -> None:
    # given
    frame = first(table(), "age", np.nan, np.inf)
    # when
    report = validate(frame, TargetConfig(column="price"), ValidationConfig())
    ages, colours, prices = report.columns
    # then
    assert (ages.name, ages.dtype, ages.missing, ages.distinct) == ("age", "float64", 1, 59)
    assert ages.maximum == 50.0
    assert (prices.minimum, prices.mean, prices.maximum, prices.top) == (0.0, 29.5, 59.0, [])
    assert (colours.minimum, colours.top) == (None, [("blue", 20), ("green", 20), ("red", 20)])
    assert ValidationReport.model_validate_json(report.model_dump_json()) == report


def test_dates_are_held_to_their_days() -> None:
    # given
    days = pd.date_range("2024-01-01 18:00", periods=ROWS).astype("datetime64[us]")
    fits = {"day": ColumnConfig(kind="date", earliest="2024-01-01", latest="2024-02-29")}
    tight = {"day": ColumnConfig(kind="date", earliest="2024-01-03", latest="2024-02-28")}
    # when / then: the last day counts to its end
    assert check(table(day=days), columns=fits) == []
    assert [(f.rule, f.failed, f.examples) for f in check(table(day=days), columns=tight)] == [
        ("must not be before 2024-01-03", 2, ["2024-01-01 18:00:00", "2024-01-02 18:00:00"]),
        ("must not be after 2024-02-28", 1, ["2024-02-29 18:00:00"]),
    ]


def test_text_that_should_be_a_date_is_one_failure() -> None:
    # given
    columns = {"colour": ColumnConfig(kind="date", earliest="2024-01-01")}
    # when
    [failure] = check(table(), columns=columns)
    # then
    assert failure.rule.startswith("must be a date, but is not read as one") and failure.failed == ROWS
