"""How a table's file is written: what reading it needs to know beyond its bytes."""

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
        raise ValueError(f"'{name}' is no encoding of text; there are utf-8, cp1252, latin-1, utf-16, ...") from None
    return name


class ReadingConfig(StrictModel):
    """How the file spells its table. The bytes tell a Parquet file; of what follows it needs the last five."""

    separator: Separator = ","
    """What stands between the values of a CSV; a tab is "\\t"."""
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8"
    """The encoding of a CSV; `utf-8` may begin with a byte order mark."""
    decimal: Decimal = "."
    """What stands before the decimals of a number in a CSV."""
    thousands: Thousands | None = None
    """What groups the digits of a number in a CSV; a blank stands for any kind of it."""
    trim: bool = False
    """Cut the blanks around names and values of a CSV."""
    missing: Items[str] | None = None
    """The spellings of a hole, beside the empty cell; unset: NA, N/A, NaN, null, None and what else pandas knows."""
    text: Items[str] = ()
    """Columns of codes: read as text, so that 007 stays 007."""
    dates: Items[str] = ()
    """Columns of days or moments: ISO 8601 and the usual other forms; with a time zone they become UTC."""
    day_first: bool = False
    """Where all dates of a column can be read both ways, 01/02/2024 is the first of February."""
    target_missing: Literal["refuse", "drop"] = "refuse"
    """Rows without a target: `refuse` the table, or `drop` them."""

    @model_validator(mode="after")
    def _tells_marks_apart(self) -> "ReadingConfig":
        if self.decimal == self.thousands:
            raise ValueError(f"'decimal' and 'thousands' are both '{self.decimal}'; they must differ")
        both = sorted(set(self.text) & set(self.dates))
        if both:
            raise ValueError(f"'{both[0]}' is in 'text' and in 'dates'; it is one of them")
        return self
