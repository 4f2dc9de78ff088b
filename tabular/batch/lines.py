"""Splits blocks of a CSV into records: where each begins and ends, how many cells it has, and which are broken.

NumPy splits most blocks at once. A block with a quote in a place where RFC 4180 allows none is read record by record.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tabular.errors import UserError

Places = NDArray[np.int64]

BLOCK: Final = 2**21
"""Number of bytes that are read at a time."""
OPEN: Final = 2**20
"""A quote that is not closed within so many bytes is taken for one that is never closed."""
LONGEST: Final = 2**26
"""A file in which no record ends within so many bytes is not a CSV."""
BROKEN: Final = "broken quotes"
QUOTE, NEWLINE, RETURN, BLANK = b'"\n\r '


@dataclass(frozen=True, eq=False)
class CsvRecords:
    """The records in a piece of text; an empty line is not a record."""

    data: bytes
    starts: Places
    ends: Places
    """End of each record, without the end of its line."""
    cells: Places
    """Number of cells of each record; of a broken one the number has no meaning."""
    used: int
    """Number of bytes of `data` that the records take."""
    faults: dict[int, str] = field(default_factory=dict)
    """The reason why a record cannot be read, by its number here."""
    rewritten: dict[int, bytes] = field(default_factory=dict)
    """Records with quotes in unusual places, rewritten as RFC 4180 demands, by their number here."""

    def __len__(self) -> int:
        return len(self.starts)

    def raw(self, number: int) -> bytes:
        """A record as it stands in the file."""
        return self.data[self.starts[number] : self.ends[number]]

    def text(self, number: int) -> bytes:
        """A record that is not broken, written as RFC 4180 demands."""
        return self.rewritten.get(number) or self.raw(number)

    def part(self, first: int, last: int) -> "CsvRecords":
        """The records from `first` to before `last`; there must be at least one."""
        low, high = int(self.starts[first]), int(self.ends[last - 1])
        return CsvRecords(
            self.data[low:high] + b"\n",
            self.starts[first:last] - low,
            self.ends[first:last] - low,
            self.cells[first:last],
            high + 1 - low,
            {n - first: fault for n, fault in self.faults.items() if first <= n < last},
            {n - first: text for n, text in self.rewritten.items() if first <= n < last},
        )


def joined(parts: list[CsvRecords]) -> CsvRecords:
    """Several parts as one; each part must end with the end of a line."""
    if len(parts) == 1:
        return parts[0]
    bases = np.cumsum([0, *(len(part.data) for part in parts)])
    counts = np.cumsum([0, *(len(part) for part in parts)])
    return CsvRecords(
        b"".join(part.data for part in parts),
        np.concatenate([part.starts + base for part, base in zip(parts, bases, strict=False)]),
        np.concatenate([part.ends + base for part, base in zip(parts, bases, strict=False)]),
        np.concatenate([part.cells for part in parts]),
        int(bases[-1]),
        {n + int(c): why for part, c in zip(parts, counts, strict=False) for n, why in part.faults.items()},
        {n + int(c): text for part, c in zip(parts, counts, strict=False) for n, text in part.rewritten.items()},
    )


def blocks(
    read: Callable[[int], bytes], offset: int, separator: str, trim: bool, name: str
) -> Iterator[tuple[int, CsvRecords]]:
    """The records of a stream, block by block.

    Args:
        read: returns about as many bytes of a text in UTF-8 as it is asked for; none at the end.
        offset: position of the first record in the text, in bytes.
        trim: whether blanks before and after a quoted cell are ignored.

    Yields:
        The position in the text where the data of the records begins, and at least one record.

    Raises:
        UserError: no record ends within `LONGEST` bytes.
    """
    rest = b""
    while True:
        new = read(BLOCK)
        data = rest + new if rest else new
        found = split(data, separator, trim, is_last=not new)
        if len(found):
            yield offset, found
        if not new:
            return
        offset, rest = offset + found.used, data[found.used :]
        if len(rest) > LONGEST:
            raise UserError(f"{name} has a line of more than {LONGEST // 2**20} MiB; export it as CSV or as Parquet")


def split(data: bytes, separator: str, trim: bool, is_last: bool) -> CsvRecords:
    """The complete records of a text in UTF-8 that begins with a record; see `blocks`.

    If the text is the last one, nothing follows it, and the last record needs no end of its line.
    """
    view = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(view == QUOTE) if b'"' in data else np.empty(0, np.int64)
    breaks = np.flatnonzero(view == NEWLINE)
    if b"\r" in data:
        returns = np.flatnonzero(view == RETURN)
        returns = returns[returns < len(data) - (not is_last)]
        follows = view[np.minimum(returns + 1, len(data) - 1)]
        breaks = np.sort(np.concatenate([breaks, returns[(follows != NEWLINE) | (returns == len(data) - 1)]]))
    if len(quotes):
        breaks = breaks[_outside(quotes, breaks)]
        waiting = len(data) - (int(breaks[-1]) if len(breaks) else 0)
        never_closed = len(quotes) % 2 and (is_last or waiting > OPEN)
        if never_closed or not _is_regular(view, quotes, ord(separator)):
            return _carefully(data, separator.encode(), trim, is_last)
    used = int(breaks[-1]) + 1 if len(breaks) else 0
    if is_last and used < len(data):
        breaks, used = np.append(breaks, len(data)), len(data)
    starts = np.concatenate([[0], breaks[:-1] + 1]).astype(np.int64)[: len(breaks)]
    # Before "\r\n" the record ends at the first of the two.
    two = (breaks > starts) & (view[np.maximum(breaks - 1, 0)] == RETURN)
    ends = breaks - two
    marks = np.flatnonzero(view == ord(separator))
    if len(quotes):
        marks = marks[_outside(quotes, marks)]
    cells = np.searchsorted(marks, ends) - np.searchsorted(marks, starts) + 1
    filled = ends > starts
    return CsvRecords(data, starts[filled], ends[filled], cells[filled], used)


def _outside(quotes: Places, places: Places) -> NDArray[np.bool_]:
    """For each place, whether it is not between two quotes."""
    outside: NDArray[np.bool_] = np.searchsorted(quotes, places) % 2 == 0
    return outside


def _is_regular(view: NDArray[np.uint8], quotes: Places, separator: int) -> bool:
    """Whether each opening quote stands at the beginning of a cell, and each closing quote at its end."""
    opening, closing = quotes[::2], quotes[1::2]
    before = view[opening[opening > 0] - 1]
    after = view[closing[closing < len(view) - 1] + 1]
    allowed = np.array([QUOTE, NEWLINE, RETURN, separator], np.uint8)
    return bool(np.isin(before, allowed).all() and np.isin(after, allowed).all())


def _carefully(data: bytes, separator: bytes, trim: bool, is_last: bool) -> CsvRecords:
    """As `split`; a record with broken quotes costs one line, and the next line begins a record again."""
    starts: list[int] = []
    ends: list[int] = []
    counts: list[int] = []
    faults: dict[int, str] = {}
    rewritten: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        end, following = _line(data, at, is_last)
        if following < 0:
            break
        count = 0
        if data.find(b'"', at, end) < 0:
            count = data.count(separator, at, end) + 1
        else:
            found = _record(data, at, separator, trim, is_last)
            if found is None:
                faults[len(starts)] = BROKEN
            elif found[2] >= 0:
                cells, end, following = found
                count = len(cells)
                rewritten[len(starts)] = separator.join(_quoted(cell, separator) for cell in cells)
            elif len(data) - at <= OPEN:
                break
            else:
                faults[len(starts)] = BROKEN
        if end > at:
            starts.append(at)
            ends.append(end)
            counts.append(count)
        at = following
    first, last, cells_in = (np.array(values, dtype=np.int64) for values in (starts, ends, counts))
    return CsvRecords(data, first, last, cells_in, at, faults, rewritten)


def _line(data: bytes, at: int, is_last: bool) -> tuple[int, int]:
    """The end of a line and the beginning of the next one, which is -1 where that is not known yet."""
    found = re.compile(rb"\r\n|\n|\r").search(data, at)
    if found is None:
        return len(data), len(data) if is_last else -1
    if found[0] == b"\r" and found.end() == len(data) and not is_last:
        return found.start(), -1
    return found.start(), found.end()


def _record(data: bytes, at: int, separator: bytes, trim: bool, is_last: bool) -> tuple[list[bytes], int, int] | None:
    """The cells, the end of the record and the beginning of the next (-1: not known yet); None if it is broken."""
    quoted, plain = _patterns(separator, trim)
    cells: list[bytes] = []
    while True:
        found = quoted.match(data, at)
        if found is None:
            return None
        if found["open"] is not None:
            if found["close"] is None:
                return None if is_last else (cells, 0, -1)
            cells.append(found["open"].replace(b'""', b'"'))
        else:
            found = plain.match(data, at)
            assert found is not None, "any text is a plain cell"
            cells.append(found["cell"])
        if found.end() == len(data) and not is_last and found["end"] != separator and found["end"] != b"\n":
            return cells, 0, -1
        if found["end"] is None:
            return None
        if found["end"] != separator:
            return cells, found.start("end"), found.end()
        at = found.end()


@cache
def _patterns(separator: bytes, trim: bool) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Regular expressions for a cell that may be quoted, and for one that is not."""
    mark, blanks = re.escape(separator), rb" *" if trim else b""
    end = rb"(?P<end>" + mark + rb"|\r\n|\n|\r|\Z)"
    quoted = blanks + rb'(?:"(?P<open>(?:[^"]++|"")*+)(?P<close>"' + blanks + rb"(?:" + end + rb")?)?)?"
    return re.compile(quoted), re.compile(rb"(?P<cell>[^" + mark + rb"\r\n]*+)" + end)


def _quoted(cell: bytes, separator: bytes) -> bytes:
    if any(mark in cell for mark in (b'"', b"\n", b"\r", separator)):
        return b'"' + cell.replace(b'"', b'""') + b'"'
    return cell
