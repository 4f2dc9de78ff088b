"""Deliberately odd rows: missing values in each column, unseen categories, extreme values."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from tabular.bundles.making.compiling import Raw

UNSEEN = "a category that nobody has seen"
FIRST_DAY, LAST_DAY = "0001-01-01", "9999-12-31T23:59:59+00:00"
EXTREMES = (0.0, 1e-300, -1e-300, -1.0, -1e6, 1e9, 2.0**31, -(2.0**31), 2.0**63, -(2.0**63), 1e39, 1e300, -1e300)
HOLED, EXTREME = 200, 4
"""Number of rows of each variant with missing values, and of each variant with extreme values."""
MOST = 50
"""Largest number of columns of each kind that are varied one by one; of more columns, an even selection."""


def variants(rows: pd.DataFrame, raw: Raw) -> Iterator[tuple[str, pd.DataFrame]]:
    """Name and rows of each variant of held-out rows; the index tells which of `rows` a row was made from."""
    plain = [column for column in raw.numbers if column not in raw.dates]
    numbers, categories, dates = (_some(names) for names in (raw.numbers, list(raw.categories), sorted(raw.dates)))
    varied = _some(plain)
    rows = rows.astype(dict.fromkeys(plain, np.float64) | dict.fromkeys(raw.categories, object))
    few, fewer = _spread(rows, HOLED), _spread(rows, EXTREME)
    alone = fewer.assign(**dict.fromkeys(raw.numbers, np.nan))
    columns = [*numbers, *categories]
    for column in columns:
        yield f"{column} missing", few.assign(**{column: np.nan if column in plain else None})
    for first, second in zip(numbers, numbers[1:] + numbers[:1], strict=True):
        yield f"{first} and {second} missing", few.assign(**{first: np.nan, second: np.nan})
    for column in dates:
        # Dates as text, which the original takes as well.
        yield (
            f"{column} as text",
            few.assign(**{column: [None if pd.isna(day) else day.isoformat() for day in few[column]]}),
        )
        yield f"{column} extreme", pd.concat([fewer.assign(**{column: day}) for day in (FIRST_DAY, LAST_DAY)])
    nothing = dict.fromkeys(raw.numbers, np.nan) | dict.fromkeys(raw.categories)
    yield "all numbers missing", few.assign(**dict.fromkeys(raw.numbers, np.nan))
    yield "all missing", few.assign(**nothing)
    for column in columns:
        others = {c: v for c, v in nothing.items() if c != column}
        yield f"only {column} known", fewer.assign(**others)
    for column in categories:
        yield f"{column} unseen", few.assign(**{column: UNSEEN})
        yield (
            f"{column} known",
            pd.concat([fewer.assign(**{column: category}) for category in raw.categories[column][:20]]),
        )
    for value in EXTREMES if plain else ():
        each = [fewer.assign(**{column: value}) for column in varied]
        yield f"a number {value:g}", pd.concat([*each, fewer.assign(**dict.fromkeys(plain, value))])
        yield (
            f"only a number known, {value:g}",
            pd.concat([alone.assign(**{column: value}) for column in varied]),
        )


def _some(names: list[str]) -> list[str]:
    return [names[place] for place in np.unique(np.linspace(0, len(names) - 1, min(MOST, len(names))).astype(int))]


def _spread(rows: pd.DataFrame, count: int) -> pd.DataFrame:
    return rows.iloc[np.unique(np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int))]
