"""Converts untrusted rows, columns and CSV files to the arrays that a predictor takes; a refusal names its place."""

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from tabular.arithmetic.cells import spelled, with_spellings
from tabular.bundles.bundle import Column
from tabular.bundles.predictor import Rows
from tabular.bundles.values import (
    LARGEST,
    NO_VALUE,
    SHOWN,
    BadInput,
    parse_numbers,
    refuse_number,
    shown,
    to_code,
    to_codes,
    to_day,
    to_days,
    to_number,
    to_numbers,
)
from tabular.config.base import column_name
from tabular.errors import nearest, told_apart

__all__ = ["BadInput", "Encoder", "Notes"]

_plain = lru_cache(maxsize=1024)(column_name)

LIMIT: Final = 10_000
"""Largest number of rows in a batch, if the caller gives no other limit."""
TEXT_SLACK: Final = 100
"""Number of characters by which a text may be longer than the longest category that training has seen."""
LONGEST_NUMBER: Final = 320
"""About the largest number of characters of a number that float64 can hold, with what stands around a value."""
LONGEST_ROW: Final = 2**19
"""Largest number of characters of a row in a CSV file, because the interpreter reads a row in one go."""
LINES: Final = 20
"""Largest number of lines in a CSV file for each row that is accepted: blank ones, and those within cells."""
MISSING: Final = "missing"
"""Category of a missing value, as `tabular.learning.features.Categories` spells it."""


@dataclass(frozen=True, slots=True)
class Notes:
    """Values that were accepted and are worth knowing: number of rows by column, without columns that have none."""

    missing: dict[str, int] = field(default_factory=dict)
    """Rows whose value is missing."""
    unknown: dict[str, int] = field(default_factory=dict)
    """Rows whose category training has not seen."""
    out_of_range: dict[str, int] = field(default_factory=dict)
    """Rows whose number lies outside the range of the training rows."""


