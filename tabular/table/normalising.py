"""Turns the many column types that a file can hold into the few that the stages know."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from tabular.arithmetic.cells import drops_infinite
from tabular.config.reading import NumberConfig, ReadingConfig
from tabular.errors import UserError
from tabular.table import spelling

EXACT = 2**53
"""The whole numbers below it are exact in float64."""
EXAMINED = 500
"""Number of different values that are examined one by one to find the one that is not a date."""


def normalised(frame: pd.DataFrame, kinds: Mapping[str, str], reading: ReadingConfig, name: str) -> pd.DataFrame:
    """The table with plain columns: int64, float64, bool, object of booleans, datetime64[us] or text.

    Args:
        kinds: the columns that are `text` or `date` whatever their values look like.
        reading: with an infinity among its `missing` texts, infinite numbers are holes too.

    Raises:
        UserError: a column of dates holds a value that is not a date.
    """
    made = {}
    for column in frame.columns:
        values = _plain(frame[column], reading.missing)
        if column in reading.numbers:
            values = _as_numbers(values, reading.numbers[column], reading)
        elif kinds.get(column) == "text":
            values = _as_text(values)
        elif kinds.get(column) == "date":
            values = _as_dates(values, reading, name)
        made[column] = values
    return pd.DataFrame(made, index=frame.index)


def _plain(column: pd.Series, missing: Sequence[str] | None) -> pd.Series:
    kind = column.dtype
    if isinstance(kind, pd.CategoricalDtype):
        return _plain(column.astype(kind.categories.dtype), missing)
    if pd.api.types.is_bool_dtype(kind):
        return column.astype(bool) if column.notna().all() else column.astype(object).where(column.notna(), np.nan)
    if pd.api.types.is_numeric_dtype(kind):
        return _number(column, missing)
    if pd.api.types.is_datetime64_any_dtype(kind):
        zoned = getattr(kind, "tz", None) is not None
        return (column.dt.tz_convert("UTC").dt.tz_localize(None) if zoned else column).astype("datetime64[us]")
    if pd.api.types.is_timedelta64_dtype(kind):
        return column.dt.total_seconds()
    if pd.api.types.is_object_dtype(kind):
        inferred = pd.api.types.infer_dtype(column, skipna=True)
        if inferred == "boolean":
            return column
        if inferred == "decimal":
            return pd.to_numeric(column.astype(float))
        if inferred in ("date", "datetime"):
            return pd.to_datetime(column, errors="coerce", utc=True).dt.tz_localize(None).astype("datetime64[us]")
    text = column.astype("str")
    return text if missing is None else spelling.without_holes(text, missing)


def _number(column: pd.Series, missing: Sequence[str] | None) -> pd.Series:
    is_whole = pd.api.types.is_integer_dtype(column.dtype)
    if is_whole and column.notna().any() and column.max() > np.iinfo(np.int64).max:
        return column.astype("str")  # in float64, different numbers would become one
    if is_whole and column.notna().all():
        return column.astype("int64")
    numbers = column.astype("float64")
    if drops_infinite(missing):
        numbers = numbers.mask(np.isinf(numbers))
    return numbers


def _as_text(column: pd.Series) -> pd.Series:
    """Codes as text: a whole number that pandas made 3.0, because its column has holes, is "3". Booleans are kept."""
    if column.dtype == object or pd.api.types.is_bool_dtype(column.dtype):
        return column
    text = column.astype("str")
    truths = spelling.booleans(text)
    return spelling.codes(text) if truths is None else truths


def _as_numbers(column: pd.Series, how: NumberConfig, reading: ReadingConfig) -> pd.Series:
    """int64 where all values are known and whole, else float64; a column that a file holds as numbers keeps them."""
    if isinstance(column.dtype, pd.StringDtype):
        cells = pa.array(column, pa.string(), from_pandas=True)
        column = pd.Series(spelling.written_numbers(cells, how, reading), index=column.index, name=column.name)
    elif pd.api.types.is_numeric_dtype(column.dtype) and how.missing:
        column = column.mask(column.isin(how.missing))
    is_float = pd.api.types.is_float_dtype(column.dtype)
    if is_float and len(column) and bool((column % 1 == 0).all()) and column.abs().max() < EXACT:
        return column.astype("int64")
    return column


def _as_dates(column: pd.Series, reading: ReadingConfig, name: str) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return column
    text = spelling.codes(column.astype("str"))
    day_first, until = reading.day_first, reading.short_years_until
    found = spelling.dates(text, day_first, until)
    if found is not None:
        return found
    if text.isna().all():
        return pd.Series(pd.NaT, index=column.index, name=column.name, dtype="datetime64[us]")
    few = text.dropna().unique()[:EXAMINED]
    wrong = next((value for value in few if spelling.dates(pd.Series([value]), day_first) is None), None)
    shown = repr(wrong if wrong is not None else str(text.dropna().iloc[0]))[:60]
    why = f"{shown} is not a date" if wrong is not None else f"its dates, such as {shown}, are written in several ways"
    raise UserError(
        f"{name}: column '{column.name}' is to be a date, but {why}; mend it, write it as 2024-02-29, "
        "or list how holes are spelled in data.reading.missing"
    )
