"""The rules of `tabular.arithmetic.cells` for columns of text: all values are of one kind, or the column is text."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tabular.arithmetic.cells import BOOLEANS, ISO, ISO_PATTERN, WHOLE, date_forms, group_pattern, number_pattern


def are_numbers(text: pd.Series, decimal: str = ".", thousands: str | None = None) -> pd.Series:
    """Whether each text is a number from its beginning to its end; False where it is missing."""
    return text.str.fullmatch(number_pattern(decimal, thousands)).fillna(False).astype(bool)


def numbers(text: pd.Series, decimal: str, thousands: str | None) -> pd.Series | None:
    """A column of text as int64 (whole numbers, none missing) or float64; None where a known value is not a number."""
    known = text.dropna()
    if not len(known) or not bool(are_numbers(known, decimal, thousands).all()):
        return None
    cells = plainly_written(pa.array(text, pa.string(), from_pandas=True), decimal, thousands)
    if len(known) == len(text) and pc.all(pc.match_substring_regex(cells, f"^{WHOLE}$")).as_py():
        try:
            return pd.Series(cells.cast(pa.int64()).to_numpy(), index=text.index, name=text.name)
        except pa.ArrowInvalid:  # wider than 64 bits
            pass
    return pd.Series(floats(cells), index=text.index, name=text.name)


def plainly_written(cells: pa.Array, decimal: str, thousands: str | None) -> pa.Array:
    """Numbers as text with a decimal point, without grouped digits and without a plus sign."""
    if thousands is not None:
        cells = pc.replace_substring_regex(cells, group_pattern(thousands), "")
    if decimal != ".":
        cells = pc.replace_substring(cells, decimal, ".")
    return pc.replace_substring_regex(cells, r"^\+", "")


def floats(cells: pa.Array) -> NDArray[np.float64]:
    """Plainly written numbers as the nearest float64 each, NaN where one is missing."""
    try:
        found = cells.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:  # beyond the range of float64
        found = np.array([np.nan if text is None else float(text) for text in cells.to_pylist()])
    return np.asarray(found, dtype=np.float64)


def booleans(text: pd.Series) -> pd.Series | None:
    """A column of true and false as bool, or as object where values are missing; None where a value is neither."""
    known = text.dropna()
    if not len(known) or not set(known.unique()) <= BOOLEANS.keys():
        return None
    return text.map(BOOLEANS).astype(bool if len(known) == len(text) else object)


def dates(text: pd.Series, day_first: bool) -> pd.Series | None:
    """Dates as datetime64[us] without a time zone (in UTC where they had one); None where a known value is not a date.

    All values must be written in one way; where they allow two, `day_first` decides.
    """
    known = text.dropna()
    if not len(known):
        return None
    if bool(known.str.fullmatch(ISO_PATTERN).all()):
        found = moments(text, ISO)
        return found if found.notna().sum() == len(known) else None
    for form in date_forms(str(known.iloc[0]), day_first):
        found = moments(text, form)
        if found.notna().sum() == len(known):
            return found
    return None


def moments(text: pd.Series, form: str) -> pd.Series:
    """Dates of one form as datetime64[us] without a time zone (in UTC where it had one), NaT for other text.

    The form is `ISO` or one of `tabular.arithmetic.cells.date_forms`.
    """
    if form == ISO:
        text = text.where(text.str.fullmatch(ISO_PATTERN).fillna(False).astype(bool))
        text = text.str.replace(" UTC", "Z", regex=False)
    return pd.to_datetime(text, format=form, errors="coerce", utc=True).dt.tz_localize(None).astype("datetime64[us]")


def is_ambiguous(text: pd.Series) -> bool:
    """Whether dates can be read with the day first and with the month first, to different days."""
    known = text.dropna()
    if not len(known) or date_forms(str(known.iloc[0]), False) == date_forms(str(known.iloc[0]), True):
        return False
    month_first, day_first = dates(text, False), dates(text, True)
    return month_first is not None and day_first is not None and not month_first.equals(day_first)


def codes(text: pd.Series) -> pd.Series:
    """Codes as text, without the ".0" that programs add to the whole numbers of a column with holes."""
    known = text.dropna()
    if not len(known) or not bool(known.str.fullmatch(rf"{WHOLE}(\.0+)?").all()):
        return text
    return text.str.replace(r"\.0+$", "", regex=True)


def without_holes(text: pd.Series, spellings: Iterable[str]) -> pd.Series:
    """The column with NaN for the empty cell and for each of the spellings."""
    return text.mask(text.isin(["", *spellings]))
