"""Numbers with a currency, a percent sign or another unit beside them."""

import unicodedata
from collections import Counter
from typing import NamedTuple

import pandas as pd
import pyarrow as pa

from tabular.profiling.tokens import CLEAR, LEAST, MARKS, Tokens
from tabular.table import spelling

CURRENCIES = frozenset(
    {
        "aed", "ars", "aud", "brl", "cad", "chf", "clp", "cny", "cop", "czk", "dkk", "eur", "euro", "euros", "fr", "ft",
        "gbp", "hkd", "huf", "idr", "ils", "inr", "jpy", "kr", "krw", "kč", "mxn", "myr", "nok", "nzd", "php", "pkr",
        "pln", "rm", "rmb", "ron", "rub", "rp", "rs", "sar", "sek", "sgd", "thb", "try", "twd", "uah", "usd", "vnd",
        "zar", "zł",
    }
)  # fmt: skip
"""Currencies in letters. Other words stand behind a number if they are units: `Stage 2` is a label."""
FEW = 10
"""Number of different values below which apparent numbers with a unit in letters may be labels."""
LONGEST = 15
"""Number of letters of the longest unit."""
MIXED = 4
"""Largest number of different units in one column; more are no units."""
TRIED = 100
"""Number of values by which a column is tried first."""
NUMBER = rf"[0-9](?:[0-9{MARKS}]*[0-9])?[.,]?|[.,][0-9]+"
"""A number whatever its marks mean."""


class UnitFound(NamedTuple):
    """The unit of a column that mostly consists of numbers with one."""

    unit: str
    """The text beside the numbers without blanks; empty where nearly all have none."""
    is_sure: bool
    """Whether it is a currency or a percent sign, so that even a few different values are no labels."""
    rows: dict[str, int]
    """Number of rows with each unit, the most frequent one first; the empty one for numbers without."""
    cores: Tokens
    """The values with this unit or without any as bare numbers, the other values unchanged."""

    @property
    def is_mixed(self) -> bool:
        """Whether no unit is in the clear majority."""
        return sum(self.rows.get(unit, 0) for unit in {self.unit, ""}) < CLEAR * sum(self.rows.values())

    def shown(self) -> str:
        """The units with their rows, in words."""
        return ", ".join(
            f"{unit!r} in {rows:,} rows" if unit else f"none in {rows:,} rows" for unit, rows in self.rows.items()
        )


def find(tokens: Tokens) -> UnitFound | None:
    """The unit of the most frequent values of a column; None where they are no numbers, or may be labels."""
    tokens = tokens.head()
    known = ~tokens.are_holes()
    if float(tokens.values.head(TRIED).str.contains(r"\d").mean()) < 0.5:
        return None
    parts = spelling.parts(pa.array(tokens.values, pa.string()), NUMBER)
    cells = list(zip(tokens.values, parts.unit.to_pylist(), parts.number.to_pylist(), tokens.counts, strict=True))
    counted: Counter[str] = Counter()
    for cell, unit, _, rows in cells:
        if unit is not None and (unit == "" or _is_unit(unit, cell)):
            counted[unit] += rows
    total = tokens.rows(known)
    rows = {unit: count for unit, count in counted.most_common() if count >= total / 100 or not unit}
    if not rows or sum(rows.values()) < LEAST * total:
        return None
    unit = next(name for name in rows if name or not any(_is_currency(other) for other in rows))
    sure = any(_is_sign(name) for name in rows)
    named = [name for name in rows if name]
    if named and (len(named) > MIXED or (not sure and sum(bare is not None for _, bare, _, _ in cells) < FEW)):
        return None
    values = [number if bare in ("", unit) else cell for cell, bare, number, _ in cells]
    cores = Tokens(pd.Series(values, index=tokens.values.index, dtype="str"), tokens.counts, tokens.usual)
    return UnitFound(unit, sure, rows, cores)


def _is_currency(unit: str) -> bool:
    return unit.replace(".", "").lower() in CURRENCIES or any(unicodedata.category(letter) == "Sc" for letter in unit)


def _is_sign(unit: str) -> bool:
    """Whether it is a currency or a percent sign."""
    return _is_currency(unit) or unit in ("%", "‰")


def _is_unit(unit: str, cell: str) -> bool:
    if _is_sign(unit):
        return True
    is_behind = cell.lstrip("(+-\u2212. ")[:1].isdigit()
    return is_behind and len(unit) <= LONGEST and (unit[0].isalpha() or unit[0] in "°″")
