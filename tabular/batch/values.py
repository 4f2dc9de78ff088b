"""Columns of cells in the form that the encoder takes, with the rows whose value is not of the column's kind.

The rules are those of `tabular.arithmetic.cells`, by which `tabular.table` reads a table for training.
"""

from typing import Any, Final, Literal, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tabular.arithmetic.cells import drops_infinite, holes, number_pattern, spelled
from tabular.bundles.bundle import Column
from tabular.config.reading import NumberConfig, ReadingConfig
from tabular.table import spelling

Mask = NDArray[np.bool_]
Values = NDArray[Any]
"""float64 with NaN, or objects with None, where a value is missing."""

INFINITIES: Final = r"^[+-]?(?i:inf|infinity)$"
FIRST_DAY, END = np.datetime64("0001-01-01"), np.datetime64("10000-01-01")


class CellNotation(NamedTuple):
    """The way in which the cells of a file are written."""

    holes: pa.Array | None
    """Texts that stand for a missing value; None where only null does."""
    decimal: str
    thousands: str | None
    infinite_is_hole: bool
    reading: ReadingConfig = ReadingConfig()
    """For the columns whose numbers are written in their own way, and for years of two digits."""


def notation_of(reading: ReadingConfig, kind: Literal["csv", "parquet"]) -> CellNotation:
    """The notation of a file; a Parquet file has types, so that the marks of a CSV's numbers do not matter."""
    known = holes(reading.missing, kind == "csv")
    texts = None if known is None else pa.array(sorted(known), pa.string())
    decimal, thousands = (reading.decimal, reading.thousands) if kind == "csv" else (".", None)
    return CellNotation(texts, decimal, thousands, drops_infinite(reading.missing), reading)


class ReadColumn(NamedTuple):
    """A column, and what is wrong in it."""

    values: Values
    bad: dict[str, Mask]
    """The rows whose value is not of the column's kind, by reason."""


