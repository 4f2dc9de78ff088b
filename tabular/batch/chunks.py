"""Some rows of the input, and their place in it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tabular.batch.hashing import Hashes
from tabular.reports.report import Report


class ChunkPosition(Report):
    """Where a chunk begins."""

    file: int
    """The number of the file."""
    offset: int
    """CSV: bytes of its text as UTF-8, 0 for the header; Parquet: rows."""
    row: int
    """The number of the row in the whole input."""


START: Final = ChunkPosition(file=0, offset=0, row=0)


class FileLayout(NamedTuple):
    """What a file says of its columns."""

    names: list[str]
    types: dict[str, pa.DataType]
    """Of a Parquet file; empty for a CSV, where all is text."""
    begin: int
    """Where the rows begin."""


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some rows."""

    first: int
    """The number of the first row in the whole input."""
    rows: int
    """All of them, those that cannot be read too."""
    table: pa.Table
    """The cells of the rows that can be read: text in a CSV."""
    positions: NDArray[np.int64]
    """For each row of the table, which one of this chunk it is."""
    faults: dict[int, str]
    """For each other row, why it cannot be read."""
    hashes: Hashes
    """Of the raw content of all rows."""
    raw: Callable[[int], str]
    """The raw content of one of the rows."""
    next: ChunkPosition
    """Where the following chunk begins."""
    done: int
    """Bytes of the input that were read so far."""
    text: bool
    """Whether the cells are those of a CSV."""


def empty_chunk(columns: Sequence[str]) -> Chunk:
    """No rows."""
    nothing = np.empty(0, np.int64)
    table = pa.table({name: pa.array([], pa.string()) for name in columns})
    return Chunk(0, 0, table, nothing, {}, nothing.astype(np.uint64), str, START, 0, True)
