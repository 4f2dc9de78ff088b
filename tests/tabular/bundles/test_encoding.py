"""Untrusted rows, columns and CSV files become arrays."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tabular.bundles.bundle import Column
from tabular.bundles.encoding import BadInput, Encoder, Notes
from tabular.bundles.predictor import Rows

COLUMNS = (
    Column(name="place", kind="category", categories=("coast", "inland", "missing"), missing_share=0.1),
    Column(name="rooms", kind="number", min=1.0, max=9.0, missing_share=0.0),
    Column(name="sold", kind="category", categories=("False", "True"), missing_share=0.0),
    Column(name="grade", kind="category", categories=("1", "2.5", "3.0"), missing_share=0.0),
    Column(name="age", kind="number", missing_share=0.0),
)
RECORDS: list[dict[str, Any]] = [
    {"place": "inland", "rooms": 3, "sold": True, "grade": 1, "age": 2.5},
    {"place": None, "rooms": None, "sold": "False", "grade": 2.5},
    {"place": "the moon", "rooms": 10.0, "sold": None, "grade": 3, "age": -1e300},
]
NUMBERS = np.array([[3.0, 2.5], [np.nan, np.nan], [10.0, -1e300]])
CODES = np.array([[1, 1, 0], [2, 0, 1], [-1, -1, 2]])
NOTES = Notes(missing={"place": 1, "rooms": 1, "age": 1, "sold": 1}, unknown={"place": 1}, out_of_range={"rooms": 1})


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(COLUMNS)


def columns_of(records: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {column.name: [record.get(column.name) for record in records] for column in COLUMNS}


def as_csv(records: list[dict[str, Any]]) -> bytes:
    cells = [
        ["" if value is None else str(value) for value in row]
        for row in zip(*columns_of(records).values(), strict=True)
    ]
    return "\r\n".join([",".join(columns_of(records)), *(",".join(row) for row in cells), ""]).encode("utf-8-sig")


def test_rows_one_by_one(encoder: Encoder) -> None:
    for record, numbers, codes in zip(RECORDS, NUMBERS, CODES, strict=True):
        # when
        rows, _ = encoder.row(record)

        # then
        np.testing.assert_array_equal(rows.numbers, numbers[None])
        np.testing.assert_array_equal(rows.codes, codes[None])
        assert (rows.numbers.dtype, rows.codes.dtype) == (np.float64, np.int32)


def test_one_row_is_noted(encoder: Encoder) -> None:
    # when
    _, notes = encoder.row(RECORDS[2])

    # then
    assert notes == Notes(missing={"sold": 1}, unknown={"place": 1}, out_of_range={"rooms": 1})


@pytest.mark.parametrize(
    "encode",
    [
        lambda encoder: encoder.rows(RECORDS),
        lambda encoder: encoder.columns(columns_of(RECORDS)),
        lambda encoder: encoder.columns(encoder.csv_table(as_csv(RECORDS))),
    ],
    ids=["rows", "columns", "csv"],
)
def test_many_rows(encode: Callable[[Encoder], tuple[Rows, Notes]], encoder: Encoder) -> None:
    # when
    rows, notes = encode(encoder)

    # then
    np.testing.assert_array_equal(rows.numbers, NUMBERS)
    np.testing.assert_array_equal(rows.codes, CODES)
    assert (rows.numbers.dtype, rows.codes.dtype) == (np.float64, np.int32)
    assert notes == NOTES


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**400, "3", "NaN", True, [], {}])
@pytest.mark.parametrize("name", ["rooms", "age"])
def test_a_value_that_is_not_a_finite_number_is_refused_everywhere(name: str, value: Any, encoder: Encoder) -> None:
    # when: in a column with a range, and in one without
    with pytest.raises(BadInput) as one:
        encoder.row({name: value})
    with pytest.raises(BadInput) as many:
        encoder.rows([{name: None}, {name: 1}, {name: value}])
    with pytest.raises(BadInput) as column:
        encoder.columns({name: [None, 1, value]})

    # then
    assert (one.value.field, one.value.row) == (name, None)
    assert [(error.value.field, error.value.row) for error in (many, column)] == [(name, 2)] * 2


@pytest.mark.parametrize("value", [[], {}, math.nan, math.inf])
def test_a_value_that_is_not_a_category_is_refused(value: Any, encoder: Encoder) -> None:
    with pytest.raises(BadInput, match="must be"):
        encoder.row({"place": value})
    with pytest.raises(BadInput) as refused:
        encoder.rows([{"place": "coast"}, {"place": value}])
    assert (refused.value.field, refused.value.row) == ("place", 1)


@pytest.mark.parametrize("cell", ["x", "nan", "inf", "1e999", "1_000", "٣", "0x10", "True"])
def test_a_cell_that_is_not_a_finite_number_is_refused(cell: str, encoder: Encoder) -> None:
    with pytest.raises(BadInput) as refused:
        encoder.columns(encoder.csv_table(f"rooms,age\n1,2\n,{cell}\n".encode()))
    assert (refused.value.field, refused.value.row) == ("age", 1)


def test_an_absent_column_is_missing_everywhere(encoder: Encoder) -> None:
    # when
    rows, notes = encoder.columns({"rooms": [1, 2]})

    # then
    np.testing.assert_array_equal(rows.codes, [[2, -1, -1]] * 2)
    assert np.isnan(rows.numbers[:, 1]).all()
    assert notes.missing == {"place": 2, "sold": 2, "grade": 2, "age": 2}


def test_an_unknown_field_is_told_the_nearest_name(encoder: Encoder) -> None:
    for encode in (
        lambda: encoder.row({"romos": 1}),
        lambda: encoder.rows([{"romos": 1}]),
        lambda: encoder.columns({"romos": [1]}),
        lambda: encoder.columns(encoder.csv_table(b"romos\n1\n")),
    ):
        with pytest.raises(BadInput) as refused:
            encode()
        assert (refused.value.field, refused.value.code) == ("romos", "unknown_field")
        assert "'rooms'" in refused.value.remedy


def test_a_cell_may_hold_commas_quotes_and_lines(encoder: Encoder) -> None:
    # given
    odd = Encoder([Column(name="a", kind="category", categories=('x,"y"\nz',), missing_share=0.0)])

    # when
    rows, _ = odd.columns(odd.csv_table(b'a\r\n"x,""y""\nz"\r\n'))

    # then
    assert rows.codes.tolist() == [[0]]


@pytest.mark.parametrize(
    ("trained", "sent"),
    [
        ("total cost", "total\N{NO-BREAK SPACE}cost"),
        ("total\N{NO-BREAK SPACE}cost", "total cost"),
        ("Caf\u00e9", "Cafe\u0301"),
        ("cost", "co\N{ZERO WIDTH SPACE}st"),
    ],
)
def test_a_field_that_looks_like_a_column_is_that_column(trained: str, sent: str) -> None:
    # given
    by = Encoder([Column(name=trained, kind="number", missing_share=0.0), *COLUMNS[:2]])
    record = {sent: 3.5, "rooms": 2, "place": "coast"}
    table = {name: [value] for name, value in record.items()}
    csv_file = f'"{sent}",rooms,place\n3.5,2,coast\n'.encode()
    # when
    found = [by.row(record), by.rows([record]), by.columns(table), by.columns(by.csv_table(csv_file))]
    # then
    for rows, notes in found:
        assert rows.numbers.tolist() == [[3.5, 2.0]] and rows.codes.tolist() == [[0]] and notes == Notes()
    # and not twice
    for twice in (lambda: by.row(record | {trained: 1}), lambda: by.rows([record | {trained: 1}])):
        with pytest.raises(BadInput, match="twice") as caught:
            twice()
        assert caught.value.code == "duplicate_field"


def test_a_letter_of_another_alphabet_is_shown() -> None:
    with pytest.raises(BadInput) as caught:
        Encoder(COLUMNS).row({"r\N{CYRILLIC SMALL LETTER O}oms": 3})
    assert "'rooms', which is spelled 'rooms' and not 'r\\u043eoms'" in str(caught.value.remedy)
