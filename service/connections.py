"""The limits of connections, below the bodies of requests: their headers, their time, and how many there are.

With httptools, uvicorn bounds none of them, and BentoML, which starts uvicorn, passes no option on that would. So a
class of our own takes the place of uvicorn's. It overrides the methods that asyncio and httptools call.
"""

import asyncio
import logging
import os
import resource
from collections.abc import Callable
from math import inf
from operator import is_not
from typing import Any, ClassVar, Final, NoReturn

import msgspec
import uvicorn.config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.problems import Problem
from service.settings import Settings

HEADER_BYTES: Final = 2**16
"""Largest size of the headers of a request, with its address."""
PIPELINED: Final = 32
"""Largest number of requests that a client may send ahead on one connection."""
SMALL_BYTES, SMALL_PIECES = 64, 20_000
"""Largest number of pieces of a body that have fewer bytes: each piece costs time, whatever its size."""
DROPPED: Final = 4
"""A body that is not wanted is read and dropped up to so many times the size of the largest one that is accepted."""
LONGEST_SWEEP: Final = 1.0
TOO_LARGE: Final = Problem(431, "headers_too_large", f"the headers exceed {HEADER_BYTES} bytes", "send shorter headers")
TOO_SMALL: Final = Problem(400, "chunks_too_small", "the chunks of the body are too small", "send larger chunks")
TOO_EAGER: Final = Problem(400, "too_many_ahead", "too many requests were sent ahead", "wait for answers")
NO_HTTP: Final = Problem(400, "invalid_http", "this is no request in HTTP/1.1", "send one")
FULL: Final = Problem(503, "busy", "there are too many connections", "try again later, and use a connection again")
REASONS: Final = {400: "Bad Request", 431: "Request Header Fields Too Large", 503: "Service Unavailable"}


def limit_connections(settings: Settings) -> None:
    """Apply the settings to the server that BentoML starts next in this process."""
    Connection.room = Room(settings)
    uvicorn.config.HTTP_PROTOCOLS["auto"] = f"{__name__}:{Connection.__name__}"
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # a line for each wrong request would fill disks
    os.environ["FORWARDED_ALLOW_IPS"] = ",".join(settings.trusted_proxies)  # without it uvicorn trusts this machine


