"""The rules of `tabular.arithmetic.cells` for columns of text: all values are of one kind, or the column is text."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tabular.arithmetic.cells import (
    BLANKS,
    BOOLEANS,
    CLOCK_PATTERN,
    ISO,
    ISO_PATTERN,
    WHOLE,
    beside_pattern,
    date_forms,
    group_pattern,
    number_pattern,
)
from tabular.config.reading import NumberConfig, ReadingConfig

LATEST = ReadingConfig().short_years_until


class CellParts(NamedTuple):
    """Cells with one number each, taken apart; null where a cell does not have one."""

    number: pa.Array
    """The number as it is written, without a sign."""
    unit: pa.Array
    """The text around it, without blanks, sign and parentheses."""
    negative: pa.Array
    """Whether it is negative: by a minus sign before or behind it, or by parentheses."""


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


def parts(cells: pa.Array, number: str) -> CellParts:
    """Take cells of text apart; `number` is a regular expression for the number without what surrounds it."""
    found = pc.extract_regex(cells, beside_pattern(number))
    before, written, behind = (pc.struct_field(found, name) for name in ("before", "number", "behind"))
    minus, last = "(^|[^\\pL])[-\u2212]", "^\\s*[-\u2212]$"
    ends_with_mark = pc.match_substring_regex(written, r"[.,]$")
    behind = pc.if_else(ends_with_mark, pc.replace_substring_regex(behind, r"^[-–—]+", ""), behind)  # CHF 12.-
    opened, closed = pc.count_substring(before, "("), pc.count_substring(behind, ")")
    signs = pc.add(pc.count_substring_regex(before, minus), opened)
    signs = pc.add(signs, pc.cast(pc.match_substring_regex(behind, last), pa.int32()))
    before = pc.replace_substring_regex(pc.replace_substring_regex(before, minus, r"\1"), r"[(+]", "")
    behind = pc.replace_substring(pc.replace_substring_regex(behind, last, ""), ")", "")
    around = pc.replace_substring_regex(pc.binary_join_element_wise(before, behind, ""), rf"{BLANKS}|\s", "")
    is_one = pc.and_(pc.equal(opened, closed), pc.less_equal(signs, 1))
    unit = pc.if_else(is_one, around, None)
    return CellParts(written, unit, pc.equal(signs, 1))


def written_numbers(cells: pa.Array, how: NumberConfig, reading: ReadingConfig) -> NDArray[np.float64]:
    """The numbers in the cells of a column of `reading.numbers` as float64, NaN for every other cell."""
    if how.clock:
        return _without(_hours(cells), how.missing)
    decimal, thousands = (how.decimal, how.thousands) if how.decimal else (reading.decimal, reading.thousands)
    found = parts(cells, number_pattern(decimal, thousands))
    units = pa.array(["", *("".join(unit.split()) for unit in how.units)], pa.string())
    written = pc.if_else(pc.is_in(found.unit, units), found.number, None)
    numbers = floats(plainly_written(written, decimal, thousands))
    negative = pc.fill_null(found.negative, False).to_numpy(zero_copy_only=False)
    return _without(np.where(negative, -numbers, numbers), how.missing)


def _hours(cells: pa.Array) -> NDArray[np.float64]:
    found = pc.extract_regex(cells, CLOCK_PATTERN)
    hours, minutes, seconds = (
        floats(pc.if_else(pc.equal(part, ""), "0", part))
        for part in (pc.struct_field(found, name) for name in ("hours", "minutes", "seconds"))
    )
    half = pc.fill_null(pc.utf8_lower(pc.struct_field(found, "half")), "").to_numpy(zero_copy_only=False)
    hours = np.where((half != "") & ((hours < 1) | (hours > 12)), np.nan, np.where(half != "", hours % 12, hours))
    return np.asarray(hours + np.where(half == "p", 12, 0) + minutes / 60 + seconds / 3600, dtype=np.float64)


def _without(numbers: NDArray[np.float64], missing: Iterable[float]) -> NDArray[np.float64]:
    """The numbers with NaN for those that stand for a missing value, and for infinite ones."""
    return np.where(np.isin(numbers, list(missing)) | np.isinf(numbers), np.nan, numbers)


def booleans(text: pd.Series) -> pd.Series | None:
    """A column of true and false as bool, or as object where values are missing; None where a value is neither."""
    known = text.dropna()
    if not len(known) or not set(known.unique()) <= BOOLEANS.keys():
        return None
    return text.map(BOOLEANS).astype(bool if len(known) == len(text) else object)


def dates(text: pd.Series, day_first: bool, until: str = LATEST) -> pd.Series | None:
    """Dates as datetime64[us] without a time zone (in UTC where they had one); None where a known value is not a date.

    All values must be written in one way; where they allow two, `day_first` decides. For `until`, see `moments`.
    """
    known = text.dropna()
    if not len(known):
        return None
    if bool(known.str.fullmatch(ISO_PATTERN).all()):
        found = moments(text, ISO)
        return found if found.notna().sum() == len(known) else None
    for form in date_forms(str(known.iloc[0]), day_first):
        found = moments(text, form, until)
        if found.notna().sum() == len(known):
            return found
    return None


def moments(text: pd.Series, form: str, until: str = LATEST) -> pd.Series:
    """Dates of one form as datetime64[us] without a time zone (in UTC where it had one), NaT for other text.

    The form is `ISO` or one of `tabular.arithmetic.cells.date_forms`. For `until`, see `short_years_until` of
    `ReadingConfig`.
    """
    if form == ISO:
        text = text.where(text.str.fullmatch(ISO_PATTERN).fillna(False).astype(bool))
        text = text.str.replace(" UTC", "Z", regex=False)
    found = pd.to_datetime(text, format=form, errors="coerce", utc=True).dt.tz_localize(None).astype("datetime64[us]")
    if "%y" in form:
        is_late = found >= pd.Timestamp(until) + pd.Timedelta(days=1)
        found = found.mask(is_late, found - pd.DateOffset(years=100))
    return found


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
