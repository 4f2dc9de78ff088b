"""Numbers as people write them: with units, odd cells, as times of day, with years of two digits."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tabular.errors import UserError
from tabular.profiling.profile import profile
from tabular.table.parsing import parse
from tests.support.columns import PRICES, ROWS, SMALL, csv, kind, told


def swiss(value: float) -> str:
    whole, cents = divmod(round(value * 100), 100)
    return f"CHF {whole}.{cents:02}" if cents else f"CHF {whole}.-"


WITH_UNITS: dict[str, tuple[Callable[[float], str], Callable[[float], float]]] = {
    "dollars": (lambda x: f"${x:,.2f}", lambda x: x),
    "dollars behind a sign": (lambda x: f"-${x:,.2f}", lambda x: -x),
    "euros behind": (lambda x: f"{x:,.2f} €", lambda x: x),
    "francs without cents": (swiss, lambda x: x),
    "rupees with a dot": (lambda x: f"Rs.{4 * x:.0f}", lambda x: 4 * x),
    "reais": (lambda x: f"R$ {x:.2f}", lambda x: x),
    "percent": (lambda x: f"{x}%", lambda x: x),
    "percent after a blank": (lambda x: f"{10 * x:.1f} %", lambda x: 10 * x),
    "parentheses": (lambda x: f"({x:.2f})" if x < 50 else f"{x:.2f}", lambda x: -x if x < 50 else x),
    "parentheses and a currency": (lambda x: f"(${x:.2f})" if x < 50 else f"${x:.2f}", lambda x: -x if x < 50 else x),
    "minus behind": (lambda x: f"{x:.2f}-" if x < 50 else f"{x:.2f}", lambda x: -x if x < 50 else x),
    "a true minus": (lambda x: f"\N{MINUS SIGN}{x:.2f} €", lambda x: -x),
    "kilograms": (lambda x: f"{x} kg", lambda x: x),
    "square metres": (lambda x: f"{x}m2", lambda x: x),
    "words": (lambda x: f"{x} sq. ft", lambda x: x),
    "degrees": (lambda x: f"{x}°C", lambda x: x),
    "thousands of pounds": (lambda x: f"£{x}k", lambda x: x),
}


@pytest.mark.parametrize(("write", "value"), WITH_UNITS.values(), ids=WITH_UNITS)
def test_a_target_with_a_unit_is_a_number(write: Callable[[float], str], value: Callable[[float], float]) -> None:
    # given
    content = csv(price=[write(x) for x in SMALL], other=SMALL[::-1])
    # when
    profiled = profile(content, "the file", "price")
    # then: told, and read in the same way by the training
    assert profiled.found.target.task == "regression"
    wanted = [value(x) for x in SMALL]
    np.testing.assert_allclose(parse(content, "the file", profiled.found.reading)["price"], wanted)
    np.testing.assert_allclose(profiled.rows["price"], wanted)
    assert "see data.reading.numbers" in told(profiled.found, "price")


def test_inputs_with_units_are_numbers() -> None:
    # given
    texts = {name: [write(x) for x in SMALL] for name, (write, _) in WITH_UNITS.items()}
    content = csv(**texts, price=SMALL[::-1])
    # when
    found = profile(content, "the file", "price").found
    read = parse(content, "the file", found.reading)
    # then
    for name, (_, value) in WITH_UNITS.items():
        np.testing.assert_allclose(read[name], [value(x) for x in SMALL])
        assert "see data.reading.numbers" in told(found, name)


@pytest.mark.parametrize(
    "labels",
    [["$1.99", "$2.39", "$5"], ["5%", "10%"], ["1 €", "2 €", "3 €"], ["(1.5)", "$2", "$7"]],
    ids=["prices", "two rates", "whole euros", "a loss"],
)
def test_a_few_prices_are_no_classes(labels: list[str]) -> None:
    content = csv(price=[labels[place % len(labels)] for place in range(ROWS)])
    assert profile(content, "the file", "price").found.target.task == "regression"


@pytest.mark.parametrize(
    "labels",
    [["Stage 1", "Stage 2", "Stage 3"], ["1st", "2nd", "3rd"], ["4WD", "2WD"], ["A1", "B2", "C3"], ["10-20", "20-30"]],
    ids=["stages", "ranks", "drives", "codes", "ranges"],
)
def test_labels_with_digits_stay_labels(labels: list[str]) -> None:
    # given
    column = [labels[place % len(labels)] for place in range(ROWS)]
    # when
    found = profile(csv(price=column, sort=column[::-1]), "the file", "price").found
    # then
    assert set(found.target.classes) == set(labels)
    assert set(next(column for column in found.columns if column.name == "sort").levels) == set(labels)
    assert not found.reading.numbers


@pytest.mark.parametrize(
    ("one", "other"),
    [("${}", "€{}"), ("{} kg", "{} lb"), ("£{}k", "£{}"), ("{}%", "{}")],
    ids=["money", "weight", "k", "%"],
)
def test_different_units_are_not_merged(one: str, other: str) -> None:
    # given
    texts = [(one if place % 2 else other).format(x) for place, x in enumerate(SMALL)]
    # when
    found = profile(csv(weight=texts, price=SMALL), "the file", "price").found
    # then
    assert "different units" in told(found, "weight") and "120 rows" in told(found, "weight")
    assert not found.reading.numbers
    with pytest.raises(UserError, match="looks like numbers with units .*write all of them in one way"):
        profile(csv(price=texts), "the file", "price")


def test_a_unit_that_few_cells_have_is_a_hole_and_told() -> None:
    # given
    texts = [f"{x} kg" for x in SMALL]
    texts[:9] = [f"{x} lb" for x in SMALL[:9]]
    content = csv(weight=texts, price=SMALL[::-1])
    # when
    found = profile(content, "the file", "price").found
    # then
    assert parse(content, "the file", found.reading)["weight"].isna().sum() == 9
    assert "9 cells" in told(found, "weight") and "lb'" in told(found, "weight")


ODD = {
    "a word": ["tbd"] * 48,
    "a word very often": ["tbd"] * 90,
    "ranges": [f"{x} - {x + 50}" for x in range(1000, 1030)],
    "other units": [f"{x}Sq. Meter" for x in range(20)],
    "remarks": ["n/a*", "see below", "approx. 50", "<5", ">100", "12+", "x"] * 3,
}


def with_odd(odd: list[str]) -> list[str]:
    return [odd[place - 20] if 20 <= place < 20 + len(odd) else str(x) for place, x in enumerate(PRICES)]


def test_odd_cells_among_numbers_are_holes() -> None:
    # given
    content = csv(**{name: with_odd(odd) for name, odd in ODD.items()}, price=SMALL)
    # when
    found = profile(content, "the file", "price").found
    read = parse(content, "the file", found.reading)
    # then: named, counted, with an odd one as an example
    for name, odd in ODD.items():
        assert kind(found, name) == "number"
        assert list(np.flatnonzero(read[name].isna())) == list(range(20, 20 + len(odd)))
        assert f"{len(odd)} cells" in told(found, name)
        assert any(repr(word) in told(found, name) for word in odd)


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_rows_with_an_odd_target_are_dropped_and_told_loudly(odd: list[str]) -> None:
    # given
    content = csv(price=with_odd(odd), other=SMALL)
    # when
    found = profile(content, "the file", "price").found
    # then
    assert (found.target.task, found.target.missing, found.reading.target_missing) == ("regression", len(odd), "drop")
    assert f"{len(odd)} cells" in told(found, "price", "loud")


def test_where_words_are_as_many_as_numbers_they_are_text() -> None:
    # given: tickets, half of which are numbers, and postal codes with a suffix here and there
    tickets = [str(x) if place % 2 else f"PC {x}" for place, x in enumerate(PRICES)]
    zips = [f"{x % 20 + 10_000}" if place % 9 else "10001-1234" for place, x in enumerate(PRICES)]
    # when
    found = profile(csv(ticket=tickets, zip=zips, price=SMALL), "the file", "price").found
    # then
    assert not found.reading.numbers and kind(found, "zip") == "category"


@pytest.mark.parametrize(
    ("write", "said"),
    [("%-H:%M", "'10:00'"), ("%-H:%M:%S", "'10:00:00'"), ("%I:%M %p", "'07:05 AM'"), ("%-I:%M%p", "'10:00AM'")],
)
def test_times_of_day_are_hours(write: str, said: str) -> None:
    # given
    start = datetime(2026, 1, 1, 7, 5, tzinfo=UTC)
    moments = [start + timedelta(minutes=7 * place) for place in range(ROWS)]
    content = csv(start=[moment.strftime(write) for moment in moments], price=SMALL)
    # when
    found = profile(content, "the file", "price").found
    # then
    wanted = [moment.hour + moment.minute / 60 for moment in moments]
    np.testing.assert_allclose(parse(content, "the file", found.reading)["start"], wanted)
    assert kind(found, "start") == "number" and f"240 times, such as {said}, which is " in told(found, "start")


@pytest.mark.parametrize("write", ["%d-%b-%y", "%m/%d/%y", "%d.%m.%y"])
def test_nobody_is_born_in_the_future(write: str) -> None:
    # given
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    born = [today - timedelta(days=130 * place) for place in range(ROWS)]
    content = csv(born=[day.strftime(write) for day in born], price=SMALL)
    # when
    found = profile(content, "the file", "price").found
    # then
    assert list(parse(content, "the file", found.reading)["born"]) == born
    assert "years of two digits" in told(found, "born")


def test_a_contract_may_end_in_the_future() -> None:
    # given
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    ends = [today + timedelta(days=9 * (place - 100)) for place in range(ROWS)]
    content = csv(ends=[day.strftime("%d-%b-%y") for day in ends], price=SMALL)
    # when
    found = profile(content, "the file", "price").found
    # then
    assert list(parse(content, "the file", found.reading)["ends"]) == ends
    assert "years of two digits" in told(found, "ends")


def test_numbers_wider_than_float64_stay_different() -> None:
    # given
    wide = np.arange(2**63, 2**63 + ROWS, dtype=np.uint64)
    holes = pa.array(wide.tolist(), pa.uint64(), mask=np.arange(ROWS) % 40 == 0)
    rows = pa.table({"u64": wide, "with_holes": holes, "rooms": np.arange(ROWS) % 7, "price": SMALL})
    buffer = io.BytesIO()
    pq.write_table(rows, buffer)
    # when / then
    for content in (
        rows.to_pandas(types_mapper={pa.uint64(): pd.UInt64Dtype()}.get).to_csv(index=False).encode(),
        buffer.getvalue(),
    ):
        found = profile(content, "the file", "price").found
        facts = {column.name: (column.kind, column.distinct, column.missing) for column in found.columns}
        assert (facts["u64"], facts["with_holes"]) == (("identifier", ROWS, 0), ("identifier", ROWS - 6, 6))


def test_decimal_numbers_that_parquet_stores_as_text_are_numbers() -> None:
    # given: prices and sizes as text, with marks of their own, and codes as text
    rows = pd.DataFrame(
        {
            "size": [f"{x:.2f}".replace(".", ",") for x in SMALL],
            "code": [str(place % 40) for place in range(ROWS)],
            "price": [f"{x % 9 + 0.99:.2f}".replace(".", ",") for x in PRICES],
        }
    )
    buffer = io.BytesIO()
    rows.to_parquet(buffer)
    # when
    found = profile(buffer.getvalue(), "the file", "price").found
    read = parse(buffer.getvalue(), "the file", found.reading)
    # then
    assert found.target.task == "regression" and kind(found, "code") == "category"
    np.testing.assert_allclose(read["size"], SMALL)
    np.testing.assert_allclose(read["price"], PRICES % 9 + 0.99)
    assert "stored as text" in told(found, "price")


def test_columns_that_may_be_sensitive_are_offered_as_slices() -> None:
    # given
    sex, age = ["f", "m"] * (ROWS // 2), [place % 60 + 18 for place in range(ROWS)]
    # when
    found = profile(csv(Geschlecht=sex, ageInYears=age, stage=age[::-1], price=SMALL), "the file", "price").found
    # then
    assert "evaluation.slices: [Geschlecht, ageInYears]" in told(found, None)


def test_what_was_done_to_the_cells_is_told() -> None:
    # given
    rows = {
        "id": range(ROWS),
        "code": [f"{place % 30:03}" for place in range(ROWS)],
        "day": [f"2024-01-{place % 28 + 1:02}" for place in range(ROWS)],
        "size": ["?"] * 7 + [str(place % 50) for place in range(ROWS - 7)],
    }
    # when
    found = profile(csv(**rows, price=SMALL), "the file", "price").found
    # then
    assert "remove its line from data.drop_columns to use it" in told(found, "id")
    for said in (
        "code (240 cells): read as text",
        "day (240 cells): read as dates",
        "size (7 cells): read as holes (?)",
    ):
        assert said in told(found, None)
