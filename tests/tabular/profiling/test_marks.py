"""What a dot or a comma does in the numbers of a file: it parts the decimals, or it groups the digits."""

from typing import Any

import numpy as np
import pytest

from tabular.profiling.profile import profile
from tabular.table.parsing import parse
from tests.support.columns import PRICES, ROWS, SMALL, csv, told

GROUPED = {
    "German": (";", lambda x: f"{x:,}".replace(",", ".")),
    "German, tabs": ("\t", lambda x: f"{x:,}".replace(",", ".")),
    "US": (",", lambda x: f"{x:,}"),
    "US, semicolons": (";", lambda x: f"{x:,}"),
    "Swiss": (";", lambda x: f"{x:,}".replace(",", "'")),
    "Swiss, curved": (",", lambda x: f"{x:,}".replace(",", "\N{RIGHT SINGLE QUOTATION MARK}")),
    "blanks": (";", lambda x: f"{x:,}".replace(",", " ")),
    "thin blanks": (",", lambda x: f"{x:,}".replace(",", "\N{THIN SPACE}")),
    "narrow blanks": (";", lambda x: f"{x:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")),
}


@pytest.mark.parametrize(("separator", "write"), GROUPED.values(), ids=GROUPED)
def test_grouped_whole_numbers_are_whole(separator: str, write: Any) -> None:
    # given
    content = csv(separator, km=[write(x) for x in PRICES[::-1]], price=[write(x) for x in PRICES])
    # when
    found = profile(content, "the file", "price").found
    read = parse(content, "the file", found.reading)
    # then
    assert list(read["km"]) == list(PRICES[::-1]) and list(read["price"]) == list(PRICES)


def test_indian_groups_are_read() -> None:
    # given
    values = PRICES * 77
    write = [
        f"{x // 100_000},{x // 1000 % 100:02},{x % 1000:03}" if x >= 100_000 else f"{x:,}" for x in values.tolist()
    ]
    content = csv(lakhs=write, price=SMALL)
    # when
    found = profile(content, "the file", "price").found
    # then
    assert list(parse(content, "the file", found.reading)["lakhs"]) == list(values)


def test_columns_that_group_otherwise_than_the_file_are_read_in_their_own_way() -> None:
    # given
    km = [f"{x:,}".replace(",", ".") for x in PRICES.tolist()]
    content = csv(";", km=km, area=[f"{x:.2f}" for x in SMALL], load=[f"{x:.3f}" for x in SMALL], price=SMALL[::-1])
    # when
    found = profile(content, "the file", "price").found
    read = parse(content, "the file", found.reading)
    # then
    assert list(read["km"]) == list(PRICES)
    np.testing.assert_allclose(read["area"], SMALL)
    np.testing.assert_allclose(read["load"], SMALL)
    assert "another way than in the rest" in told(found, "km")


@pytest.mark.parametrize(
    ("separator", "factor"), [(";", 1000), (",", 1), ("\t", 1)], ids=["semicolons", "commas", "tabs"]
)
def test_what_a_mark_does_is_loud_where_nothing_tells(separator: str, factor: int) -> None:
    # given: every number has three digits behind the dot, and the file has no other dot
    km = [f"{x:.3f}" for x in (PRICES + 1000) / 1000]
    content = csv(separator, km=km, price=[place % 7 + 3 * (place % 2) for place in range(ROWS)])
    # when
    found = profile(content, "the file", "price").found
    # then
    assert "nothing tells whether" in told(found, "km", "loud")
    np.testing.assert_allclose(parse(content, "the file", found.reading)["km"], (PRICES + 1000) / 1000 * factor)


def test_three_fixed_decimals_are_decimals_where_the_file_tells() -> None:
    # given: 0.418 is no group of digits, so 234.840 is none
    content = csv(
        ";", power=[f"{x / 500:.3f}" for x in SMALL], volt=[f"{230 + x / 50:.3f}" for x in SMALL], price=SMALL[::-1]
    )
    # when
    found = profile(content, "the file", "price").found
    # then
    assert parse(content, "the file", found.reading)["volt"].between(230, 232).all()
    assert "nothing tells" not in told(found, "volt")
