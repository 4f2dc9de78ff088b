"""From a file of which nothing is known to what it holds: in every dialect the same."""

import gzip
import io
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest

from tabular.errors import UserError
from tabular.profiling.found import TableFound
from tabular.profiling.profile import profile
from tabular.table.parsing import parse
from tests.support.dialects import DIALECTS, ROWS, Dialect, table, written


def found(
    rows: pd.DataFrame, target: str = "price", task: Literal["regression", "classification"] | None = None
) -> TableFound:
    return profile(rows.to_csv(index=False).encode(), "the file", target, task).found


def kinds(of: TableFound) -> dict[str, str]:
    return {column.name: column.kind for column in of.columns}


def dropped(of: TableFound) -> set[str]:
    return {column.name for column in of.columns if column.drop is not None}


def told(of: TableFound, column: str | None) -> str:
    return " / ".join(finding.text for finding in of.findings if finding.column == column)


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_every_dialect_gives_back_the_same_values(dialect: Dialect) -> None:
    # given
    rows = table()
    content = written(rows, dialect)

    # when
    profiled = profile(content, "the file", "price")
    read = parse(content, "the file", profiled.found.reading)

    # then: to the last digit, and as the training will read it
    pd.testing.assert_frame_equal(read, rows, check_exact=True)
    pd.testing.assert_frame_equal(profiled.rows, rows, check_exact=True)


def test_parquet_and_gzip_give_the_same_as_a_csv() -> None:
    # given
    rows = table()
    buffer = io.BytesIO()
    rows.to_parquet(buffer)

    # when
    of_csv, of_zipped, of_parquet = (
        profile(content, "the file", "price")
        for content in (written(rows, Dialect()), gzip.compress(written(rows, Dialect())), buffer.getvalue())
    )

    # then
    assert of_csv.found == of_zipped.found
    assert kinds(of_parquet.found) == kinds(of_csv.found)
    pd.testing.assert_frame_equal(of_parquet.rows, of_csv.rows)


def test_columns_of_each_kind_are_told_apart() -> None:
    # given
    rows = table().assign(
        id=range(1, ROWS + 1),
        token=[f"{number:032x}" for number in range(ROWS)],
        notes=[f"seen by {number} people at noon" for number in range(ROWS)],
        town=[f"town {number % 60}" for number in range(ROWS)],
        shop_code=[number % 45 for number in range(ROWS)],
        always=7,
        nothing=None,
        sold=[True, False] * (ROWS // 2),
    )

    # when
    of = found(rows)

    # then
    assert kinds(of) == {
        "size": "number",
        "income": "number",
        "rooms": "number",
        "colour": "category",
        "zip": "category",
        "since": "date",
        "price": "number",
        "id": "identifier",
        "token": "identifier",
        "notes": "text",
        "town": "category",
        "shop_code": "category",
        "always": "constant",
        "nothing": "empty",
        "sold": "boolean",
    }
    assert dropped(of) == {"id", "token", "notes", "always", "nothing"}
    assert set(of.reading.text) == {"zip", "shop_code"} and of.reading.dates == ("since",)


@pytest.mark.parametrize("name", ["heat_index", "body mass index", "key", "nr", "class size", "typeCount", "пробег"])
def test_whole_numbers_under_a_name_that_may_mislead_stay_numbers(name: str) -> None:
    assert kinds(found(table().assign(**{name: [20 + number % 25 for number in range(ROWS)]})))[name] == "number"


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["yes", "no"] * 120, "classification"),
        ([True, False] * 120, "classification"),
        ([0, 1] * 120, "classification"),
        ([1, 2, 3, 4] * 60, "classification"),
        ([3, 4, 5, 8] * 60, "regression"),
        (list(range(100, 340)), "regression"),
        ([1.5, 2.5, 3.5] * 80, "regression"),
    ],
    ids=["words", "booleans", "two codes", "codes", "grades", "whole numbers", "decimals"],
)
def test_the_target_tells_the_task(values: list[Any], task: str) -> None:
    # when
    of = found(table().assign(price=values))
    # then
    assert of.target.task == task
    assert sum(of.target.classes.values()) == (ROWS if task == "classification" else 0)


def test_the_task_can_be_given() -> None:
    assert found(table().assign(price=[1, 2, 3, 4] * 60), task="regression").target.task == "regression"
    with pytest.raises(UserError, match="'colour'.* is not a number"):
        found(table(), "colour", "regression")


def test_every_spelling_of_a_hole_is_found() -> None:
    # given: a number with all of them, a word among numbers, and a question mark among categories
    rows = table().astype({"size": object})
    for place, hole in enumerate(["NA", "?", "", "-", "null", "n/a", "N.A.", "unknown"]):
        rows.loc[place, "size"] = hole
    rows.loc[:3, "colour"] = "?"

    # when
    of = found(rows)

    # then
    assert kinds(of)["size"] == "number"
    assert set(of.reading.missing or ()) == {"NA", "?", "-", "null", "n/a", "N.A.", "unknown"}
    assert "'unknown' in 1 rows" in told(of, "size")
    assert next(column for column in of.columns if column.name == "colour").levels == (
        "blau, hell", "grün", 'mit "Zitat"', "rot",
    )  # fmt: skip


