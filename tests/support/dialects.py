"""A table with columns of every kind, and the dialects that a CSV of it can be written in."""

from typing import NamedTuple

import numpy as np
import pandas as pd

ROWS = 240


class Dialect(NamedTuple):
    """How a CSV is written."""

    separator: str = ","
    encoding: str = "utf-8"
    decimal: str = "."
    thousands: str = ""
    missing: str = ""
    quoting: int = 0
    ending: str = "\n"


DIALECTS = {
    "plain": Dialect(),
    "byte order mark": Dialect(encoding="utf-8-sig"),
    "German Excel": Dialect(";", "cp1252", ",", "."),
    "latin-1": Dialect(";", "latin-1", ","),
    "French": Dialect(";", "utf-8", ",", "\u202f"),
    "tabs in UTF-16": Dialect("\t", "utf-16", missing="NA"),
    "UTF-16 without a mark": Dialect("|", "utf-16-le", missing="null"),
    "bars": Dialect("|", missing="?"),
    "American": Dialect(",", thousands=",", missing="n/a", quoting=1, ending="\r\n"),
    "Swiss": Dialect(";", thousands="'", missing="-"),
    "commas in quotes": Dialect(",", decimal=",", missing="?"),
}


def table(seed: int = 0) -> pd.DataFrame:
    """Rows of each kind of column with 30 % holes in most of them, and a target of numbers without any."""
    random = np.random.default_rng(seed)
    day = pd.Timestamp("2021-03-01")
    rows = pd.DataFrame(
        {
            "size": random.normal(size=ROWS) * 100,
            "income": random.lognormal(9, 1, ROWS).round(2),
            "rooms": random.integers(0, 40, ROWS).astype(float),
            "colour": pd.Series(random.choice(["rot", "grün", "blau, hell", 'mit "Zitat"'], ROWS), dtype="str"),
            "zip": pd.Series([f"{code:05d}" for code in random.integers(1, 20, ROWS) * 37], dtype="str"),
            "since": (day + pd.to_timedelta(random.integers(0, 900, ROWS), unit="D")).astype("datetime64[us]"),
            "price": random.normal(size=ROWS),
        }
    )
    for column in ("size", "income", "rooms", "colour", "zip", "since"):
        rows.loc[random.choice(ROWS, ROWS * 3 // 10, replace=False), column] = None
    return rows


def written(rows: pd.DataFrame, dialect: Dialect) -> bytes:
    """The rows as a CSV in a dialect; all digits are kept."""
    cells = pd.DataFrame({name: [_cell(value, dialect) for value in rows[name]] for name in rows.columns})
    text = cells.to_csv(index=False, sep=dialect.separator, quoting=dialect.quoting, lineterminator=dialect.ending)
    return text.encode(dialect.encoding)


def _cell(value: object, dialect: Dialect) -> str:
    if pd.isna(value):
        return dialect.missing
    if isinstance(value, pd.Timestamp):
        return value.strftime("%d.%m.%Y" if dialect.decimal == "," else "%Y-%m-%d")
    if not isinstance(value, float):
        return str(value)
    whole, point, decimals = repr(value).partition(".")
    if dialect.thousands:
        whole = f"{int(whole):,}".replace(",", dialect.thousands) if whole != "-0" else whole
    return f"{whole}{dialect.decimal}{decimals}" if point else whole
