"""Request bodies: read within bounds, decoded without surprises."""

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
"""Digits of an integer; one that is longer is beyond float64 in any case."""
DIGITS: Final = b"0123456789"


class Disconnected(Exception):
    """The client is gone; nobody waits for an answer."""


def content_type(headers: Mapping[bytes, bytes], taken: tuple[str, ...]) -> str:
    """The media type of the body; without a header, the first of those that are taken.

    Raises:
        Problem: 415.
    """
    found = headers.get(b"content-type", taken[0].encode()).partition(b";")[0].strip().lower().decode("latin-1")
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise Problem(415, "unsupported_encoding", "the body is compressed", "send it as it is", "Content-Encoding")
    if found not in taken:
        remedy = f"send {' or '.join(taken)}"
        if "parquet" in found:
            remedy += "; send columns as JSON or CSV, and score whole tables with the batch pipeline"
        problem = "the body has a content type that is not taken here"
        raise Problem(415, "unsupported_content_type", problem, remedy, "Content-Type")
    return found


async def read(receive: Receive, headers: Mapping[bytes, bytes], most: int, seconds: float) -> bytes:
    """The whole body, chunked or not.

    Args:
        receive: of ASGI.
        headers: of the request.
        most: bytes; of a larger body no more than that is kept.
        seconds: that the client may take.

    Raises:
        Problem: 413, 408, or 400 for a length that is no number.
        Disconnected: before the end.
    """
    length = headers.get(b"content-length")
    if length is not None:
        if length.strip(DIGITS):
            raise Problem(400, "invalid_length", "the length is no number", "send a correct one", "Content-Length")
        if len(length) > 18 or int(length) > most:
            raise _too_large(most)
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
                if size > most:
                    raise _too_large(most)
                chunks.append(chunk)
                if not message.get("more_body", False):
                    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
    except TimeoutError:
        problem = f"the body did not come within {seconds:g} seconds"
        raise Problem(408, "too_slow", problem, "send it faster, or in smaller batches") from None


def decode(body: bytes) -> Any:
    """The value of a JSON body. NaN, Infinity and numbers beyond float64 become floats that are not finite.

    Raises:
        Problem: 400: no JSON, not UTF-8, nested too deep, or a key is twice in an object.
    """
    try:
        value = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _decode_slowly(body)
    # Each pair of a key and a value has its colon: as many colons as pairs, and no key was there twice.
    return value if body.count(b":") == _pairs(value) else _decode_slowly(body)


def _pairs(value: Any) -> int:
    """The pairs of an object and of the objects in its lists, which is as deep as anything that is accepted goes."""
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
    """With Python's own parser, which tells more about what is wrong."""
    try:
        text = body.decode()
        value = json.loads(text, object_pairs_hook=_object, parse_int=_integer)
        if "\\ud" in text.lower():
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except UnicodeError:
        raise Problem(400, "invalid_encoding", "the body is not UTF-8", "send the JSON encoded as UTF-8") from None
    except RecursionError:
        raise Problem(400, "invalid_json", "the body is nested too deep", "send a flat object") from None
    except json.JSONDecodeError as error:
        problem = f"the body is no JSON: {error.msg} at line {error.lineno}, column {error.colno}"
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


def _too_large(most: int) -> Problem:
    problem = f"the body is larger than {most} bytes"
    return Problem(413, "body_too_large", problem, "send smaller batches", headers=((b"connection", b"close"),))