class Encoder:
    """Converts rows and columns of untrusted values to `Rows`.

    A value that is absent or null is missing. A category that training has not seen is accepted and noted. Any other
    value that does not fit the kind of its column is refused with `BadInput`.

    Args:
        columns: columns of the bundle, in the order of the training rows.
    """

    def __init__(self, columns: Iterable[Column]) -> None:
        self._names = {column.name: column for column in columns}
        self._spelled = {column_name(name): name for name in self._names}
        self._longest_name = 2 * max(map(len, self._names), default=0)
        self._numeric = [column for column in self._names.values() if column.kind != "category"]
        self._category = [column for column in self._names.values() if column.kind == "category"]
        self._ranges = [
            (c.name, -LARGEST if c.min is None else c.min, LARGEST if c.max is None else c.max, c.kind == "date")
            for c in self._numeric
        ]
        self._lookups = [with_spellings(c.categories) for c in self._category]
        self._absent = [lookup.get(MISSING, -1) for lookup in self._lookups]
        known = [len(text) for column in self._category for text in column.categories]
        self.longest_text = max(known, default=0) + TEXT_SLACK
        """Largest number of characters of a text that is worth keeping: a longer one is no category of training."""
        self.longest_row = sum(len(name) + max(self.longest_text, LONGEST_NUMBER) for name in self._names)
        """About the largest number of characters of a row, if its texts are cut at `longest_text`."""

    def row(self, values: Any) -> tuple[Rows, Notes]:
        """Convert one row, given as a dict from column names to values.

        Raises:
            BadInput: the row is not a dict, it is empty, a column is unknown, or a value does not fit its column.
        """
        if type(values) is not dict or not values:
            self._refuse_row(values, None)
        notes = Notes()
        found = 0
        numbers: list[float] = []
        for name, low, high, is_date in self._ranges:
            value = values.get(name)
            if is_date and value is not None:
                value = to_day(value, name, None)
            if type(value) is float or type(value) is int:
                found += 1
                if low <= value <= high:
                    numbers.append(value)
                    continue
                number = to_number(value, name, None)
                notes.out_of_range[name] = 1
                numbers.append(number)
            elif value is None:
                found += name in values
                notes.missing[name] = 1
                numbers.append(math.nan)
            else:
                refuse_number(value, name, None)
        codes: list[int] = []
        for column, lookup, absent in zip(self._category, self._lookups, self._absent, strict=True):
            name = column.name
            value = values.get(name)
            if value is None:
                found += name in values
                notes.missing[name] = 1
                codes.append(absent)
                continue
            found += 1
            code = lookup.get(value, -1) if type(value) is str else to_code(value, lookup, name, None)
            if code == -1:
                notes.unknown[name] = 1
            codes.append(code)
        if found != len(values):
            return self.row(dict(zip(self._known(values, None), values.values(), strict=True)))
        return Rows(np.array([numbers], dtype=np.float64), np.array([codes], dtype=np.int32)), notes

    def rows(self, rows: Any, limit: int = LIMIT) -> tuple[Rows, Notes]:
        """Convert many rows, given as a list of dicts.

        Args:
            rows: the dicts; a column that one of them leaves out is missing there.
            limit: largest number of rows that is accepted.

        Raises:
            BadInput: as for `row`, or there are no rows, or too many.
        """
        if not isinstance(rows, list):
            problem = f"must be a list of objects, not {shown(rows)}"
            raise BadInput(problem, "send a list with an object for each row", "rows")
        _check_count(len(rows), limit)
        if set(map(type, rows)) != {dict} or not all(rows):
            index = next(i for i, row in enumerate(rows) if type(row) is not dict or not row)
            self._refuse_row(rows[index], index)
        if not set().union(*rows) <= self._names.keys():
            rows = [dict(zip(self._known(row, index), row.values(), strict=True)) for index, row in enumerate(rows)]
        return self._encode({name: [row.get(name) for row in rows] for name in self._names}, len(rows))

    def columns(self, columns: Mapping[str, Sequence[Any] | NDArray[Any]], limit: int = LIMIT) -> tuple[Rows, Notes]:
        """Convert many rows, given as a dict from column names to lists or arrays of one length.

        Args:
            columns: lists of JSON values; a number column may be an array of float64, where NaN is missing.

        Raises:
            BadInput: there are no columns or rows, or too many rows, the lengths differ, a column is unknown, or a
                value does not fit its column.
        """
        if not isinstance(columns, dict) or not columns:
            problem = f"must be an object with a list for each column, not {shown(columns)}"
            raise BadInput(problem, 'send {"columns": {"name": [value, ...]}}', "columns")
        columns = dict(zip(self._known(columns, None), columns.values(), strict=True))
        first = next(iter(columns))
        for name, values in columns.items():
            if not isinstance(values, list | np.ndarray):
                raise BadInput(f"must be a list, not {shown(values)}", "send the column's values as a list", name)
            if len(values) != len(columns[first]):
                problem = f"has {len(values)} values where '{first}' has {len(columns[first])}"
                raise BadInput(problem, "send columns of one length; null is a missing value", name)
        _check_count(len(columns[first]), limit)
        return self._encode(columns, len(columns[first]))

    def csv_table(self, data: bytes, limit: int = LIMIT) -> dict[str, list[Any] | NDArray[np.float64]]:
        """Read the columns of a CSV file (RFC 4180, UTF-8) with a header, as `columns` takes them.

        Args:
            data: content of the file; an empty cell is a missing value.

        Raises:
            BadInput: the file is not such a CSV, has too many rows, or a number cell does not hold a number.
        """
        try:
            lines = _lines(data, limit)
            header = next(lines, None)
            if header is None:
                raise BadInput("the body is empty", "send a header and at least one row", code="empty_batch")
            header = self._known(header, None)
            body = list(islice(lines, limit + 1))
        except UnicodeDecodeError:
            problem = f"the body is not UTF-8 (byte {_undecodable(data)})"
            raise BadInput(problem, "send the CSV encoded as UTF-8", code="invalid_encoding") from None
        except csv.Error as error:
            problem = f"the body is not a CSV file ({error})"
            raise BadInput(problem, "quote cells as RFC 4180 says", code="invalid_csv") from None
        _check_count(len(body), limit)
        if set(map(len, body)) != {len(header)}:
            index = next(i for i, cells in enumerate(body) if len(cells) != len(header))
            problem = f"the row has {len(body[index])} cells where the header has {len(header)}"
            raise BadInput(problem, "send a cell for each column of the header", row=index, code="invalid_csv")
        cells = dict(zip(header, zip(*body, strict=True), strict=True))
        table: dict[str, list[Any] | NDArray[np.float64]] = {}
        for name, texts in cells.items():
            column = self._names[name]
            if column.kind == "number":
                table[name] = parse_numbers(texts, name)
            elif column.kind == "date":
                table[name] = [text or None for text in texts]
            else:
                known = frozenset(column.categories)
                table[name] = [spelled(text, known) if text else None for text in texts]
        return table

    def _encode(self, table: Mapping[str, Any], count: int) -> tuple[Rows, Notes]:
        """Convert known columns of one length; a column that is left out is missing in every row."""
        notes = Notes()
        numbers = np.full((count, len(self._numeric)), np.nan)
        for place, (name, low, high, is_date) in enumerate(self._ranges):
            if name not in table:
                notes.missing[name] = count
                continue
            values = numbers[:, place] = (to_days if is_date else to_numbers)(table[name], name)
            _note(notes.missing, name, int(np.isnan(values).sum()))
            _note(notes.out_of_range, name, int(((values < low) | (values > high)).sum()))
        codes = np.empty((count, len(self._category)), dtype=np.int32)
        for place, column in enumerate(self._category):
            if column.name not in table:
                notes.missing[column.name] = count
                codes[:, place] = self._absent[place]
                continue
            found = to_codes(table[column.name], self._lookups[place], column.name)
            absent = found == NO_VALUE
            _note(notes.missing, column.name, int(absent.sum()))
            _note(notes.unknown, column.name, int((found == -1).sum()))
            found[absent] = self._absent[place]
            codes[:, place] = found
        return Rows(numbers, codes), notes

    def _refuse_row(self, value: Any, row: int | None) -> NoReturn:
        names = ", ".join(self._names)
        if value == {}:
            remedy = f"send at least one of {names}; null is a missing value"
            raise BadInput("the row is empty", remedy, row=row, code="empty_row")
        problem = f"a row must be an object, not {shown(value)}"
        raise BadInput(problem, f"send an object with values for {names}", row=row, code="invalid_type")

    def _known(self, names: Iterable[str], row: int | None) -> list[str]:
        """The columns that the names mean; a name that only looks like that of a column means it.

        However many names there are, it ends at the first one that is unknown or there twice.
        """
        found: dict[str, None] = {}
        for name in names:
            column = name if name in self._names else None
            if column is None and len(name) <= self._longest_name:
                column = self._spelled.get(_plain(name))
            if column is None:
                self._refuse_unknown(name, row)
            if column in found:
                raise BadInput("is there twice", "send each column once", column, row, "duplicate_field")
            found[column] = None
        return list(found)

    def _refuse_unknown(self, name: str, row: int | None) -> NoReturn:
        near = nearest(name[:SHOWN], self._names)
        told = f"leave it out, or send the nearest known column: '{near}'{told_apart(name, near)}" if near else None
        short = name if len(name) <= SHOWN else name[:SHOWN] + "..."
        raise BadInput("is not an input of the model", told or "leave it out", short, row, "unknown_field")


