"""The way a table's file is written, as far as its bytes do not tell."""

from collections.abc import Iterable
from datetime import date
from itertools import combinations
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from tabular.config.base import ColumnName, Items, StrictModel

Separator = Literal[",", ";", "\t", "|"]
Decimal = Literal[".", ","]
Thousands = Literal[",", ".", " ", "'"]


def text_encoding(name: str) -> str:
    """Return the name of an encoding. Raises ValueError where there is none of this name."""
    try:
        "".encode(name)
    except LookupError:
        raise ValueError(
            f"'{name}' is not a text encoding; there are utf-8, cp1252, cp1251, cp949, gb18030, utf-16, ..."
        ) from None
    return name


def _day(text: str) -> str:
    if not date(1968, 12, 31) <= date.fromisoformat(text) <= date(2068, 12, 31):
        raise ValueError(f"'{text}' is not a day from 1968-12-31 to 2068-12-31")
    return text


class NumberConfig(StrictModel):
    """The way the numbers of one column are written. Cells that cannot be read as numbers in this way are holes."""

    units: Items[str] = ()
    """Texts beside a number that are taken away, such as $, % or kg; 12.5% becomes 12.5. Parentheses make it negative.
    A number with another unit is a hole."""
    decimal: Decimal | None = None
    """The decimal mark of this column; by default the column has both marks of the file."""
    thousands: Thousands | None = None
    """The mark that groups the digits in this column; it needs `decimal` beside it."""
    missing: Items[float] = ()
    """Numbers that stand for a missing value in this column, such as -999."""
    clock: bool = False
    """Whether the cells are times of day or durations, such as 7:05, 7:05:30 or 7:05 pm; they become hours, 7.0833."""

    @model_validator(mode="after")
    def _has_whole_marks(self) -> "NumberConfig":
        if self.thousands is not None and self.decimal in (None, self.thousands):
            raise ValueError("'thousands' needs 'decimal' beside it, and the two marks must differ")
        return self


class ReadingConfig(StrictModel):
    """The way a file is written. A Parquet file, which is recognised by its bytes, needs the last seven keys alone."""

    separator: Separator = ","
    """The character between the values of a CSV; a tab is "\\t"."""
    encoding: Annotated[str, AfterValidator(text_encoding)] = "utf-8"
    """The encoding of a CSV; with `utf-8` the file may begin with a byte order mark."""
    skip: Annotated[int, Field(ge=0)] = 0
    """Number of lines before the header of a CSV, such as a title."""
    decimal: Decimal = "."
    """The decimal mark of numbers in a CSV."""
    thousands: Thousands | None = None
    """The mark that groups the digits of a number in a CSV; a blank stands for any kind of blank."""
    trim: bool = False
    """Whether blanks around the names and values of a CSV are removed."""
    missing: Items[str] | None = None
    """Texts that stand for a missing value beside the empty cell; by default those of pandas: NA, N/A, NaN, ..."""
    text: Items[ColumnName] = ()
    """Columns of codes, which are read as text, so that 007 stays 007."""
    dates: Items[ColumnName] = ()
    """Columns of days or moments, in ISO 8601 or another usual form; moments with a time zone become UTC."""
    day_first: bool = False
    """Whether 01/02/2024 is the first of February where all dates of a column can be read both ways."""
    short_years_until: Annotated[str, AfterValidator(_day)] = "2068-12-31"
    """The last day, ISO 8601, that a date with a year of two digits can mean; a later one is a century before."""
    numbers: dict[ColumnName, NumberConfig] = {}
    """Columns of numbers with a unit or odd cells, or that are written in another way than the rest of the file."""
    target_missing: Literal["refuse", "drop"] = "refuse"
    """For rows without a target: `refuse` the table, or `drop` the rows."""

    @model_validator(mode="after")
    def _tells_marks_apart(self) -> "ReadingConfig":
        if self.decimal == self.thousands:
            raise ValueError(f"'decimal' and 'thousands' are both '{self.decimal}'; they must differ")
        keys: dict[str, Iterable[str]] = {"text": self.text, "dates": self.dates, "numbers": self.numbers}
        for one, other in combinations(keys, 2):
            both = sorted(set(keys[one]) & set(keys[other]))
            if both:
                raise ValueError(f"'{both[0]}' is in '{one}' and in '{other}'; it must be in one of them")
        return self
