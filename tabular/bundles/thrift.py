"""Thrift's compact protocol, as far as the metadata of Parquet needs it."""

import struct
from typing import Any, Final

Fields = dict[int, Any]
"""The fields of a struct by their numbers."""
DEEPEST: Final = 32
MOST_ITEMS: Final = 100_000


def read_struct(data: memoryview, place: int) -> tuple[Fields, int]:
    """A struct, and the place after it.

    Args:
        data: not trusted.
        place: where it begins.

    Raises:
        ValueError: it is nested too deep, a list is too long, or a type is unknown.
        IndexError: it goes on beyond the end.
    """
    reader = _Reader(data, place)
    return reader.fields(0), reader.place


class _Reader:
    def __init__(self, data: memoryview, place: int) -> None:
        self.data, self.place = data, place
        if place < 0:
            raise IndexError(place)

    def fields(self, depth: int) -> Fields:
        if depth > DEEPEST:
            raise ValueError("nested too deep")
        found: Fields = {}
        number = 0
        while kind := self._byte():
            step = kind >> 4
            number = number + step if step else self._zigzag()
            found[number] = self._value(kind & 15, depth)
        return found

    def _value(self, kind: int, depth: int) -> Any:
        if kind in (1, 2):
            return kind == 1
        if kind == 3:
            return self._byte()
        if kind in (4, 5, 6):
            return self._zigzag()
        if kind == 7:
            return struct.unpack("<d", self._bytes(8))[0]
        if kind == 8:
            return self._bytes(self._varint())
        if kind in (9, 10):
            return self._items(depth)
        if kind == 12:
            return self.fields(depth + 1)
        raise ValueError(f"no such type: {kind}")

    def _items(self, depth: int) -> list[Any]:
        head = self._byte()
        count = head >> 4 if head >> 4 != 15 else self._varint()
        kind = head & 15
        if count > MOST_ITEMS or depth > DEEPEST:
            raise ValueError("a list that is too long, or too deep")
        if kind in (1, 2):
            return [self._byte() == 1 for _ in range(count)]
        return [self._value(kind, depth + 1) for _ in range(count)]

    def _byte(self) -> int:
        value = self.data[self.place]
        self.place += 1
        return value

    def _bytes(self, count: int) -> bytes:
        content = bytes(self.data[self.place : self.place + count])
        if len(content) != count:
            raise IndexError(self.place)
        self.place += count
        return content

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
            if shift > 63:
                raise ValueError("an integer that is too long")

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
