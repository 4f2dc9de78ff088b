"""A client that sends requests at a fixed rate, which wrk cannot."""

import asyncio
import gc
import time
from collections import deque
from dataclasses import dataclass, field

import numpy as np

CONNECTIONS = 8
TICK = 0.001


@dataclass
class Paced:
    """The result of requests at a fixed rate."""

    milliseconds: list[float] = field(default_factory=list)
    """Time of each request from the moment at which it was due to its answer."""
    failed: int = 0
    sent_late: float = 0.0
    """Largest delay of the client itself in milliseconds, without the wait for a free connection."""

    def p99(self) -> float:
        """The 99th percentile of the times in milliseconds."""
        return float(np.percentile(self.milliseconds, 99))


class _Connection(asyncio.Protocol):
    def __init__(self, waiting: deque[tuple[float, bytes]], free: list["_Connection"], found: Paced) -> None:
        self._waiting, self._free, self._found = waiting, free, found
        self._received = b""
        self._due: float | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._free.append(self)

    def ask(self, due: float, request: bytes) -> None:
        assert self._transport
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        if not blank or self._due is None:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        self._found.milliseconds.append((time.perf_counter() - self._due) * 1000)
        self._found.failed += not head.startswith(b"HTTP/1.1 200")
        self._received, self._due = b"", None
        if self._waiting:
            self.ask(*self._waiting.popleft())
        else:
            self._free.append(self)

    def connection_lost(self, error: Exception | None) -> None:
        if self in self._free:
            self._free.remove(self)

    def close(self) -> None:
        if self._transport:
            self._transport.close()


def paced(port: int, path: str, bodies: list[bytes], rate: float, seconds: float) -> Paced:
    """Send requests at a fixed rate over 8 connections, whether or not they are answered (an open loop).

    Args:
        port: port on the loopback.
        path: path of the route.
        bodies: JSON bodies that are sent in turn.
        rate: requests a second.
        seconds: duration.
    """
    requests = [
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n".encode()
        + body
        for body in bodies
    ]
    gc.disable()
    try:
        return asyncio.run(_paced(port, requests, rate, seconds))
    finally:
        gc.enable()


async def _paced(port: int, requests: list[bytes], rate: float, seconds: float) -> Paced:
    loop = asyncio.get_running_loop()
    found, waiting = Paced(), deque[tuple[float, bytes]]()
    free: list[_Connection] = []
    connections = [
        (await loop.create_connection(lambda: _Connection(waiting, free, found), "127.0.0.1", port))[1]
        for _ in range(CONNECTIONS)
    ]
    count, began = round(rate * seconds), time.perf_counter()
    for number in range(count):
        due = began + number / rate
        while (early := due - time.perf_counter()) > 0:
            await asyncio.sleep(min(early, TICK))
        found.sent_late = max(found.sent_late, (time.perf_counter() - due) * 1000)
        request = requests[number % len(requests)]
        if free:
            free.pop().ask(due, request)
        else:
            waiting.append((due, request))
        if number % 8 == 7:
            await asyncio.sleep(0)
    until = time.perf_counter() + 10
    while len(found.milliseconds) < count and time.perf_counter() < until:
        await asyncio.sleep(0.01)
    found.failed += count - len(found.milliseconds)
    for connection in connections:
        connection.close()
    return found