def _check_count(count: int, limit: int) -> None:
    if count == 0:
        raise BadInput("the batch is empty", "send at least one row", code="empty_batch")
    if count > limit:
        raise BadInput(f"the batch has more than {limit} rows", "send smaller batches", code="too_many_rows")


def _lines(data: bytes, limit: int) -> Iterator[list[str]]:
    """The cells of the rows of a CSV file, and of its header; blank lines are left out.

    A small file is read by the interpreter in one go. A large one is read line by line, in bounded memory, and other
    threads may work after each line.
    """
    if len(data) <= LONGEST_ROW:
        return filter(None, csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))
    return _lines_of_large(data, limit)


def _lines_of_large(data: bytes, limit: int) -> Iterator[list[str]]:
    """The same for a large file. The first row of another length than the header is the last one: it is refused.

    Raises:
        BadInput: a row is too long, or there are too many lines.
    """
    text = io.TextIOWrapper(io.BytesIO(data), "utf-8-sig", newline="")
    size = width = 0

    def lines() -> Iterator[str]:
        nonlocal size
        for _ in range(LINES * (limit + 1)):
            line = text.readline(LONGEST_ROW)
            if not line:
                return
            size += len(line)
            if size >= LONGEST_ROW:
                problem = f"a row has {LONGEST_ROW} characters or more"
                raise BadInput(problem, "send a line for each row, and shorter texts", code="invalid_csv")
            yield line
        raise BadInput(f"the batch has too many lines for {limit} rows", "send smaller batches", code="too_many_rows")

    for cells in csv.reader(lines(), strict=True):
        size = 0
        if cells:
            width = width or len(cells)
            yield cells
            if len(cells) != width:
                return


def _note(notes: dict[str, int], name: str, count: int) -> None:
    if count:
        notes[name] = count


def _undecodable(data: bytes) -> int:
    """The place of the first byte that is not UTF-8."""
    try:
        return len(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return error.start
