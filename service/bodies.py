"""Request bodies: read within bounds, and decoded strictly."""

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from service.problems import Problem

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
JSON: Final = "application/json"
CSV: Final = "text/csv"
LONGEST_NUMBER: Final = 400
"""Largest number of digits of an integer that is parsed; a longer one exceeds float64 in any case."""
SMALL: Final = 256 * 2**10
"""Largest size in bytes of a batch that may hold anything, because decoding it takes some milliseconds at most."""


class Disconnected(Exception):
    """The client has closed the connection, so that no answer is sent."""


class Budget:
    """Memory for large bodies, which all requests of a worker share.

    Args:
        size: number of bytes.
    """

    def __init__(self, size: int) -> None:
        self._free = size

    @contextmanager
    def part(self) -> Iterator[Callable[[int], None]]:
        """Yield a function that takes a number of bytes, which are given back at the end.

        The function raises Problem (429) if other requests have them.
        """
        taken = 0

        def take(size: int) -> None:
            nonlocal taken
            if size > self._free:
                raise busy("too many large bodies arrive at once")
            self._free -= size
            taken += size

        try:
            yield take
        finally:
            self._free += taken


def busy(problem: str) -> Problem:
    """The refusal of a request for which there is no room now."""
    return Problem(429, "busy", problem, "try again later", headers=((b"retry-after", b"1"),))


def content_type(headers: Mapping[bytes, bytes], accepted: tuple[str, ...]) -> str:
    """The media type of a body; without the header, the first one of those that are accepted.

    Raises:
        Problem: the body is compressed, or of another type (415).
    """
    found = headers.get(b"content-type", accepted[0].encode()).partition(b";")[0].strip().lower().decode("latin-1")
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise Problem(
            415, "unsupported_encoding", "says that the body is compressed", "send it as it is", "Content-Encoding"
        )
    if found not in accepted:
        remedy = f"send {' or '.join(accepted)}"
        if "parquet" in found:
            remedy += "; send columns as JSON or CSV, and score whole tables with the batch pipeline"
        problem = "names a type that this path does not accept"
        raise Problem(415, "unsupported_content_type", problem, remedy, "Content-Type")
    return found


async def read(
    receive: Receive,
    headers: Mapping[bytes, bytes],
    limit: int,
    seconds: float,
    take: Callable[[int], None] | None = None,
) -> bytes:
    """Read a whole body, chunked or not.

    Args:
        limit: largest size in bytes; no more is kept in memory.
        seconds: longest time that the client may take.
        take: called with the number of bytes that are kept of a large body, before they are.

    Raises:
        Problem: the body is too large (413) or too slow (408), or its length is not a number (400).
        Disconnected: the client has closed the connection before the end.
    """
    length = headers.get(b"content-length")
    if length is not None:
        if length.strip(b"0123456789"):
            raise Problem(400, "invalid_length", "is not a number", "send the number of bytes", "Content-Length")
        if len(length) > 18 or int(length) > limit:
            raise _too_large(limit)
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Disconnected
                chunk = message.get("body", b"")
                is_last = not message.get("more_body", False)
                size = len(body) + len(chunk)
                if size > limit:
                    raise _too_large(limit)
                if take and size > SMALL:
                    take(len(chunk))
                if is_last and not body:
                    return bytes(chunk)
                body += chunk
                if is_last:
                    return bytes(body)
    except TimeoutError:
        problem = f"the body did not arrive within {seconds:g} seconds"
        raise Problem(408, "too_slow", problem, "send it faster, or in smaller batches") from None


async def left(receive: Receive) -> None:
    """Wait until the client closes the connection. The whole body must have been read."""
    while (await receive())["type"] != "http.disconnect":
        pass


