"""A chunk of the input, and its place in it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tabular.batch.hashing import Hashes
from tabular.batch.values import CellNotation
from tabular.reports.report import Report


class ChunkPosition(Report):
    """The place where a chunk begins."""

    file: int
    """Number of the file, from 0."""
    offset: int
    """In a CSV, bytes of its text as UTF-8 without a byte order mark, 0 for the header; in a Parquet file, rows."""
    row: int
    """Number of the row in the whole input, from 0."""


START: Final = ChunkPosition(file=0, offset=0, row=0)


class FileLayout(NamedTuple):
    """The columns of a file."""

    names: list[str]
    types: dict[str, pa.DataType]
    """The type of each column of a Parquet file; empty for a CSV, where every cell is text."""
    begin: int
    """Offset of the first row, as in `ChunkPosition.offset`."""


@dataclass(frozen=True, eq=False)
class Chunk:
    """Consecutive rows of one file of the input."""

    first: int
    """Number of the first row in the whole input."""
    rows: int
    """Number of rows, those that cannot be read included."""
    table: pa.Table
    """The cells of the rows that can be read; those of a CSV are text."""
    positions: NDArray[np.int64]
    """For each row of the table, its number in this chunk."""
    faults: dict[int, str]
    """The reason why a row cannot be read, by its number in this chunk."""
    hashes: Hashes
    """The hash of the raw content of each row."""
    raw: Callable[[int], str]
    """Returns the raw content of a row, given its number in this chunk."""
    next: ChunkPosition
    """The place where the next chunk begins."""
    done: int
    """Number of bytes of the input that were read so far."""
    notation: CellNotation
    """The way in which the cells are written."""


def empty_chunk(columns: Sequence[str]) -> Chunk:
    """A chunk without rows, for an input that has none."""
    nothing = np.empty(0, np.int64)
    table = pa.table({name: pa.array([], pa.string()) for name in columns})
    notation = CellNotation(None, ".", None, False)
    return Chunk(0, 0, table, nothing, {}, nothing.astype(np.uint64), str, START, 0, notation)
