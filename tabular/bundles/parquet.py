"""Parquet files of flat columns, read into NumPy without a library of hundreds of megabytes.

It reads what pandas, PyArrow, Polars, DuckDB and Spark write unless told otherwise: plain and dictionary pages of
both versions, uncompressed or compressed with Snappy, gzip, Zstandard, Brotli or LZ4. The file is not trusted: sizes
are checked before memory is taken, and whatever does not hold together is refused.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from tabular.bundles.inputs import BadInput
from tabular.bundles.thrift import Fields, read_struct

MAGIC: Final = b"PAR1"
LARGEST_PAGE: Final = 64 * 2**20
"""Bytes of one page after decompression."""
LARGEST_TABLE: Final = 256 * 2**20
"""Bytes of all pages after decompression."""
CODECS: Final = {1: "snappy", 4: "brotli", 6: "zstd", 7: "lz4"}
FIXED: Final = {1: "<i4", 2: "<i8", 4: "<f4", 5: "<f8"}
UNSIGNED: Final = {11: "u1", 12: "u2", 13: "<u4", 14: "<u8"}
PLAIN_NUMBERS: Final = frozenset({None, 11, 12, 13, 14, 15, 16, 17, 18})
"""Converted types whose stored integers are the numbers that they mean: the signed and unsigned integers."""
BOOLEAN, BYTE_ARRAY, UTF8, ENUM = 0, 6, 0, 4
DATA, DICTIONARY, DATA_V2 = 0, 2, 3
DAMAGE: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


def read(data: bytes, limit: int) -> dict[str, list[Any] | NDArray[np.float64]]:
    """The columns of a file: numbers as float64 with NaN for null, text and booleans as lists with None for null.

    Args:
        data: the file.
        limit: of rows; a file that claims more is refused before its pages are read.

    Raises:
        BadInput: it is damaged, or no Parquet, or holds nested columns, dates, or pages of a rare encoding.
    """
    try:
        with np.errstate(invalid="ignore"):  # a damaged float may be a NaN that signals
            return _read(data, limit)
    except BadInput:
        raise
    except DAMAGE as error:
        raise _refused("the body is damaged, or no Parquet file") from error


def _read(data: bytes, limit: int) -> dict[str, list[Any] | NDArray[np.float64]]:
    if len(data) < 12 or data[:4] != MAGIC or data[-4:] != MAGIC:
        raise _refused("the body is no Parquet file")
    length = int.from_bytes(data[-8:-4], "little")
    if length > len(data) - 12:
        raise _refused("the body is a Parquet file without its end")
    footer, _ = read_struct(memoryview(data), len(data) - 8 - length)
    rows = footer[3]
    if not 0 <= rows <= limit:
        problem = f"the batch has {rows} rows; at most {limit} are taken"
        raise BadInput(problem, "send smaller batches", code="too_many_rows")
    leaves = footer[2][1:]
    names = [leaf[4].decode() for leaf in leaves]
    for name, leaf in zip(names, leaves, strict=True):
        if leaf.get(5) or leaf.get(3) == 2:
            raise BadInput("is a nested column", "send flat columns of numbers and text", name)
        if names.count(name) > 1:
            raise BadInput("is twice in the file", "send each column once", name, code="duplicate_field")
    budget = LARGEST_TABLE
    table: dict[str, list[Any] | NDArray[np.float64]] = {}
    for place, (name, leaf) in enumerate(zip(names, leaves, strict=True)):
        parts: list[NDArray[Any]] = []
        for group in footer[4]:
            chunk = group[1][place][3]
            budget -= chunk[6]
            if budget < 0 or chunk[6] < 0:
                raise _refused(f"the body is more than {LARGEST_TABLE // 2**20} MB after decompression")
            parts.append(_chunk(memoryview(data), chunk, leaf, name, group[3]))
        whole = np.concatenate(parts) if parts else np.empty(0)
        if len(whole) != rows:
            raise _refused("the body's columns are not as long as it says")
        table[name] = whole if whole.dtype == np.float64 else whole.tolist()
    return table


def _chunk(data: memoryview, chunk: Fields, leaf: Fields, name: str, rows: int) -> NDArray[Any]:
    """One column of one row group: float64 with NaN for null, or objects with None for null."""
    plain = _reader(leaf, name)
    optional = leaf.get(3, 0) == 1
    place = min(chunk[9], chunk.get(11) or chunk[9])
    words: NDArray[Any] | None = None
    parts: list[NDArray[Any]] = []
    found, budget = 0, LARGEST_TABLE
    while found < chunk[5]:
        header, place = read_struct(data, place)
        size, packed = header[2], header[3]
        budget -= size
        if not 0 <= size <= LARGEST_PAGE or packed < 0 or place + packed > len(data) or budget < 0:
            raise _refused("the body has a page that is too large")
        page, place = data[place : place + packed], place + packed
        if header[1] == DICTIONARY:
            words = plain(_unpacked(page, chunk[4], size, name), header[7][1])
            continue
        if header[1] not in (DATA, DATA_V2):
            continue
        count = header[8 if header[1] == DATA_V2 else 5][1]
        found += count
        if found > rows or count <= 0:
            raise _refused("the body has a page with more values than rows")
        encoding, present, body = _page(page, header, chunk[4], optional, name)
        filled = count if present is None else int(present.sum())
        if encoding in (2, 8):
            if words is None:
                raise _refused("the body has a page without its dictionary")
            values = words[_hybrid(body[1:], body[0], filled)] if filled else words[:0]
        elif encoding == 0:
            values = plain(body, filled)
        elif encoding == 3 and leaf[1] == BOOLEAN:
            values = _hybrid(body[4:], 1, filled).astype(np.float64).astype(bool).astype(object)
        else:
            raise BadInput(
                f"is stored in an encoding that is not read ({encoding})", "write it plain or as a dictionary", name
            )
        parts.append(_spread(values, present))
    return np.concatenate(parts) if parts else plain(memoryview(b""), 0)


def _page(
    page: memoryview, header: Fields, codec: int, optional: bool, name: str
) -> tuple[int, NDArray[np.bool_] | None, memoryview]:
    """Of a data page: the encoding of its values, which of them are present, and their bytes."""
    if header[1] == DATA_V2:
        details = header[8]
        count, encoding, repeated, defined = details[1], details[4], details[6], details[5]
        if repeated or not 0 <= defined <= min(len(page), header[2]):
            raise _refused("the body is damaged")
        body = page[defined:]
        if details.get(7, True):
            body = _unpacked(body, codec, header[2] - defined, name)
        return encoding, _hybrid(page[:defined], 1, count).astype(bool) if optional else None, body
    body = _unpacked(page, codec, header[2], name)
    count, encoding = header[5][1], header[5][2]
    if not optional:
        return encoding, None, body
    size = int.from_bytes(body[:4], "little")
    return encoding, _hybrid(body[4 : 4 + size], 1, count).astype(bool), body[4 + size :]


def _reader(leaf: Fields, name: str) -> Callable[[memoryview, int], NDArray[Any]]:
    """What reads plain values of this column."""
    kind, meaning = leaf.get(1), leaf.get(6)
    logical = leaf.get(10, {})
    if kind == BYTE_ARRAY and (meaning in (UTF8, ENUM) or 1 in logical):
        return _texts
    if kind == BOOLEAN:
        return _booleans
    if kind in FIXED and meaning in PLAIN_NUMBERS and set(logical) <= {10}:
        stored = FIXED[kind]
        unsigned = UNSIGNED.get(cast("int", meaning))

        def numbers(body: memoryview, count: int) -> NDArray[np.float64]:
            values: NDArray[Any] = np.frombuffer(body, stored, count)
            if unsigned is not None:
                values = values.view(stored.replace("i", "u"))
            return values.astype(np.float64)

        return numbers
    raise BadInput(
        "is neither numbers nor text nor booleans", "send numbers, text or booleans", name, None, "invalid_type"
    )


def _texts(body: memoryview, count: int) -> NDArray[np.object_]:
    place, content = 0, bytes(body)
    texts = []
    if not 0 <= count * 4 <= len(content):
        raise _refused("the body is damaged")
    for _ in range(count):
        (size,) = struct.unpack_from("<I", content, place)
        texts.append(content[place + 4 : place + 4 + size].decode())
        place += 4 + size
    if place > len(content):
        raise _refused("the body is damaged")
    values = np.empty(count, dtype=object)
    values[:] = texts
    return values


def _booleans(body: memoryview, count: int) -> NDArray[np.object_]:
    if not 0 <= count <= len(body) * 8:
        raise _refused("the body is damaged")
    bits = np.unpackbits(np.frombuffer(body, np.uint8), count=count, bitorder="little")
    return bits.astype(bool).astype(object)


def _spread(values: NDArray[Any], present: NDArray[np.bool_] | None) -> NDArray[Any]:
    """The values at their rows, with holes where there is none."""
    if present is None:
        return values
    number = values.dtype == np.float64
    spread = np.full(len(present), np.nan) if number else np.full(len(present), None, dtype=object)
    spread[present] = values
    return spread


def _hybrid(body: memoryview, width: int, count: int) -> NDArray[np.int64]:
    """Parquet's mix of repeated and bit-packed small integers."""
    if not 0 <= width <= 32:
        raise _refused("the body is damaged")
    values = np.zeros(count, dtype=np.int64)
    done = 0
    for repeated, length, content in _runs(body, width, count):
        length = min(length, count - done)
        if repeated:
            values[done : done + length] = int.from_bytes(content, "little")
        elif width:
            bits = np.unpackbits(np.frombuffer(content, np.uint8), bitorder="little")
            bits = bits[: len(bits) // width * width].reshape(-1, width)[:length]
            length = len(bits)
            values[done : done + length] = bits @ (1 << np.arange(width, dtype=np.int64))
        done += length
    if done != count:
        raise _refused("the body has a page that ends too early")
    return values


def _runs(body: memoryview, width: int, count: int) -> Iterator[tuple[bool, int, memoryview]]:
    place = done = 0
    while done < count and place < len(body):
        header = shift = 0
        while True:
            byte = body[place]
            place += 1
            header |= (byte & 127) << shift
            shift += 7
            if byte < 128 or shift > 35:
                break
        repeated = not header & 1
        length = header >> 1 if repeated else (header >> 1) * 8
        size = (width + 7) // 8 if repeated else (header >> 1) * width
        if not length:
            raise _refused("the body is damaged")
        yield repeated, length, body[place : place + size]
        place += size
        done += length


def _unpacked(body: memoryview, codec: int, size: int, name: str) -> memoryview:
    """The bytes of a page, `size` of them."""
    if codec == 0:
        return body
    if codec == 2:
        return memoryview(zlib.decompressobj(31).decompress(body, size))
    if codec not in CODECS:
        raise BadInput("is compressed in a way that is not read", "compress with snappy, gzip or zstd", name)
    import cramjam

    target = bytearray(size)
    if not size:
        return memoryview(target)
    codecs: dict[str, Callable[[Any, Any], int]] = {
        "snappy": cramjam.snappy.decompress_raw_into,
        "brotli": cramjam.brotli.decompress_into,
        "zstd": cramjam.zstd.decompress_into,
        "lz4": cramjam.lz4.decompress_block_into,
    }
    try:
        written = codecs[CODECS[codec]](bytes(body), target)
    except cramjam.DecompressionError as error:
        raise _refused("the body has a page that does not decompress") from error
    return memoryview(target)[:written]


def _refused(problem: str) -> BadInput:
    return BadInput(problem, "write it again, with pandas' to_parquet for one", code="invalid_parquet")