def is_text(kind: pa.DataType) -> bool:
    """Whether the cells are text, with a dictionary or without."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def misfit(kind: pa.DataType, wanted: str) -> str:
    """The reason why no value of a typed column can be of a kind; empty where values can."""
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    if pa.types.is_nested(inner):
        return "holds lists or records"
    if is_text(kind) or pa.types.is_null(inner):
        return ""
    is_day = pa.types.is_timestamp(inner) or pa.types.is_date(inner)
    is_number = pa.types.is_integer(inner) or pa.types.is_floating(inner) or pa.types.is_decimal(inner)
    if wanted == "number":
        return "" if is_number or pa.types.is_duration(inner) else f"is {inner}, and the model needs a number"
    if wanted == "date":
        return "" if is_day or is_number else f"is {inner}, and the model needs a date"
    return "" if is_number or is_day or pa.types.is_boolean(inner) else f"is {inner}, and the model needs a category"


def plain(column: pa.ChunkedArray) -> pa.Array:
    """The column as one array without a dictionary; text of any kind becomes `string`."""
    whole = column.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.chunk(0) if whole.num_chunks else pa.array([], whole.type)
    if pa.types.is_dictionary(whole.type):
        whole = whole.cast(whole.type.value_type)
    return whole.cast(pa.string()) if is_text(whole.type) else whole


def read(cells: pa.Array, column: Column, notation: CellNotation, form: str | None) -> ReadColumn:
    """The values of a column of any kind, whose cells are from `plain`; for `form`, see `dates`."""
    if column.kind == "number":
        return numbers(cells, notation, notation.reading.numbers.get(column.name))
    return dates(cells, notation, form) if column.kind == "date" else categories(cells, notation, column)


def numbers(cells: pa.Array, notation: CellNotation, how: NumberConfig | None = None) -> ReadColumn:
    """The values of a number column, float64; `how` they are written, if not as in the rest of the file."""
    bad: dict[str, Mask] = {}
    if not is_text(cells.type):
        if pa.types.is_duration(cells.type):
            cells = pc.divide(cells.cast(pa.duration("us"), safe=False).cast(pa.int64()).cast(pa.float64()), 1e6)
        values = np.asarray(cells.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)
        if how is not None:
            values = np.where(np.isin(values, list(how.missing)), np.nan, values)
    elif how is not None:
        return ReadColumn(spelling.written_numbers(_known(cells, notation), how, notation.reading), bad)
    else:
        cells = _known(cells, notation)
        values, none = _parsed(cells, notation)
        if none.any():
            bad["not a number"] = none
    infinite = np.isinf(values)
    if infinite.any():
        if not notation.infinite_is_hole:
            bad["an infinite number"] = infinite
        values = np.where(infinite, np.nan, values)
    return ReadColumn(values, bad)


def dates(cells: pa.Array, notation: CellNotation, form: str | None) -> ReadColumn:
    """The values of a date column: ISO 8601 text; moments with a time zone are in UTC.

    Text is read in one form, see `tabular.table.spelling.moments`, which is None where no cell so far was a date.
    """
    none = np.zeros(len(cells), dtype=bool)
    if pa.types.is_timestamp(cells.type) or pa.types.is_date(cells.type):
        if pa.types.is_date(cells.type):
            cells = cells.cast(pa.timestamp("ms"))
        whole = cells.cast(pa.timestamp("us", cells.type.tz), safe=False).cast(pa.int64())
        known = pc.fill_null(whole, np.iinfo(np.int64).min)
        moments = np.array(known.to_numpy(zero_copy_only=False)).view("datetime64[us]")
    else:
        text = date_texts(cells, notation)
        moments = np.full(len(text), "NaT", dtype="datetime64[us]")
        if form is not None:
            until = notation.reading.short_years_until
            moments = spelling.moments(text, form, until).to_numpy(dtype="datetime64[us]", copy=True)
        none = np.isnat(moments) & text.notna().to_numpy()
    beyond = ~np.isnat(moments) & ((moments < FIRST_DAY) | (moments >= END))
    none |= beyond
    moments[beyond] = np.datetime64("NaT")
    missing = np.isnat(moments)
    days = moments.astype("datetime64[D]")
    are_days = bool((days == moments)[~missing].all())
    values = np.datetime_as_string(days if are_days else moments).astype(object)
    values[missing] = None
    return ReadColumn(values, {"not a date": none} if none.any() else {})


def date_texts(cells: pa.Array, notation: CellNotation) -> pd.Series:
    """Cells of a date column as text of dtype str, NaN where one is missing."""
    text = _known(cells.cast(pa.string()), notation)
    return pc.replace_substring_regex(text, r"^([+-]?[0-9]+)\.0+$", r"\1").to_pandas().astype("str")


def categories(cells: pa.Array, notation: CellNotation, column: Column) -> ReadColumn:
    """The values of a category column: text as training spelled it, or values that the encoder spells so."""
    if is_text(cells.type):
        found = _known(cells, notation).dictionary_encode()
        known: list[Any] = [spelled(text, column.categories) for text in found.dictionary.to_pylist()]
    else:
        if pa.types.is_decimal(cells.type):
            cells = cells.cast(pa.float64())
        elif pa.types.is_temporal(cells.type):
            cells = cells.cast(pa.string())
        found = cells.dictionary_encode()
        known = [None if value != value else value for value in found.dictionary.to_pylist()]
    options = np.empty(len(known) + 1, dtype=object)
    options[: len(known)] = known
    places = pc.fill_null(found.indices, len(known)).to_numpy(zero_copy_only=False)
    values = options[places]
    infinite = [isinstance(value, float) and np.isinf(value) for value in known]
    bad = {"an infinite number": np.array([*infinite, False])[places]} if any(infinite) else {}
    return ReadColumn(values, bad)


def _known(cells: pa.Array, notation: CellNotation) -> pa.Array:
    """The cells with null for each text that is a hole."""
    if notation.holes is None:
        return cells
    return pc.if_else(pc.is_in(cells, notation.holes), pa.scalar(None, pa.string()), cells)


def _parsed(cells: pa.Array, notation: CellNotation) -> tuple[Values, Mask]:
    """The numbers as float64, and the cells that are neither missing nor a number."""
    absent = cells.is_null().to_numpy(zero_copy_only=False)
    if notation.decimal == "." and notation.thousands is None:
        try:
            # Arrow's conversion is exact: the float64 that is nearest to the text.
            values = cells.cast(pa.float64()).to_numpy(zero_copy_only=False)
            return values, np.isnan(values) & ~absent
        except pa.ArrowInvalid:
            cells = pc.utf8_trim_whitespace(cells)
    good = pc.match_substring_regex(cells, f"^(?:{number_pattern(notation.decimal, notation.thousands)})$")
    accepted = pc.fill_null(pc.or_(good, pc.match_substring_regex(cells, INFINITIES)), False)
    cells = spelling.plainly_written(pc.if_else(accepted, cells, None), notation.decimal, notation.thousands)
    return spelling.floats(cells), ~accepted.to_numpy(zero_copy_only=False) & ~absent
