"""What hostile clients send: requests of any size, made of a part that repeats, and ways to hold connections."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

HOST: Final = "127.0.0.1"
JSON, CSV = "application/json", "text/csv"
ANSWER_SECONDS: Final = 30.0
Holder = Callable[[int, float], None]
"""Holds one connection to a port for some seconds, and never behaves as a client should."""


@dataclass(frozen=True)
class Attack:
    """A request whose size can be chosen.

    In `part`, `#` stands for a number that differs in each repetition. In all of it, `$` stands for a text that
    differs in each request. Characters up to 255 are sent as one byte.

    Args:
        path: the route that gets this as a body; if it is empty, this is the whole request.
        kind: content type of the body.
        start: what comes first.
        part: what is repeated.
        end: what comes last.
        closing: what is repeated as often as the part, after `end`.
    """

    path: str
    kind: str
    start: str
    part: str
    end: str = ""
    closing: str = ""

    def request(self, size: int, salt: str) -> bytes:
        """Build a request whose growing part has about as many bytes as `size`."""
        number = f"{size:x}" if "#" in self.part else ""
        count = max(1, size // len(self.part.replace("#", number) + self.closing))
        parts = self.part * count
        if number:
            parts = "".join(self.part.replace("#", f"{place:x}") for place in range(count))
        content = (self.start + parts + self.end + self.closing * count).replace("$", salt).encode("latin-1")
        return post(self.path, content, self.kind) if self.path else content


def post(path: str, body: bytes, kind: str = JSON) -> bytes:
    """A request with a body."""
    head = f"POST {path} HTTP/1.1\r\nHost: service\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def get(path: str) -> bytes:
    """A request without a body."""
    return f"GET {path} HTTP/1.1\r\nHost: service\r\n\r\n".encode()


OBJECTS: Final = {
    "a name again and again": ("{", '"rooms":1,', '"rooms":1}'),
    "an unknown name again and again": ("{", '"n$":1,', '"n$":1}'),
    "two names in turn": ("{", '"n$":1,"rooms":1,', '"age":1}'),
    "many names": ("{", '"$#":1,', '"rooms":1}'),
    "many names, the last one twice": ("{", '"$#":1,', '"rooms":1,"rooms":1}'),
    "lists in lists": ('{"rooms":', "[", "1"),
    "lists in lists, closed": ('{"rooms":', "[", "1", "]"),
    "objects in objects": ("", '{"rooms":', "1"),
    "objects in objects, closed": ("", '{"rooms":', "1", "}"),
    "a long whole number": ('{"rooms":', "9", "}"),
    "a long decimal number": ('{"rooms":0.', "01", "}"),
    "a long exponent": ('{"rooms":1e', "9", "}"),
    "a long text": ('{"rooms":1,"place":"$', "x", '"}'),
    "a long text for a number": ('{"rooms":"$', "1", '"}'),
    "a long text for a date": ('{"sold":"$', "1", '"}'),
    "colons in a text": ('{"rooms":1,"place":"', ":", '"}'),
    "escaped letters": ('{"rooms":1,"place":"', "\\u00e9", '"}'),
    "halves of characters": ('{"rooms":1,"place":"', "\\ud800", '"}'),
    "a long name": ('{"$', "x", '":1}'),
    "spaces": ("", " ", '{"rooms":1}'),
    "lines before a mistake": ("", "\n", '{"rooms"}'),
    "a text that does not end": ('{"place":"$', "x"),
    "a byte that is no UTF-8": ('{"place":"$', "x", '\xff"}'),
}
"""JSON for a route that takes one object."""

BATCHES: Final = {
    "empty rows": ('{"rows":[', "{},", "{}]}"),
    "rows": ('{"rows":[', '{"rooms":1},', '{"rooms":1}]}'),
    "rows that are numbers": ('{"rows":[', "1,", "1]}"),
    "rows that are empty lists": ('{"rows":[', "[],", "[]]}"),
    "rows with unknown names": ('{"rows":[', '{"$#":1},', '{"rooms":1}]}'),
    "rows with a name twice": ('{"rows":[', '{"rooms":1,"rooms":2},', '{"rooms":1}]}'),
    "a row of many names": ('{"rows":[{', '"$#":1,', '"rooms":1}]}'),
    "a row of many names, the last one twice": ('{"rows":[{', '"$#":1,', '"rooms":1,"rooms":1}]}'),
    "a row of one name": ('{"rows":[{', '"rooms":1,', '"rooms":1}]}'),
    "rows in rows": ('{"rows":', '[{"rooms":', "1"),
    "a column of numbers": ('{"columns":{"rooms":[', "1,", "1]}}"),
    "a column of texts": ('{"columns":{"place":[', '"$#",', '"inland"]}}'),
    "a column of dates": ('{"columns":{"sold":[', '"2020-01-01",', '"2020-01-01"]}}'),
    "a column of wrong dates": ('{"columns":{"sold":[', '"x",', '"x"]}}'),
    "a column of nulls": ('{"columns":{"rooms":[', "null,", "null]}}"),
    "a column of long numbers": ('{"columns":{"rooms":[', "9" * 400 + ",", "1]}}"),
    "a column of infinities": ('{"columns":{"rooms":[', "1e999,", "1]}}"),
    "a column of empty objects": ('{"columns":{"rooms":[', "{},", "{}]}}"),
    "many columns": ('{"columns":{', '"$#":[1],', '"rooms":[1]}}'),
    "a column again and again": ('{"columns":{', '"rooms":[1],', '"rooms":[1]}}'),
    "neither rows nor columns": ("{", '"$#":[],', '"rows":[]}'),
}
"""JSON for a route that takes many rows."""

FILES: Final = {
    "lines": ("rooms\n", "1\n"),
    "lines of another text each": ("place\n", "$#\n"),
    "dates": ("sold\n", "2020-01-01\n"),
    "wrong dates": ("sold\n", "x\n"),
    "many names": ("", "$#,", "rooms\n1\n"),
    "many names, the last one twice": ("", "$#,", "rooms,rooms\n1,1\n"),
    "a name again and again": ("", "rooms,", "rooms\n1\n"),
    "an unknown name again and again": ("", "n$,", "rooms\n1\n"),
    "empty names": ("", ",", "\n1\n"),
    "names without a line": ("", "$#,"),
    "a long name": ("$", "x", "\n1\n"),
    "a long line": ("rooms\n", "1,", "1\n"),
    "blank lines": ("rooms\n", "\n", "1\n"),
    "returns": ("rooms\r", "\r", "1\r"),
    "a long text": ("place\n$", "x", "\n"),
    "a long number": ("rooms\n", "9", "\n"),
    "quotes": ('place\n"$', '""', '"\n'),
    "a quote that does not end": ('place\n"$', "x\n"),
    "lines in quotes": ('place\n"$', "\n", '"\n'),
    "empty quotes": ("place\n", '"",', '""\n'),
    "bytes of zero": ("place\n$", "\0", "\n"),
    "a byte that is no UTF-8": ("place\n", "x\n", "\xff\n"),
}
"""CSV for a route that takes many rows."""

GET: Final = "GET /health HTTP/1.1\r\nHost: service\r\n"
CHUNKED: Final = (
    f"POST /predict HTTP/1.1\r\nHost: service\r\nContent-Type: {JSON}\r\nTransfer-Encoding: chunked\r\n\r\n"
)
HEADERS: Final = {
    "a long header": (f"{GET}X-Request-Id: $", "x", "\r\n\r\n"),
    "a header that does not end": (f"{GET}A: $", "x"),
    "a long name of a header": (f"{GET}$", "x", ": 1\r\n\r\n"),
    "many headers": (GET, "$#: 1\r\n", "\r\n"),
    "a header again and again": (GET, "X-Forwarded-For: 192.0.2.1\r\n", "\r\n"),
    "addresses of proxies": (f"{GET}X-Forwarded-For: 192.0.2.1", ",192.0.2.1", "\r\n\r\n"),
    "a long path": ("GET /$", "x", " HTTP/1.1\r\nHost: service\r\n\r\n"),
    "a long query": ("GET /health?", "$#=1&", " HTTP/1.1\r\nHost: service\r\n\r\n"),
    "a long method": ("$", "X", " / HTTP/1.1\r\n\r\n"),
    "lines before a request": ("", "\r\n", f"{GET}\r\n"),
    "no HTTP": ("\x16\x03\x01$", "\x00"),
    "requests without waiting": ("", f"{GET}\r\n"),
    "chunks of one byte": (CHUNKED, "1\r\n \r\n", "0\r\n\r\n"),
    "a long extension of a chunk": (f"{CHUNKED}1;", "x", "\r\n1\r\n0\r\n\r\n"),
    "a chunk's length of many digits": (CHUNKED, "0", "1\r\n1\r\n0\r\n\r\n"),
    "trailers": (f"{CHUNKED}1\r\n1\r\n0\r\n", "$#: 1\r\n", "\r\n"),
    "a long trailer": (f"{CHUNKED}1\r\n1\r\n0\r\nA: $", "x", "\r\n\r\n"),
}
"""Whole requests."""

NO_BODY_ROUTES: Final = ("/reload", "/health", "/metrics", "/model_info", "/openapi.json", "/", "/livez", "/nope")


def attacks() -> Iterator[tuple[str, Attack]]:
    """All requests, each with a name that no other one has."""
    for path in ("/predict", "/feedback"):
        for name, parts in OBJECTS.items():
            yield f"{path}, {name}", Attack(path, JSON, *parts)
    for name, parts in (OBJECTS | BATCHES).items():
        yield f"/predict_batch, {name}", Attack("/predict_batch", JSON, *parts)
    for name, parts in FILES.items():
        yield f"/predict_batch, CSV, {name}", Attack("/predict_batch", CSV, *parts)
    for path in NO_BODY_ROUTES:
        yield f"{path}, a body", Attack(path, JSON, *OBJECTS["many names"])
    for name, parts in HEADERS.items():
        yield f"headers, {name}", Attack("", "", *parts)


@contextmanager
def connected(port: int, source: str = HOST, seconds: float = ANSWER_SECONDS) -> Iterator[socket.socket]:
    """A connection to this machine from one of its addresses, with a limit for each operation."""
    with socket.create_connection((HOST, port), seconds, (source, 0)) as connection:
        yield connection


def exchange(port: int, request: bytes, source: str = HOST, seconds: float = ANSWER_SECONDS) -> int:
    """Send a whole request, and read only then. Returns the status code; 0 where no answer arrives in time."""
    with suppress(OSError, IndexError, ValueError), connected(port, source, seconds) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(request)
        return int(connection.recv(2**16).split(b" ", 2)[1])
    return 0


def _trickle(first: bytes) -> Holder:
    """Send something, and then one byte from time to time."""

    def hold(port: int, seconds: float) -> None:
        until = time.monotonic() + seconds
        with suppress(OSError), connected(port) as connection:
            connection.sendall(first)
            while time.monotonic() < until:
                connection.sendall(b"x")
                time.sleep(0.1)

    return hold


def _leave(request: Callable[[], bytes], after: float = 1.0) -> Holder:
    """Send a share of a request and leave, again and again."""

    def hold(port: int, seconds: float) -> None:
        until = time.monotonic() + seconds
        content = request()
        while time.monotonic() < until:
            with suppress(OSError), connected(port) as connection:
                connection.sendall(content[: int(after * len(content))])

    return hold


def _idle(port: int, seconds: float) -> None:
    """Connect, and do nothing."""
    with suppress(OSError), connected(port):
        time.sleep(seconds)


def _never_read(port: int, seconds: float) -> None:
    """Ask for large answers, and never read one."""
    until = time.monotonic() + seconds
    with suppress(OSError), connected(port, seconds=seconds) as connection:
        while time.monotonic() < until:
            connection.sendall(get("/openapi.json") * 20)


def _batch() -> bytes:
    return Attack("/predict_batch", JSON, *BATCHES["rows"]).request(5_000_000, "")


HOLDERS: Final[dict[str, Holder]] = {
    "idle": _idle,
    "slow headers": _trickle(GET.encode() + b"X-A: "),
    "a slow body": _trickle(post("/predict", b"x" * 50_000)[:-50_000]),
    "a body that stops": _trickle(_batch()[:100_000]),
    "answers that nobody reads": _never_read,
    "left in the middle of the headers": _leave(GET.encode),
    "left in the middle of the body": _leave(_batch, 0.5),
    "left before the answer": _leave(_batch),
}
"""Ways to hold connections that are no single request."""
BY_RATE: Final = frozenset({"left in the middle of the body"})
"""Those whose cost grows with the speed of the client: new connections of others wait behind all that it has left. On a
fast machine another client may wait longer than is allowed, so that the short form leaves them out."""
