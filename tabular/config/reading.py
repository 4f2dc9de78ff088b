"""The way a table's file is written, as far as its bytes do not tell."""

from typing import Annotated, Literal

from pydantic import AfterValidator, model_validator

from tabular.config.base import Items, StrictModel

Separator = Literal[",", ";", "\t", "|"]
Decimal = Literal[".", ","]
Thousands = Literal[",", ".", " ", "'"]


def _encoding(name: str) -> str:
    try:
        "".encode(name)
    except LookupError:
        raise ValueError(f"'{name}' is not a text encoding; there are utf-8, cp1252, latin-1, utf-16, ...") from None
    return name


class ReadingConfig(StrictModel):
    """The way a file is written. A Parquet file, which is recognised by its bytes, needs the last five keys alone."""

    separator: Separator = ","
    """The character between the values of a CSV; a tab is "\\t"."""
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8"
    """The encoding of a CSV; with `utf-8` the file may begin with a byte order mark."""
    decimal: Decimal = "."
    """The decimal mark of numbers in a CSV."""
    thousands: Thousands | None = None
    """The mark that groups the digits of a number in a CSV; a blank stands for any kind of blank."""
    trim: bool = False
    """Whether blanks around the names and values of a CSV are removed."""
    missing: Items[str] | None = None
    """Texts that stand for a missing value beside the empty cell; by default those of pandas: NA, N/A, NaN, ..."""
    text: Items[str] = ()
    """Columns of codes, which are read as text, so that 007 stays 007."""
    dates: Items[str] = ()
    """Columns of days or moments, in ISO 8601 or another usual form; moments with a time zone become UTC."""
    day_first: bool = False
    """Whether 01/02/2024 is the first of February where all dates of a column can be read both ways."""
    target_missing: Literal["refuse", "drop"] = "refuse"
    """For rows without a target: `refuse` the table, or `drop` the rows."""

    @model_validator(mode="after")
    def _tells_marks_apart(self) -> "ReadingConfig":
        if self.decimal == self.thousands:
            raise ValueError(f"'decimal' and 'thousands' are both '{self.decimal}'; they must differ")
        both = sorted(set(self.text) & set(self.dates))
        if both:
            raise ValueError(f"'{both[0]}' is in 'text' and in 'dates'; it must be in one of them")
        return self
