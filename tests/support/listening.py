"""The application behind a real server in a thread of this process, and clients that speak HTTP by hand."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import uvicorn
import uvicorn.config

from service.connections import limit_connections
from service.settings import Settings

HOST = "127.0.0.1"
OTHER = "127.0.0.2"
"""Another address of this machine, and so another client."""


@contextmanager
def listening(app: Any, settings: Settings, loop: Any = "auto") -> Iterator[int]:
    """The port on which uvicorn serves an ASGI application, started as BentoML starts it."""
    with pytest.MonkeyPatch.context() as patch, socket.create_server((HOST, 0)) as listener:
        patch.setitem(uvicorn.config.HTTP_PROTOCOLS, "auto", "")
        patch.setenv("FORWARDED_ALLOW_IPS", "")
        limit_connections(settings)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, server_header=False, loop=loop))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(60)
    assert not thread.is_alive()


@contextmanager
def connected(port: int, source: str = HOST) -> Iterator[socket.socket]:
    """A connection from an address of this machine; the limit of its operations only guards against a hang."""
    with socket.create_connection((HOST, port), 30, (source, 0)) as connection:
        yield connection


def get(path: str = "/health", *headers: str) -> bytes:
    """A request without a body."""
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: service", *headers, "", ""]).encode()


def post(path: str, body: bytes, *headers: str) -> bytes:
    """A request with a JSON body."""
    own = (f"Content-Length: {len(body)}", "Content-Type: application/json")
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: service", *own, *headers, "", ""]).encode() + body


def status(connection: socket.socket) -> int:
    """The status code of the next answer, which is read whole; 0 if the connection ends without one."""
    received = b""
    with suppress(ConnectionError):
        while b"\r\n\r\n" not in received:
            received += (chunk := connection.recv(1))
            if not chunk:
                return 0
        length = int(received.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        while length and (chunk := connection.recv(length)):
            length -= len(chunk)
        return int(received.split(b" ", 2)[1])
    return 0


def answer(port: int, request: bytes, source: str = HOST) -> int:
    """Send a whole request, read only then, and return the status code; a sender that is cut off fails."""
    with connected(port, source) as connection:
        connection.sendall(request)
        return status(connection)


def is_closed(connection: socket.socket, seconds: float) -> bool:
    """Whether the server closes a connection within some seconds, on which nothing more is sent or expected."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        connection.settimeout(left)
        with suppress(TimeoutError):
            try:
                if not connection.recv(2**16):
                    return True
            except ConnectionError:
                return True
    return False
