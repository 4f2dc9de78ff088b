"""Dates and booleans in requests."""

from typing import Any

import numpy as np
import pytest

from tabular.arithmetic.dates import days
from tabular.bundles.bundle import Column
from tabular.bundles.encoding import BadInput, Encoder

SOLD = Column(name="sold", kind="date", min=days("2020-01-01"), max=days("2021-12-31"), missing_share=0.1)
SIZE = Column(name="size", kind="number", min=0.0, max=9.0, missing_share=0.0)
NEW = Column(name="new", kind="category", categories=("False", "True", "missing"), missing_share=0.1)
FLAG = Column(name="flag", kind="category", categories=("false", "true"), missing_share=0.0)
ENCODER = Encoder([SIZE, SOLD, NEW, FLAG])


def test_a_date_is_days_in_its_place_among_the_numbers() -> None:
    # when
    rows, notes = ENCODER.row({"size": 1.0, "sold": "2020-02-29T12:00:00+00:00", "new": True, "flag": True})
    # then
    assert rows.numbers.tolist() == [[1.0, days("2020-02-29") + 0.5]]
    assert not notes.out_of_range


def test_a_date_may_be_missing_or_out_of_range() -> None:
    # when
    rows, notes = ENCODER.rows([{"size": 1.0, "sold": None}, {"size": 1.0}, {"sold": "1999-12-31"}])
    # then
    assert np.isnan(rows.numbers[:2, 1]).all()
    assert notes.missing == {"size": 1, "sold": 2, "new": 3, "flag": 3}
    assert notes.out_of_range == {"sold": 1}


@pytest.mark.parametrize("text", ["true", "True", "TRUE", True])
@pytest.mark.parametrize("name", ["new", "flag"])
def test_a_boolean_is_one_however_it_is_spelled(name: str, text: Any) -> None:
    # when
    (one, notes), (many, _) = ENCODER.row({name: text}), ENCODER.columns({name: [text, None]})
    # then it is the second category, in the first or the second column of codes
    at = ["new", "flag"].index(name)
    assert one.codes[0, at] == many.codes[0, at] == 1
    assert not notes.unknown


def test_a_boolean_in_a_csv_is_one_too_and_an_empty_cell_is_missing() -> None:
    # when
    rows, notes = ENCODER.columns(ENCODER.csv_table(b"new,sold,flag\ntrue,2020-05-06,FALSE\n,,\n"))
    # then
    assert rows.codes.tolist() == [[1, 0], [2, -1]]
    assert rows.numbers[0, 1] == days("2020-05-06")
    assert notes.missing == {"size": 2, "sold": 1, "new": 1, "flag": 1}


def test_text_that_is_not_a_boolean_is_an_unknown_category() -> None:
    assert ENCODER.row({"new": "yes"})[1].unknown == {"new": 1}


@pytest.mark.parametrize(
    ("value", "said", "code"),
    [
        (18_000, "must be a date as ISO 8601 text, not a number", "invalid_type"),
        (1.5, "must be a date as ISO 8601 text, not a number", "invalid_type"),
        (True, "must be a date as ISO 8601 text, not true", "invalid_type"),
        ([], "must be a date as ISO 8601 text, not a list", "invalid_type"),
        ("", "must be a date in ISO 8601, not ''", "invalid_value"),
        ("06.05.2020", "must be a date in ISO 8601, not '06.05.2020'", "invalid_value"),
        ("2020-05-06T00:00:00." + "0" * 50, "must be a date in ISO 8601, not '2020-05-06T00:00:00.", "invalid_value"),
        ("2021-02-29", "must be a date in ISO 8601, not '2021-02-29'", "invalid_value"),
    ],
)
def test_a_value_that_is_not_a_date_is_refused_with_its_place(value: Any, said: str, code: str) -> None:
    for call, row in (
        (lambda: ENCODER.row({"sold": value}), None),
        (lambda: ENCODER.rows([{"sold": None}, {"sold": value}]), 1),
        (lambda: ENCODER.columns({"sold": [None, value]}), 1),
    ):
        with pytest.raises(BadInput, match=said) as caught:
            call()
        assert (caught.value.field, caught.value.row, caught.value.code) == ("sold", row, code)
        assert "2024-02-29" in caught.value.remedy


def test_an_array_of_numbers_is_not_a_column_of_dates() -> None:
    with pytest.raises(BadInput, match="must be a date as ISO 8601 text"):
        ENCODER.columns({"sold": np.array([np.nan, 1.0])})
