"""Columns of numbers as people write them, in a small table, and what `init` says of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from tabular.profiling.found import TableFound

ROWS = 240
PRICES = np.random.default_rng(5).integers(300, 60_000, ROWS)
"""Whole numbers below and above 1,000."""
SMALL = np.random.default_rng(6).integers(1, 400, ROWS) / 4
"""Numbers from 0.25 to 99.75, with at most two decimals."""


def csv(separator: str = ",", **columns: Sequence[Any]) -> bytes:
    """A table with the columns, and with two more that say nothing of them."""
    random = np.random.default_rng(1)
    made = pd.DataFrame({"colour": random.choice(["red", "green", "blue"], ROWS), "rooms": random.integers(1, 9, ROWS)})
    return made.assign(**columns).to_csv(index=False, sep=separator).encode()


def told(found: TableFound, column: str | None, level: str | None = None) -> str:
    """All findings about a column, or about the whole table."""
    return " / ".join(f.text for f in found.findings if f.column == column and level in (None, f.level))


def kind(found: TableFound, name: str) -> str:
    """The kind of a column."""
    return next(column.kind for column in found.columns if column.name == name)
