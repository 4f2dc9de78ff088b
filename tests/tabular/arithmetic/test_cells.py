"""What single cells mean."""

import re

import pytest

from tabular.arithmetic import cells


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5", 5.0),
        ("-1.5e3", -1500.0),
        (" 7 ", 7.0),
        (".5", 0.5),
        ("1_000", None),
        ("\u0663", None),
        ("inf", None),
        ("1e999", None),
        ("nan", None),
        ("five", None),
    ],
)
def test_a_text_is_a_finite_number_or_none(text: str, number: float | None) -> None:
    # when / then
    assert cells.number(text) == number


@pytest.mark.parametrize(
    ("text", "decimal", "thousands", "fits"),
    [
        ("1.5", ".", None, True),
        ("1,5", ".", None, False),
        ("1.234.567,8", ",", ".", True),
        ("1.23.4", ",", ".", False),
        ("1\u202f000", ",", " ", True),
        ("1'000", ".", "'", True),
        ("1e5", ".", None, True),
        ("e5", ".", None, False),
    ],
)
def test_a_number_is_written_with_the_marks_of_its_file(
    text: str, decimal: str, thousands: str | None, fits: bool
) -> None:
    # when / then
    assert bool(re.fullmatch(cells.number_pattern(decimal, thousands), text)) is fits


def test_the_holes_of_a_file_are_those_of_its_config() -> None:
    # when / then
    assert cells.holes(None, is_text=True) == {"", *cells.MISSING}
    assert cells.holes(None, is_text=False) is None
    assert cells.holes(["?"], is_text=True) == cells.holes(["?"], is_text=False) == {"", "?"}
    assert cells.drops_infinite(["-inf"]) and not cells.drops_infinite(["?"]) and not cells.drops_infinite(None)


def test_a_category_is_found_in_each_of_its_spellings() -> None:
    # given
    codes = cells.with_spellings(["3.0", "True", "bay"])
    # when / then
    assert [codes.get(text) for text in ("true", "TRUE", "True", "bay", "Bay")] == [1, 1, 1, 2, None]
    assert [cells.spelled(text, codes) for text in ("3", "3.0", "4")] == ["3.0", "3.0", "4"]
    assert [cells.label(value) for value in (3.0, 3, 2.5, "3.0", True)] == ["3", "3", "2.5", "3.0", "True"]


def test_the_forms_of_a_date_follow_from_its_look() -> None:
    # when / then
    assert cells.date_forms("01/02/2024", day_first=False) == ["%m/%d/%Y", "%d/%m/%Y"]
    assert cells.date_forms("01/02/2024", day_first=True) == ["%d/%m/%Y", "%m/%d/%Y"]
    assert "%d.%m.%Y %H:%M" in cells.date_forms("1.2.2024 10:30", day_first=False)
    assert cells.date_forms("soon", day_first=False) == []