def check_size(body: bytes, rows: int, columns: int) -> None:
    """Refuse a batch in JSON that holds more values than rows of the model do, before memory is taken for them.

    A value takes up to a hundred times the memory of its text, and the interpreter decodes all of them in one go. So
    what is decoded must be bounded by what a model can take, not by the size of the body.

    Args:
        rows: largest number of rows.
        columns: number of columns of the model.

    Raises:
        Problem: the body holds more (413).
    """
    if len(body) <= SMALL:
        return
    # Commas and brackets inside texts count for nothing, but to leave them out takes longer than to decode most bodies.
    if _holds_more(np.frombuffer(body, np.uint8), rows, columns) and _holds_more(_without_texts(body), rows, columns):
        problem = f"the batch holds more than {rows} rows of the model's columns, of which there are {columns}"
        raise Problem(413, "too_many_rows", problem, "send smaller batches, and no other columns")


def _holds_more(letters: NDArray[np.uint8], rows: int, columns: int) -> bool:
    """Whether a body in JSON has more values, or more lists and objects, than a batch."""
    if np.count_nonzero(letters == ord(",")) > rows * columns + rows:
        return True
    opened = np.count_nonzero(letters == ord("[")) + np.count_nonzero(letters == ord("{"))
    return bool(opened > max(rows, columns) + 2)


def _without_texts(body: bytes) -> NDArray[np.uint8]:
    """The bytes of a body in JSON that are outside of its texts."""
    letters = np.frombuffer(body.replace(rb"\\", b"__").replace(rb"\"", b"__"), np.uint8)
    return letters[~np.logical_xor.accumulate(letters == ord('"'))]


def decode(body: bytes) -> Any:
    """Decode a JSON body. NaN, Infinity and numbers beyond float64 become floats that are not finite.

    Raises:
        Problem: the body is not JSON in UTF-8, is nested too deep, or an object has a key twice (400).
    """
    if len(body) > SMALL and _has_long_numbers(body):
        return _decode_slowly(body)
    try:
        value = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _decode_slowly(body)
    # Each pair of a key and a value has a colon: if there are as many colons as pairs, no key was there twice.
    return value if body.count(b":") == _pairs(value) else _decode_slowly(body)


def _has_long_numbers(body: bytes) -> bool:
    """Whether there are more digits in a row than a number has, which msgspec would read in quadratic time."""
    block = LONGEST_NUMBER // 2
    letters = np.frombuffer(body, np.uint8, len(body) // block * block)
    is_digit = (letters - ord("0")) < 10  # the difference of smaller bytes wraps around
    return bool(is_digit.reshape(-1, block).all(axis=1).any())


def _pairs(value: Any) -> int:
    """Count the pairs of an object and of the objects in its lists; nothing deeper is accepted."""
    if type(value) is not dict:
        return 0
    pairs = len(value)
    for item in value.values():
        if type(item) is dict:
            pairs += len(item)
        elif type(item) is list:
            pairs += sum(len(row) for row in item if type(row) is dict)
    return pairs


def _decode_slowly(body: bytes) -> Any:
    """Decode with Python's own parser, which tells more precisely what is wrong."""
    try:
        text = body.decode()
        value = json.loads(text, object_pairs_hook=_object, parse_int=_integer)
        if "\\ud" in text.lower():
            json.dumps(value, ensure_ascii=False).encode()  # half of a surrogate pair fails here
        return value
    except UnicodeError:
        raise Problem(400, "invalid_encoding", "the body is not UTF-8", "send the JSON encoded as UTF-8") from None
    except RecursionError:
        raise Problem(400, "invalid_json", "the body is nested too deep", "send a flat object") from None
    except json.JSONDecodeError as error:
        problem = f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise Problem(400, "invalid_json", problem, "send one JSON object, in UTF-8") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise Problem(400, "duplicate_field", "is twice in one object", "send each field once", name)
            seen.add(name)
    return found


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= LONGEST_NUMBER else math.inf


def _too_large(limit: int) -> Problem:
    problem = f"the body is larger than {limit} bytes"
    return Problem(413, "body_too_large", problem, "send less at once", headers=((b"connection", b"close"),))
