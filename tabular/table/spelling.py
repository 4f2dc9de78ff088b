"""How numbers, dates and holes are spelled, and what they are worth. Strict: a column is one thing or it is text."""

import re
from collections.abc import Iterable

import pandas as pd
import pyarrow as pa

MISSING = frozenset(
    {
        "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
        "NULL", "NaN", "None", "n/a", "nan", "null",
    }
)  # fmt: skip
"""What pandas takes for a hole, beside the empty cell."""
BLANKS = "[ \u00a0\u2009\u202f]"
"""A plain, a no-break, a thin and a narrow no-break space."""
WHOLE = r"[+-]?\d+"
BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}

ISO = "ISO8601"
"""The form of a date that the standard describes, with a time of day and a zone or without."""

_CLOCK = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", "T%H:%M", "T%H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_ISO = re.compile(
    r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?( ?(Z|UTC|[+-]\d{2}(:?\d{2})?))?)?", re.ASCII
)
_DAYS = {
    r"\d{4}-\d{1,2}-\d{1,2}": ("%Y-%m-%d",),
    r"\d{4}/\d{1,2}/\d{1,2}": ("%Y/%m/%d",),
    r"\d{4}\.\d{1,2}\.\d{1,2}": ("%Y.%m.%d",),
    r"(19|20)\d{6}": ("%Y%m%d",),
    r"\d{1,2}\.\d{1,2}\.\d{4}": ("%d.%m.%Y",),
    r"\d{1,2}\.\d{1,2}\.\d{2}": ("%d.%m.%y",),
    r"\d{1,2}/\d{1,2}/\d{4}": ("%m/%d/%Y", "%d/%m/%Y"),
    r"\d{1,2}/\d{1,2}/\d{2}": ("%m/%d/%y", "%d/%m/%y"),
    r"\d{1,2}-\d{1,2}-\d{4}": ("%m-%d-%Y", "%d-%m-%Y"),
    r"\d{1,2}-[A-Za-z]{3}-\d{4}": ("%d-%b-%Y",),
    r"\d{1,2}-[A-Za-z]{3}-\d{2}": ("%d-%b-%y",),
    r"\d{1,2} [A-Za-z]{3} \d{4}": ("%d %b %Y",),
    r"\d{1,2} [A-Za-z]{4,9} \d{4}": ("%d %B %Y",),
    r"[A-Za-z]{3} \d{1,2}, \d{4}": ("%b %d, %Y",),
    r"[A-Za-z]{4,9} \d{1,2}, \d{4}": ("%B %d, %Y",),
}
"""By the look of a day, how it can be read: where there are two ways, the month comes first in the first."""


def label(value: object) -> str:
    """A category as text: a code that a program made 3.0, because its column has holes, is still "3"."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def number_pattern(decimal: str, thousands: str | None) -> str:
    """A regular expression for one whole number or decimal fraction as text, with an exponent or without."""
    mark = re.escape(decimal)
    whole = r"\d+"
    if thousands is not None:
        group = BLANKS if thousands == " " else re.escape(thousands)
        # A number is grouped all through, in threes, or not at all.
        whole = rf"(?:\d{{1,3}}(?:{group}\d{{3}})+|\d+)"
    return rf"[+-]?(?:{whole}(?:{mark}\d*)?|{mark}\d+)(?:[eE][+-]?\d+)?"


def are_numbers(text: pd.Series, decimal: str = ".", thousands: str | None = None) -> pd.Series:
    """Whether each text is a number, all of it; False where it is missing."""
    return text.str.fullmatch(number_pattern(decimal, thousands)).fillna(False).astype(bool)


def numbers(text: pd.Series, decimal: str, thousands: str | None) -> pd.Series | None:
    """A column of text as int64 (whole, and nothing missing) or float64; None where a known value is no number."""
    known = text.dropna()
    if not len(known) or not bool(are_numbers(known, decimal, thousands).all()):
        return None
    plain = text
    if thousands is not None:
        group = BLANKS if thousands == " " else re.escape(thousands)
        plain = plain.str.replace(group, "", regex=True)
    if decimal != ".":
        plain = plain.str.replace(decimal, ".", regex=False)
    plain = plain.str.removeprefix("+")
    values = pa.array(plain, type=pa.string(), from_pandas=True)
    if len(known) == len(text) and bool(plain.str.fullmatch(WHOLE).all()):
        try:
            return pd.Series(values.cast(pa.int64()).to_numpy(), index=text.index, name=text.name)
        except pa.ArrowInvalid:  # wider than 64 bits
            pass
    # Arrow's conversion is exact: the float64 that is nearest to the text.
    floats = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return pd.Series(floats, index=text.index, name=text.name)


def booleans(text: pd.Series) -> pd.Series | None:
    """A column of true and false as bool, or object where values are missing; None where a value is neither."""
    known = text.dropna()
    if not len(known) or not set(known.unique()) <= BOOLEANS.keys():
        return None
    return text.map(BOOLEANS).astype(bool if len(known) == len(text) else object)


def dates(text: pd.Series, day_first: bool) -> pd.Series | None:
    """A column of text as datetime64[us] without a zone (UTC where it had one); None where a known value is no date.

    Args:
        text: one way of writing for the whole column; dtype str.
        day_first: which of two readings to take where all values allow both.
    """
    known = text.dropna()
    if not len(known):
        return None
    if bool(known.str.fullmatch(_ISO.pattern).all()):
        found = moments(text, ISO)
        return found if found.notna().sum() == len(known) else None
    for form in date_forms(str(known.iloc[0]), day_first):
        found = moments(text, form)
        if found.notna().sum() == len(known):
            return found
    return None


def moments(text: pd.Series, form: str) -> pd.Series:
    """Dates of one form as datetime64[us] without a zone (UTC where it had one), NaT for whatever is none.

    Args:
        text: dtype str.
        form: `ISO`, or one of `date_forms`.
    """
    if form == ISO:
        text = text.where(text.str.fullmatch(_ISO.pattern).fillna(False).astype(bool))
        text = text.str.replace(" UTC", "Z", regex=False)
    return pd.to_datetime(text, format=form, errors="coerce", utc=True).dt.tz_localize(None).astype("datetime64[us]")


def date_forms(example: str, day_first: bool) -> list[str]:
    """The forms, as `strptime` takes them, in which a text could be a date; none for ISO 8601 with a time zone."""
    for look, days in _DAYS.items():
        found = re.match(rf"({look})(?=$|[ T])", example)
        if found:
            ordered = days[::-1] if day_first else days
            return [
                f"{day}{clock}" for day in ordered for clock in _CLOCK if bool(clock) == (found.end() < len(example))
            ]
    return []


def is_ambiguous(text: pd.Series) -> bool:
    """Whether dates can be read with the day first and with the month first, to different days."""
    known = text.dropna()
    if not len(known) or date_forms(str(known.iloc[0]), False) == date_forms(str(known.iloc[0]), True):
        return False
    month_first, day_first = dates(text, False), dates(text, True)
    return month_first is not None and day_first is not None and not month_first.equals(day_first)


def codes(text: pd.Series) -> pd.Series:
    """Codes as text, without the ".0" that a program adds to whole numbers of a column with holes."""
    known = text.dropna()
    if not len(known) or not bool(known.str.fullmatch(rf"{WHOLE}(\.0+)?").all()):
        return text
    return text.str.replace(r"\.0+$", "", regex=True)


def without_holes(text: pd.Series, spellings: Iterable[str]) -> pd.Series:
    """The column with NaN for the empty cell and for each of the spellings."""
    return text.mask(text.isin(["", *spellings]))