class Room:
    """The connections of a worker, by the address of the client, each with the oldest one first.

    If there are too many, an idle one makes room for a new one, or one of a client that has more than others. So one
    client cannot keep others out.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._most = settings.max_connections
        if hard != resource.RLIM_INFINITY:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            self._most = min(self._most, hard // 2)
        self._held: dict[str, dict[Connection, None]] = {}
        self._count = 0
        self._is_swept = False

    def add(self, connection: "Connection") -> None:
        """Take a connection in; if there are too many, refuse it or close another one."""
        self._held.setdefault(connection.address, {})[connection] = None
        self._count += 1
        if self._count > self._most:
            self._make_room(connection)
        if not self._is_swept:
            self._is_swept = True
            self._sweep(connection.loop)

    def remove(self, connection: "Connection") -> None:
        """Forget a connection that has ended or is about to."""
        held = self._held.get(connection.address, {})
        if connection in held:
            del held[connection]
            self._count -= 1
            if not held:
                del self._held[connection.address]

    def _make_room(self, new: "Connection") -> None:
        most = max(self._held.values(), key=len)
        closed = next((connection for connection in most if connection.is_idle and connection is not new), None)
        if closed is None and len(most) > len(self._held[new.address]):
            closed = next(iter(most))
        if closed is None:
            new.refuse(FULL)
        else:
            closed.end()
        self.remove(closed or new)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """End connections whose time is over, from time to time as long as there are any."""
        now = loop.time()
        late = [connection for held in self._held.values() for connection in held if connection.is_late(now)]
        for connection in late:
            connection.end()
        self._is_swept = bool(self._held)
        if self._is_swept:
            loop.call_later(min(LONGEST_SWEEP, self.settings.header_seconds / 2), self._sweep, loop)


class Connection(HttpToolsProtocol):
    """A connection of uvicorn with limits.

    If the server closes it before the request has been read, the client might lose the answer, because the system
    resets a connection that is closed with unread bytes. So it first reads and drops what still comes, for a while.
    """

    room: ClassVar[Room]
    address = ""
    """Address of the client."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._socket = transport
        self._shown = _Transport(transport, self.close)
        self.transport = self._shown  # type: ignore[assignment]
        self.address = self.client[0] if self.client else ""
        self._seen: tuple[object, ...] = (None, None, None)
        self._since = 0.0
        self._unwritten = inf
        self._outside = self._dropped = self._small = 0
        self._refusal: Problem | None = None
        self.lingers = False
        self.room.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.room.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.lingers:
            self._drop(len(data))
            return
        self._outside += len(data)
        super().data_received(data)
        if self._outside > HEADER_BYTES and not self.transport.is_closing():
            self.refuse(TOO_LARGE)

    def on_headers_complete(self) -> None:
        if self._outside > HEADER_BYTES:  # of what was received, the headers are a part
            size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if size > HEADER_BYTES:
                self._stop(TOO_LARGE)
        if len(self.pipeline) >= PIPELINED:
            self._stop(TOO_EAGER)
        self._outside = self._dropped = self._small = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._outside = 0
        if len(body) < SMALL_BYTES:
            self._small += 1
            if self._small > SMALL_PIECES:
                self._stop(TOO_SMALL)
        if self.cycle.response_complete:
            self._drop(len(body))
        super().on_body(body)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unwritten = self.loop.time() + self.room.settings.body_seconds

    def resume_writing(self) -> None:
        super().resume_writing()
        self._unwritten = inf

    def send_400_response(self, msg: str) -> None:
        self.refuse(self._refusal or (TOO_LARGE if self._outside > HEADER_BYTES else NO_HTTP))

    def handle_websocket_upgrade(self) -> None:
        self.refuse(NO_HTTP)

    def shutdown(self) -> None:
        super().shutdown()
        if self.is_idle:
            self._socket.close()

    @property
    def is_idle(self) -> bool:
        """Whether no request is being answered."""
        return self.lingers or self.cycle is None or self.cycle.response_complete

    def is_late(self, now: float) -> bool:
        """Whether the client takes too long to send headers or the rest of a body, or to read an answer.

        The time of a state begins when it is seen first, so that a request costs no look at the clock.
        """
        seen = (self.scope, self.cycle, self.is_idle)
        if any(map(is_not, seen, self._seen)):
            self._seen, self._since = seen, now
        settings = self.room.settings
        most = settings.body_seconds + self.timeout_keep_alive if self._is_answered else settings.header_seconds
        return now > self._unwritten or (self.is_idle and now - self._since > most)

    @property
    def _is_answered(self) -> bool:
        """Whether the last request was answered, and none has begun since."""
        return self.lingers or (self.cycle is not None and self.cycle.scope is self.scope)

    def refuse(self, problem: Problem) -> None:
        """Answer what did not become a request, and close."""
        self._refusal = problem
        body = msgspec.json.encode(problem.body(""))
        head = (
            f"HTTP/1.1 {problem.status} {REASONS[problem.status]}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
        if self.cycle is not None:  # who waits for the rest of a body waits no more
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    def close(self) -> None:
        """Close after the answer, and if the request has not been read to its end, after that or some time."""
        is_whole = self._refusal is None and self._is_answered and not self.cycle.more_body
        if is_whole or self._refusal is FULL or self._socket.is_closing() or not self._socket.can_write_eof():
            self._socket.close()
        elif not self.lingers:
            self.lingers = True
            self._shown.stop()
            self.flow.resume_reading()
            self._socket.write_eof()

    def end(self) -> None:
        """Close at once."""
        self._socket.abort()

    def _stop(self, problem: Problem) -> NoReturn:
        """Have the parser stop in the middle of what it was given, and uvicorn call `send_400_response`."""
        self._refusal = problem
        raise ValueError(problem.message)

    def _drop(self, size: int) -> None:
        self._dropped += size
        if self._dropped > DROPPED * self.room.settings.max_body_bytes:
            self.end()


class _Transport:
    """The transport of a connection, as uvicorn uses it."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self._transport = transport
        self.write: Callable[[bytes], None] = transport.write
        self.is_closing: Callable[[], bool] = transport.is_closing
        self.close = close

    def stop(self) -> None:
        """Take nothing more, and say that it is closing."""
        self.write, self.is_closing = lambda data: None, lambda: True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
