"""MurmurHash64A of many rows at once.

BatchInput: Austin Appleby, MurmurHash2, 64-bit version for x64, public domain; seed 0.
"""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

FACTOR: Final = np.uint64(0xC6A4A7935BD1E995)
SHIFT: Final = np.uint64(47)
ABSENT: Final = 0x9E3779B97F4A7C15
"""What stands for a missing value."""
_DIGITS: Final = np.frombuffer(b"".join(b"%02x" % number for number in range(256)), dtype="S2")
_TAILS: Final = np.array([(1 << 8 * size) - 1 for size in range(8)], dtype=np.uint64)


def of_texts(data: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Hashes:
    """The hash of each piece of a text, bytes from start to before end."""
    padded = np.frombuffer(data + bytes(8), np.uint8)
    words: Hashes = np.ndarray((len(data) + 1,), dtype="<u8", buffer=padded.data, strides=(1,))
    lengths = ends - starts
    whole = lengths // 8
    hashes = lengths.astype(np.uint64) * FACTOR
    active, place, reached = np.arange(len(starts)), starts.copy(), 0
    while True:
        active = active[whole[active] > reached]
        if not len(active):
            break
        hashes[active] = _mixed(hashes[active], words[place[active] + 8 * reached])
        reached += 1
    tails = lengths % 8
    short = np.flatnonzero(tails)
    hashes[short] ^= words[starts[short] + 8 * whole[short]] & _TAILS[tails[short]]
    hashes[short] *= FACTOR
    return _finished(hashes)


def of_table(table: pa.Table) -> Hashes:
    """The hash of each row: of one word of eight bytes for each column, in the table's order.

    A number is its own bits, anything else the hash of it as text.
    """
    hashes = np.full(table.num_rows, 8 * table.num_columns, dtype=np.uint64) * FACTOR
    for column in table.columns:
        hashes = _mixed(hashes, _words(column.combine_chunks()))
    return _finished(hashes)


def of_numbers(numbers: NDArray[np.int64], seed: int) -> Hashes:
    """A hash of each number, another one for each seed."""
    hashes = np.full(len(numbers), 8, dtype=np.uint64) * FACTOR ^ np.uint64(seed)
    return _finished(_mixed(hashes, numbers.astype(np.uint64)))


def as_hex(hashes: Hashes) -> pa.Array:
    """Sixteen hexadecimal digits for each."""
    pairs = _DIGITS[hashes.astype(">u8").view(np.uint8)]
    bounds = np.arange(0, 16 * len(hashes) + 1, 16, dtype=np.int32)
    return pa.StringArray.from_buffers(len(hashes), pa.py_buffer(bounds), pa.py_buffer(pairs))


def _mixed(hashes: Hashes, words: Hashes) -> Hashes:
    words = words * FACTOR
    words ^= words >> SHIFT
    words *= FACTOR
    return (hashes ^ words) * FACTOR


def _finished(hashes: Hashes) -> Hashes:
    hashes = (hashes ^ hashes >> SHIFT) * FACTOR
    return hashes ^ hashes >> SHIFT


def _words(column: pa.Array) -> Hashes:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_floating(kind):
        words = pc.fill_null(column.cast(pa.float64()), 0).to_numpy(zero_copy_only=False).view(np.uint64)
    elif pa.types.is_integer(kind) or pa.types.is_temporal(kind):
        words = _whole(column)
    else:
        texts = pc.fill_null(column.cast(pa.large_string()), "")
        bounds = np.frombuffer(texts.buffers()[1], np.int64)[texts.offset : texts.offset + len(texts) + 1]
        content = texts.buffers()[2]
        words = of_texts(content.to_pybytes() if content else b"", bounds[:-1], bounds[1:])
    missing = column.is_null().to_numpy(zero_copy_only=False)
    return np.where(missing, np.uint64(ABSENT), words)


def _whole(column: pa.Array) -> Hashes:
    """Whole numbers, and moments as whole numbers of their unit."""
    if pa.types.is_temporal(column.type):
        column = column.cast(pa.int32() if column.type.bit_width == 32 else pa.int64())
    if column.type != pa.uint64():
        column = column.cast(pa.int64())
    values: Hashes = pc.fill_null(column, 0).to_numpy(zero_copy_only=False).view(np.uint64)
    return values
