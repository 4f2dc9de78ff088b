"""The meaning of a cell: the texts that are holes, numbers, booleans and dates, and the spellings of one category.

These rules hold for a single value and need the standard library alone. Training (`tabular.table`), the batch
(`tabular.batch.values`) and the service (`tabular.bundles.values`) apply them to whole columns, each in its own way.
"""

import math
import re
from collections.abc import Container, Iterable, Sequence
from typing import Final

MISSING: Final = frozenset(
    {
        "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
        "NULL", "NaN", "None", "n/a", "nan", "null",
    }
)  # fmt: skip
"""The spellings of a hole beside the empty cell, where the config gives none: those of pandas."""
INFINITE: Final = ("inf", "-inf", "Infinity", "-Infinity")
"""Spellings of infinity; with one of them among the holes, infinite numbers are holes."""
BOOLEANS: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}

BLANKS: Final = "[ \u00a0\u2009\u202f]"
"""A plain, a no-break, a thin and a narrow no-break space."""
WHOLE: Final = r"[+-]?\d+"

ISO: Final = "ISO8601"
"""The form of a date that the standard describes, with or without a time of day and a time zone."""
ISO_PATTERN: Final = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?( ?(Z|UTC|[+-]\d{2}(:?\d{2})?))?)?"
_CLOCK: Final = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", "T%H:%M", "T%H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
CLOCK_PATTERN: Final = (
    r"^(?P<hours>\d{1,3}):(?P<minutes>[0-5]\d)(?::(?P<seconds>[0-5]\d(?:\.\d+)?))?(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?$"
)
"""A time of day or a duration: 7:05, 07:05:30.5, 7:05 pm."""
_DAYS: Final = {
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
"""The forms in which a day of each look can be read; where there are two, the first one has the month first."""


def holes(missing: Sequence[str] | None, is_text: bool) -> frozenset[str] | None:
    """The texts that stand for a missing value, the empty one among them; None where no text is a hole.

    In a CSV everything is text; a Parquet file marks its missing values itself. `missing` is that of `ReadingConfig`.
    """
    if missing is None and not is_text:
        return None
    return frozenset({"", *(MISSING if missing is None else missing)})


def drops_infinite(missing: Iterable[str] | None) -> bool:
    """Whether infinite numbers are holes, because a spelling of infinity is listed as one."""
    return not set(INFINITE).isdisjoint(missing or ())


def number_pattern(decimal: str, thousands: str | None) -> str:
    """A regular expression for one whole number or decimal fraction as text, with or without an exponent."""
    mark = re.escape(decimal)
    whole = r"\d+"
    if thousands is not None:
        # A number is grouped in threes from its beginning to its end, or not at all; with commas also as in India.
        group = group_pattern(thousands)
        indian = r"\d{1,2}(?:,\d{2})+,\d{3}|" if thousands == "," else ""
        whole = rf"(?:\d{{1,3}}(?:{group}\d{{3}})+|{indian}\d+)"
    return rf"[+-]?(?:{whole}(?:{mark}\d*)?|{mark}\d+)(?:[eE][+-]?\d+)?"


def group_pattern(thousands: str) -> str:
    """A regular expression for what groups digits; a blank stands for each kind of blank, ' also for the curved one."""
    return {" ": BLANKS, "'": "['\u2019]"}.get(thousands, re.escape(thousands))


def beside_pattern(number: str) -> str:
    """A regular expression, with the groups before, number and behind, for a cell with a number and perhaps a unit.

    The dot behind an abbreviation belongs to the text before: Rs.500 is 500. The text behind may end as m2 does.

    Args:
        number: a regular expression for the number itself.
    """
    before = r"(?:[^0-9]*\pL\.?)?[^0-9.,\pL]*"
    behind = r"(?:[^0-9.,'][^0-9]*)?\pL[23]|[^0-9.,'][^0-9]*|"
    return rf"^(?P<before>{before})(?P<number>{number})(?P<behind>{behind})$"


def number(text: str) -> float | None:
    """The number that a text with a decimal point spells, nearest float64; None where it is not a finite number."""
    if "_" in text or not text.isascii():  # both of which Python itself takes
        return None
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


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


def label(value: object) -> str:
    """A category as text: a code that a program made 3.0, because its column has holes, is still "3"."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def spelled(text: str, known: Container[str]) -> str:
    """A category as the known categories spell it: `3` where they have `3.0`, and the other way round."""
    other = text.removesuffix(".0") if text.endswith(".0") else f"{text}.0"
    return other if text not in known and other in known else text


def with_spellings(categories: Sequence[str]) -> dict[str, int]:
    """The code of each category; that of a boolean also for its other spellings `True`, `true` and `TRUE`."""
    codes = {text: code for code, text in enumerate(categories)}
    for text, code in list(codes.items()):
        if text.lower() in ("true", "false"):
            for other in (text.title(), text.lower(), text.upper()):
                codes.setdefault(other, code)
    return codes