def test_words_that_are_classes_are_no_holes() -> None:
    # when
    nones = found(table().assign(price=["None", "mild", "severe"] * 80))
    signs = found(table().assign(price=["+", "-"] * 120, rhesus=["+", "-", "+"] * 80))
    dashes = found(table().assign(price=["yes", "no", "-"] * 80))
    # then
    assert set(nones.target.classes) == {"None", "mild", "severe"} and nones.target.missing == 0
    assert set(signs.target.classes) == {"+", "-"}
    assert next(column for column in signs.columns if column.name == "rhesus").levels == ("+", "-")
    assert (set(dashes.target.classes), dashes.target.missing) == ({"yes", "no"}, 80)


def test_a_target_with_holes_is_dropped_by_row_and_told() -> None:
    # given
    rows = table().assign(price=[0, 1] * 120).astype({"price": object})
    rows.loc[:11, "price"] = ""
    # when
    of = found(rows)
    # then: without the ".0" of a column with holes
    assert of.target.classes == {"0": 114, "1": 114}
    assert (of.target.missing, of.used, of.reading.target_missing) == (12, ROWS - 12, "drop")
    assert "12 of 240 rows" in told(of, "price")


def test_rows_that_repeat_are_dropped_unless_the_columns_are_coarse() -> None:
    # given
    rows = table()
    coarse = pd.DataFrame({"colour": ["red", "blue"] * 100, "price": ["a", "a", "b", "b"] * 50})
    # when
    few, many = found(pd.concat([rows, rows.head(10)])), found(coarse)
    # then
    assert (few.duplicates, few.drop_duplicates, few.used) == (10, True, ROWS)
    assert (many.duplicates, many.drop_duplicates, many.used) == (196, False, 200)


def test_places_are_found_by_name_and_range() -> None:
    # given
    random = np.random.default_rng(0)
    place = {"pickup_lat": random.uniform(40, 41, ROWS), "pickup_lng": random.uniform(-74, -73, ROWS)}
    # when / then
    assert found(table().assign(**place)).places == ("pickup_lng", "pickup_lat")
    assert found(table().assign(**place | {"pickup_lat": random.uniform(400, 900, ROWS)})).places is None


def test_what_is_odd_is_told() -> None:
    # given
    rows = table().assign(
        price=["rare"] * 4 + ["common"] * (ROWS - 4),
        cost=[f"{number / 7:.2f} EUR" for number in range(ROWS)],
        met=["01/02/2023", "03/04/2023", "05/06/2023"] * 80,
        age=[-999.0, *range(2, 81)] * 3,
    )
    # when
    of = found(rows)
    # then
    assert "heavy class imbalance: 'rare' is 4 of 240" in told(of, "price")
    assert "too few rows" in told(of, "price")
    assert "'EUR' is taken away in 240 cells" in told(of, "cost")
    assert "read in two ways: read with the month first" in told(of, "met")
    assert "-999 in 3 rows may stand for a missing value" in told(of, "age")


@pytest.mark.parametrize(
    ("change", "target", "said"),
    [
        ({}, "prize", "no column 'prize'; the nearest is 'price'"),
        ({"price": None}, "price", "no value at all"),
        ({"price": "a"}, "price", "one value only, 'a'"),
        ({"price": ["alone", *["a"] * 239]}, "price", "single row: 'alone'"),
        ({"price": [f"word {n}" for n in range(240)]}, "price", "240 different values, such as 'word 0'"),
        ({"price": pd.date_range("2020-01-01", periods=240)}, "price", "is a date"),
    ],
    ids=["no such column", "no value", "one class", "a class of one row", "free text", "a date"],
)
def test_a_target_that_cannot_be_learned_is_one_line(change: dict[str, Any], target: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        found(table().assign(**change), target)
    assert str(caught.value).startswith("--target: ") and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"a,b\n", "a header and no rows"),
        (b"just words\nand more\n", "its header has one column"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" * 20, "its bytes are not text"),
        (b"PK\x03\x04" + bytes(range(256)), "ZIP archive or an Excel workbook"),
        (b"a;b\n1;2\n1;2;3\n", r"line 3 has 3 value\(s\)"),
        (b"a,b\n" + b"1,2\n3,4\n" * 4, "8 rows to learn from; 30 are the fewest"),
        (b"b,c\n" + b"".join(b"%d,%d\n" % (n, 2 * n) for n in range(50)), "no column to learn from .*LEAK"),
        (b"1,2.5\n" * 50, "the first line holds numbers"),
    ],
    ids=["empty", "header", "words", "picture", "zip", "ragged", "few rows", "only leaks", "no header"],
)
def test_what_is_no_table_to_learn_from_is_one_line(content: bytes, said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        profile(content, "the file", "b")
    assert "\n" not in str(caught.value)
