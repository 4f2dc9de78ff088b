"""Rows as they should not be: holes in each column, unseen categories, values beyond all reason."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from tabular.bundling.compiling import Raw

UNSEEN = "a category that nobody has seen"
EXTREMES = (0.0, 1e-300, -1e-300, -1.0, -1e6, 1e9, 2.0**31, -(2.0**31), 2.0**63, -(2.0**63), 1e39, 1e300, -1e300)
HOLED, EXTREME = 200, 4
"""Rows of each variant."""


def variants(rows: pd.DataFrame, raw: Raw) -> Iterator[tuple[str, pd.DataFrame]]:
    """Name and rows of each variant; the index says which of `rows` it is made of.

    Args:
        rows: held-out rows without the target; the index counts from 0.
        raw: which columns are what.
    """
    rows = rows.astype(dict.fromkeys(raw.numbers, np.float64) | dict.fromkeys(raw.categories, object))
    few, fewer = _spread(rows, HOLED), _spread(rows, EXTREME)
    columns = [*raw.numbers, *raw.categories]
    for column in columns:
        yield f"{column} missing", few.assign(**{column: np.nan if column in raw.numbers else None})
    for first, second in zip(raw.numbers, raw.numbers[1:] + raw.numbers[:1], strict=True):
        yield f"{first} and {second} missing", few.assign(**{first: np.nan, second: np.nan})
    nothing = dict.fromkeys(raw.numbers, np.nan) | dict.fromkeys(raw.categories)
    yield "all numbers missing", few.assign(**dict.fromkeys(raw.numbers, np.nan))
    yield "all missing", few.assign(**nothing)
    for column in columns:
        others = {c: v for c, v in nothing.items() if c != column}
        yield f"only {column} known", fewer.assign(**others)
    for column in raw.categories:
        yield f"{column} unseen", few.assign(**{column: UNSEEN})
        yield (
            f"{column} known",
            pd.concat([fewer.assign(**{column: category}) for category in raw.categories[column][:20]]),
        )
    for value in EXTREMES if raw.numbers else ():
        each = [fewer.assign(**{column: value}) for column in raw.numbers]
        yield f"a number {value:g}", pd.concat([*each, fewer.assign(**dict.fromkeys(raw.numbers, value))])
        yield (
            f"only a number known, {value:g}",
            pd.concat([_only(fewer, c, raw).assign(**{c: value}) for c in raw.numbers]),
        )


def _only(rows: pd.DataFrame, column: str, raw: Raw) -> pd.DataFrame:
    return rows.assign(**{c: np.nan for c in raw.numbers if c != column})


def _spread(rows: pd.DataFrame, count: int) -> pd.DataFrame:
    return rows.iloc[np.unique(np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int))]
