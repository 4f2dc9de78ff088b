"""The `gcsfs` artifact store when what it talks to is down, silent, slow or killed."""

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from stacks import emulation, gcsfs_filesystem
from stacks.gcsfs_store import GcsfsArtifactStoreConfig, StoreUnreachable
from stacks.programs import DetachedProgram
from tests.support.ports import free_port
from tests.support.stores import OPERATIONS, get, make_store, put


@pytest.fixture
def refusing() -> str:
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def unconnectable() -> Iterator[str]:
    """An address that drops what is sent to it, as an unroutable one does: its queue of connections is full."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        waiting = [socket.socket() for _ in range(8)]
        for client in waiting:
            client.setblocking(False)
            with suppress(BlockingIOError):
                client.connect(server.getsockname())
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        for client in waiting:
            client.close()


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize(
    ("down", "reason"),
    [
        ("refusing", "connection refused"),
        ("silent", "no answer within 0.3 seconds"),
        ("unconnectable", "no answer within 0.3 seconds"),
    ],
)
def test_a_store_that_is_down_is_one_clear_line(
    down: str,
    reason: str,
    name: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # given: short limits, so that this is quick
    url = request.getfixturevalue(down)
    monkeypatch.setattr(gcsfs_filesystem, "PAUSES", (0.01,))
    store = make_store(url, timeout=0.3)

    # when
    with caplog.at_level(logging.INFO), pytest.raises(StoreUnreachable) as caught:
        OPERATIONS[name](store, f"{store.path}/file")

    # then: it says where and why, once, and gcsfs says nothing
    said = str(caught.value)
    assert said.startswith(f"cannot reach the artifact store gs://bucket at {url}: {reason}; is it running")
    assert "\n" not in said
    assert caught.value.__cause__ is None
    assert [record for record in caplog.records if record.name.startswith(("gcsfs", "asyncio"))] == []


def test_a_host_without_address_is_said_to_be_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    # given: a resolver that knows no host, as without a network
    def unknown(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    monkeypatch.setattr(gcsfs_filesystem, "PAUSES", ())
    store = make_store("http://no-such-host.invalid:9024")

    # then
    with pytest.raises(StoreUnreachable, match="there is no host of that name"):
        store.exists(f"{store.path}/file")


def test_the_limits_of_a_store_that_is_down_leave_room_in_ten_seconds() -> None:
    assert GcsfsArtifactStoreConfig(path="gs://bucket").timeout + sum(gcsfs_filesystem.PAUSES) < 10


class Answers(BaseHTTPRequestHandler):
    """Answers requests with what the server's `script` says, one entry for each; then with an empty listing."""

    def do_GET(self) -> None:
        entry = self.server.script.pop(0) if self.server.script else 200  # type: ignore[attr-defined]
        if entry == "hang up":
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        content = b'{"kind": "storage#objects", "items": []}'
        self.send_response(entry)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def scripted() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("trouble", [[503], [429], ["hang up"] * 3], ids=["503", "429", "hang up"])
def test_passing_trouble_is_passed_over(scripted: ThreadingHTTPServer, trouble: list[object]) -> None:
    # given: a live server whose first answer is no good; aiohttp itself tries twice when it hangs up
    scripted.script = [*trouble]  # type: ignore[attr-defined]
    store = make_store(f"http://127.0.0.1:{scripted.server_port}")

    # then
    assert store.glob(f"{store.path}/*") == []
    assert scripted.script == []  # type: ignore[attr-defined]


@pytest.fixture
def reading() -> Iterator[Callable[[float], str]]:
    """Starts a server that begins an upload, then takes 64 kB of the content at a time and pauses after each.

    Called with the seconds of the pause, it returns the server's address.
    """
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    server.bind(("127.0.0.1", 0))
    server.listen()
    url = f"http://127.0.0.1:{server.getsockname()[1]}"
    ended = threading.Event()

    def answer(connection: socket.socket, content: bytes, header: bytes = b"") -> None:
        length = b"Content-Length: %d\r\nConnection: close\r\n" % len(content)
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + header + length + b"\r\n" + content)
        connection.close()

    def serve(pause: float) -> None:
        begun, _ = server.accept()
        begun.recv(65536)
        answer(begun, b"", b"Location: %s/upload/?upload_id=1\r\n" % url.encode())
        sent, _ = server.accept()
        received = 0
        while received < 4_000_000:
            received += len(sent.recv(65536))
            if ended.wait(pause):
                return
        answer(sent, b'{"generation": "1", "name": "file", "size": "4000000"}')

    def start(pause: float) -> str:
        threading.Thread(target=serve, args=(pause,), daemon=True).start()
        return url

    yield start
    ended.set()
    server.close()


@pytest.mark.skipif(sys.platform != "linux", reason="the limits on sending are Linux's")
def test_a_slow_upload_is_waited_for(reading: Callable[[float], str]) -> None:
    # given: a server that takes longer for the object than the time limit, and never pauses for so long
    store = make_store(reading(0.03), timeout=1)

    # then: no error
    put(store, f"{store.path}/file", bytes(4_000_000))


@pytest.mark.skipif(sys.platform != "linux", reason="the limits on sending are Linux's")
def test_an_upload_that_is_not_taken_any_more_ends(reading: Callable[[float], str]) -> None:
    # given: a server that stops reading in the middle, as a frozen one does
    store = make_store(reading(300), timeout=1)

    # then
    with pytest.raises(StoreUnreachable, match="no answer within 1 seconds"):
        put(store, f"{store.path}/file", bytes(4_000_000))


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[DetachedProgram]:
    """An emulator of the test's own, to kill."""
    program = emulation.emulator(tmp_path, free_port())
    program.start()
    emulation.make_bucket(program.port, "bucket")
    yield program
    program.stop()


def kill(program: DetachedProgram) -> None:
    running = program.running()
    assert running
    os.kill(running[0], signal.SIGKILL)
    while program.running():
        time.sleep(0.01)


@pytest.mark.parametrize("size", [1_000, 6_000_000], ids=["in one request", "in pieces"])
def test_a_store_that_dies_under_an_open_file_loses_nothing_in_silence(
    mortal: DetachedProgram, size: int, caplog: pytest.LogCaptureFixture
) -> None:
    # given: an object of before, and a file opened for writing
    store = make_store(mortal.url, timeout=2)
    before = put(store, f"{store.path}/before", b"before")
    file = store.open(f"{store.path}/file", "wb")
    file.write(bytes(size))

    # when: gcsfs uploads when the file is closed
    kill(mortal)
    with pytest.raises(StoreUnreachable, match="connection refused"):
        file.close()

    # then: the store is back with what it had, and nothing of the file comes later
    mortal.start()
    del file
    assert get(store, before) == b"before"
    assert store.listdir(store.path) == ["before"]
    assert not [record for record in caplog.records if record.name.startswith("gcsfs")]


def test_a_restart_between_two_operations_is_not_noticed(mortal: DetachedProgram) -> None:
    # given
    store = make_store(mortal.url)
    path = put(store, f"{store.path}/file", b"content")

    # when
    kill(mortal)
    mortal.start()

    # then
    assert get(store, path) == b"content"
