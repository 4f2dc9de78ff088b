"""Clients for what wrk cannot do: requests at a fixed rate, and answers that are remembered."""

import asyncio
import gc
import http.client
import json
import threading
import time
from collections import deque
from dataclasses import dataclass, field

import numpy as np

CONNECTIONS = 8
TICK = 0.001


@dataclass
class Paced:
    """Latencies and failures of requests at a fixed rate."""

    milliseconds: list[float] = field(default_factory=list)
    """Milliseconds of each request from the moment at which it should have been sent to its answer."""
    failed: int = 0
    sent_late: float = 0.0
    """The largest delay of the client itself in milliseconds; waiting for a free connection is not in it."""

    def p99(self) -> float:
        """The 99th percentile in milliseconds."""
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
    """Send at a fixed rate, whether or not the answers come (an open loop), over 8 connections.

    Args:
        port: on the loopback.
        path: of the route.
        bodies: JSON, sent in turns.
        rate: requests a second.
        seconds: how long.
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


@dataclass(frozen=True)
class Answered:
    """One answer with status 200."""

    at: float
    """`time.monotonic()` when the answer was read."""
    request_id: str
    version: str


class Remembering:
    """Threads that ask without end, keep the id of each answer, and connect again when the server is gone.

    Args:
        port: on the loopback.
        bodies: rows in JSON.
        threads: how many.
        pause: of each thread between two requests, in seconds.
    """

    def __init__(self, port: int, bodies: list[bytes], threads: int = 4, pause: float = 0.0) -> None:
        self.answers: list[Answered] = []
        self.refused: list[tuple[float, int]] = []
        """Time and HTTP status of each refused request."""
        self.broken: list[float] = []
        """Times at which a connection failed."""
        self._port, self._bodies, self._pause = port, bodies, pause
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(threads)]

    def __enter__(self) -> "Remembering":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _run(self, number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
        headers = {"Content-Type": "application/json"}
        while not self._stopping.is_set():
            number += 1
            try:
                connection.request("POST", "/predict", self._bodies[number % len(self._bodies)], headers)
                response = connection.getresponse()
                content = response.read()
            except (OSError, http.client.HTTPException):
                self.broken.append(time.monotonic())
                connection.close()
                self._stopping.wait(0.02)
                continue
            if response.status == 200:
                answer = json.loads(content)
                self.answers.append(Answered(time.monotonic(), answer["request_id"], answer["model_version"]))
            else:
                self.refused.append((time.monotonic(), response.status))
            self._stopping.wait(self._pause)
