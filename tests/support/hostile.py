"""Bodies that a hostile client may send, of any size: each is made to cost more than it seems to."""

from collections.abc import Callable
from typing import Final

Body = Callable[[int], bytes]
"""Function from a number of bytes to a body of about that size."""


def _repeated(start: bytes, part: bytes, end: bytes = b"") -> Body:
    return lambda size: start + part * (size // len(part)) + end


def _numbered(start: bytes, part: bytes, end: bytes = b"") -> Body:
    """A body whose parts hold a number each, so that no two of them are equal."""
    width = len(part % 10**6)
    return lambda size: start + b"".join(part % (10**6 + place) for place in range(size // width)) + end


JSON_BODIES: Final[dict[str, Body]] = {
    "one name": _repeated(b'{"rooms": 1', b',"rooms":1', b"}"),
    "one name in a row": _repeated(b'{"rows": [{"rooms": 1', b',"rooms":1', b"}]}"),
    "many names": _numbered(b'{"rooms": 1', b',"a%d":1', b"}"),
    "many names and one twice": _numbered(b'{"rooms": 1', b',"a%d":1', b',"b":1,"b":1}'),
    "many names in a row": _numbered(b'{"rows": [{"rooms": 1', b',"a%d":1', b"}]}"),
    "many columns": _numbered(b'{"columns": {"rooms": [1]', b',"a%d":[1]', b"}}"),
    "rows of other names": _numbered(b'{"rows": [{"rooms": 1}', b',{"a%d":1}', b"]}"),
    "a long name": _repeated(b'{"rows": [{"', b"a", b'": 1}]}'),
    "empty lists": _repeated(b"[[]", b",[]", b"]"),
    "empty lists in a column": _repeated(b'{"columns": {"rooms": [[]', b",[]", b"]}}"),
    "empty rows": _repeated(b'{"rows": [{}', b",{}", b"]}"),
    "short rows": _repeated(b'{"rows": [{"age":1}', b',{"age":1}', b"]}"),
    "short values": _repeated(b'{"columns": {"rooms": [1', b",1", b"]}}"),
    "short texts": _repeated(b'{"columns": {"place": ["ab"', b',"ab"', b"]}}"),
    "deep lists": _repeated(b"", b"["),
    "deep objects": _repeated(b"", b'{"a":'),
    "deep lists in a row": _repeated(b'{"rows": [{"rooms": ', b"[", b"}]}"),
    "a long number": _repeated(b'{"rows": [{"rooms": ', b"9", b"}]}"),
    "a long fraction": _repeated(b'{"rows": [{"rooms": 0.', b"7", b"}]}"),
    "a long exponent": _repeated(b'{"rows": [{"rooms": 1e', b"9", b"}]}"),
    "long numbers": _repeated(b'{"columns": {"rooms": [1', b"," + b"9" * 4000, b"]}}"),
    "long numbers as a category": _repeated(b'{"columns": {"place": [1', b"," + b"9" * 300, b"]}}"),
    "a long text": _repeated(b'{"rows": [{"place": "', b"a", b'"}]}'),
    "a long text for a number": _repeated(b'{"rows": [{"rooms": "', b"1", b'"}]}'),
    "commas in a text": _repeated(b'{"rows": [{"place": "', b",[{:", b'"}]}'),
    "backslashes": _repeated(b'{"rows": [{"place": "', rb"\\", b'"}]}'),
    "quotes": _repeated(b'{"rows": [{"place": "', rb"\"", b'"}]}'),
    "escapes": _repeated(b'{"rows": [{"place": "', rb"\u00e9", b'"}]}'),
    "surrogates": _repeated(b'{"rows": [{"place": "', rb"\ud83d\ude00", b'"}]}'),
    "halves of surrogates": _repeated(b'{"rows": [{"place": "', rb"\ud800", b'"}]}'),
    "blanks": _repeated(b'{"rows": [{"rooms": 1}]}', b" "),
    "lines": _repeated(b'{"rows": [', b"\n", b"x]}"),
    "an open text": _repeated(b'{"rows": [{"place": "', b"a"),
    "commas": _repeated(b"", b","),
    "colons": _repeated(b'{"rows": [{"place": "', b":", b'"}]}'),
    "not UTF-8": _repeated(b'{"rows": [{"place": "', b"\xff", b'"}]}'),
    "zeros": _repeated(b"", b"\0"),
}
CSV_BODIES: Final[dict[str, Body]] = {
    "a header of many names": _numbered(b"rooms", b",a%d", b"\n1\n"),
    "a header of many names and one twice": _numbered(b"rooms", b",a%d", b",b,b\n1\n"),
    "a header of one name": _repeated(b"rooms", b",rooms", b"\n1\n"),
    "a header of no names": _repeated(b"", b",", b"\n1\n"),
    "a header of two names": _repeated(b"rooms,age", b",age,rooms", b"\n1\n"),
    "a long name": _repeated(b"", b"a", b"\n1\n"),
    "short rows": _repeated(b"rooms\n", b"1\n"),
    "empty cells": _repeated(b"rooms,age\n", b",\n"),
    "blank lines": _repeated(b"rooms\n", b"\n"),
    "blank lines of another system": _repeated(b"rooms\n", b"\r"),
    "blank lines at the beginning": _repeated(b"", b"\r\n", b"rooms\n1\n"),
    "a wide row": _repeated(b"rooms\n", b",", b"\n"),
    "wide rows": _repeated(b"rooms\n", b"," * 1000 + b"\n"),
    "quoted lines": _repeated(b'rooms\n"', b"\n", b'"\n'),
    "quoted lines in many cells": _repeated(b"rooms\n", b'"\n",'),
    "quotes": _repeated(b'rooms\n"', b'""', b'"\n'),
    "an open quote": _repeated(b'rooms\n"', b"1\n"),
    "a long text": _repeated(b"place\n", b"a", b"\n"),
    "long texts": _repeated(b"place\n", b"a" * 100_000 + b"\n"),
    "a long number": _repeated(b"rooms\n", b"9", b"\n"),
    "long numbers": _repeated(b"rooms\n", b"9" * 100_000 + b"\n"),
    "wide letters": _repeated(b"place\n", "\U0001f600".encode() * 1000 + b"\n"),
    "zeros": _repeated(b"rooms\n", b"\0"),
    "not UTF-8": _repeated(b"rooms\n", b"\xff"),
}
