"""Request bodies: read within bounds, and decoded strictly."""

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec

from service.problems import Problem

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
JSON: Final = "application/json"
CSV: Final = "text/csv"
LONGEST_NUMBER: Final = 400
"""Largest number of digits of an integer that is parsed; a longer one exceeds float64 in any case."""


class Disconnected(Exception):
    """The client has closed the connection, so that no answer is sent."""


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


async def read(receive: Receive, headers: Mapping[bytes, bytes], limit: int, seconds: float) -> bytes:
    """Read a whole body, chunked or not.

    Args:
        limit: largest size in bytes; no more is kept in memory.
        seconds: longest time that the client may take.

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
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Disconnected
                chunk = message.get("body", b"")
                size += len(chunk)
                if size > limit:
                    raise _too_large(limit)
                chunks.append(chunk)
                if not message.get("more_body", False):
                    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
    except TimeoutError:
        problem = f"the body did not arrive within {seconds:g} seconds"
        raise Problem(408, "too_slow", problem, "send it faster, or in smaller batches") from None


def decode(body: bytes) -> Any:
    """Decode a JSON body. NaN, Infinity and numbers beyond float64 become floats that are not finite.

    Raises:
        Problem: the body is not JSON in UTF-8, is nested too deep, or an object has a key twice (400).
    """
    try:
        value = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _decode_slowly(body)
    # Each pair of a key and a value has a colon: if there are as many colons as pairs, no key was there twice.
    return value if body.count(b":") == _pairs(value) else _decode_slowly(body)


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
        names = [name for name, _ in pairs]
        field = next(name for name in names if names.count(name) > 1)
        raise Problem(400, "duplicate_field", "is twice in one object", "send each field once", field)
    return found


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= LONGEST_NUMBER else math.inf


def _too_large(limit: int) -> Problem:
    problem = f"the body is larger than {limit} bytes"
    return Problem(413, "body_too_large", problem, "send smaller batches", headers=((b"connection", b"close"),))
