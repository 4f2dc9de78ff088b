"""Bytes from remote places: fingerprints, time limits, and errors that keep secrets."""

import hashlib
import os
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from tabular.errors import UserError
from tabular.storage import places
from tabular.storage.addresses import holds_secret, is_remote, public
from tabular.storage.places import StoreError, Unreachable, fingerprint, read


def whole(location: str) -> bytes:
    """All bytes, for as long as they arrive."""
    return read(location, None)


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder; sends no Last-Modified for a file whose name holds "plain"."""

    def send_header(self, keyword: str, value: str) -> None:
        if keyword != "Last-Modified" or "plain" not in self.path:
            super().send_header(keyword, value)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str]]:
    """A folder and the address that it is served at."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield tmp_path, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://anna:geheim@host/a.csv?token=geheim#geheim", "https://host/a.csv"),
        ("https://anna:ge@heim@host/a.csv", "https://host/a.csv"),
        ("https://host?token=ge heim", "https://host"),
        ("https://anna:ge/heim@host/a.csv", "https://host/a.csv"),
        ("https://anna:ge?heim@host/a.csv", "https://host/a.csv"),
        ("https://host:8080/a@b.csv", "https://host:8080/a@b.csv"),
        ("gs://bucket/a.csv", "gs://bucket/a.csv"),
        ("/data/what?#1@home.csv", "/data/what?#1@home.csv"),
    ],
)
def test_public_location_holds_no_secret(location: str, shown: str) -> None:
    # when / then
    assert public(location) == shown


@pytest.mark.parametrize(
    ("location", "is_secret"),
    [
        ("https://anna:geheim@host/a.csv", True),
        ("https://geheim@host/a.csv", True),
        ("https://anna:ge/heim@host/a.csv", True),
        ("s3://KEY:geheim@bucket/a.csv", True),
        ("simplecache::https://anna:geheim@host/a.csv", True),
        ("https://host/a.csv?token=geheim", True),
        ("https://host/a.csv?token=123", True),
        ("https://host/a.csv?geheim", True),
        ("https://host/a.csv#geheim", True),
        ("https://host/a.csv?raw=true#geheim", True),
        ("https://host/a.csv?X-Amz-Date=20260101T000000Z&X-Amz-Signature=0a1b", True),
        ("https://host/a.csv?sv=2022&sig=a%2Fb", True),
        ("https://host/a.csv?token=a$TOKEN", True),
        ("https://host/a.csv?token=${TOKEN}", True),  # ZenML would put the value there, and store it
        ("https://host/a.csv?token=$TOKEN", False),
        ("https://host/a.csv?$QUERY", False),
        ("https://$LOGIN@host/a.csv", False),
        ("https://anna:$PASSWORD@host/a.csv?raw=true", False),
        ("https://host/export?format=csv&gid=0", False),
        ("https://host/a.csv", False),
        ("gs://bucket/folder/a@b.csv", False),
        ("/data/what?token=geheim@home.csv", False),
    ],
)
def test_an_address_with_a_secret_is_told_from_one_that_names_it(location: str, is_secret: bool) -> None:
    assert holds_secret(location) is is_secret


def test_the_value_of_a_variable_is_put_in_when_the_address_is_read(
    folder: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: a server that writes down what it is asked for
    path, address = folder
    (path / "a.csv").write_bytes(b"one")
    asked: list[str] = []
    monkeypatch.setattr(Quiet, "do_GET", lambda self: asked.append(self.path) or SimpleHTTPRequestHandler.do_GET(self))
    monkeypatch.setenv("TABLE_TOKEN", "geheim")
    location = f"{address}/a.csv?token=$TABLE_TOKEN"
    # when
    read_whole, read_small, [found] = whole(location), read(location), places.find(location)
    with places.stream(found.location) as stream:
        streamed = stream.read()
    # then
    assert read_whole == read_small == streamed == b"one"
    assert asked and set(asked) == {"/a.csv?token=geheim"}
    assert found.location == location


@pytest.mark.parametrize("location", ["{}/none.csv?token=$TABLE_TOKEN", "http://$TABLE_TOKEN@127.0.0.1:9/a.csv"])
def test_no_error_repeats_the_value_of_a_variable(
    location: str, folder: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    monkeypatch.setenv("TABLE_TOKEN", "geheim")
    # when
    with pytest.raises(StoreError) as caught:
        read(location.format(folder[1]))
    # then
    assert "geheim" not in "".join(traceback.format_exception(caught.value))


def test_a_variable_that_is_not_set_is_named(folder: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TABLE_TOKEN", raising=False)
    with pytest.raises(UserError, match=r"/a\.csv: .* TABLE_TOKEN is not set"):
        read(f"{folder[1]}/a.csv?token=$TABLE_TOKEN")


def test_local_paths_are_not_remote() -> None:
    # when / then
    assert [is_remote(path) for path in ("a.csv", "/a.csv", "file:///a.csv", "gs://b/a", "memory://a")] == [
        False,
        False,
        False,
        True,
        True,
    ]


def test_web_fingerprint_follows_the_servers_mark(folder: tuple[Path, str]) -> None:
    # given
    path, address = folder
    (path / "a.csv").write_bytes(b"one")
    os.utime(path / "a.csv", (1, 1))
    # when
    before = fingerprint(f"{address}/a.csv")
    again = fingerprint(f"{address}/a.csv")
    (path / "a.csv").write_bytes(b"two")
    os.utime(path / "a.csv", (99, 99))
    after = fingerprint(f"{address}/a.csv")
    # then
    assert before == again != after


def test_web_fingerprint_without_a_mark_is_of_the_bytes(folder: tuple[Path, str]) -> None:
    # given
    path, address = folder
    (path / "plain.csv").write_bytes(b"one")
    # when / then
    assert fingerprint(f"{address}/plain.csv") == hashlib.sha256(b"one").hexdigest()


def test_store_fingerprint_follows_the_bytes() -> None:
    # given
    store = fsspec.filesystem("memory")
    # when
    store.pipe_file("/prints/a.csv", b"one")
    before, again = (fingerprint("memory://prints/a.csv") for _ in range(2))
    store.pipe_file("/prints/a.csv", b"two")
    after = fingerprint("memory://prints/a.csv")
    # then
    assert before == again != after
    with pytest.raises(StoreError, match="memory://prints is a folder"):
        fingerprint("memory://prints")
    store.rm("/prints", recursive=True)


@pytest.mark.parametrize("look", [whole, fingerprint])
def test_missing_file_is_an_answer_and_not_a_lost_network(folder: tuple[Path, str], look: object) -> None:
    # given
    assert callable(look)
    _, address = folder
    for location in (f"{address}/gone.csv?token=geheim", "memory://gone/a.csv"):
        # when / then
        with pytest.raises(StoreError, match="there is no such file") as caught:
            look(location)
        assert not isinstance(caught.value, Unreachable)
        assert "geheim" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("look", [whole, fingerprint])
@pytest.mark.parametrize(
    ("location", "said", "unreachable"),
    [
        ("http://anna:geheim@127.0.0.1:9/a.csv?token=geheim", "could not reach http://127.0.0.1:9/a.csv", True),
        ("http://anna:geheim@name.invalid/a.csv?token=geheim", "could not reach http://name.invalid/a.csv", True),
        ("http://anna:geheim@127.0.0.1:port/a?token=geheim", "not a valid address", False),
        ("nonsense://anna:geheim@host/a.csv", "Protocol not known: nonsense", False),
    ],
)
def test_error_tells_the_reason_and_no_secret(look: object, location: str, said: str, unreachable: bool) -> None:
    # given
    assert callable(look)
    # when / then
    with pytest.raises(StoreError, match=said) as caught:
        look(location)
    message = str(caught.value)
    assert isinstance(caught.value, Unreachable) is unreachable
    assert "geheim" not in message and "anna" not in message and "\n" not in message
    assert "geheim" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("look", [whole, fingerprint])
def test_silent_host_is_given_up_in_time(look: object, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    assert callable(look)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("tabular.storage.places.SECONDS", 0.3)
    # when / then
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(Unreachable, match="no answer in time"),
    ):
        look(f"http://127.0.0.1:{silent.getsockname()[1]}/a.csv")


@pytest.mark.parametrize("look", [whole, fingerprint])
def test_slow_store_is_given_up_in_time(look: object, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    assert callable(look)

    def wait(*_: object) -> dict[str, object]:
        time.sleep(3.0)  # as a store does that looks for credentials where there are none
        return {}

    monkeypatch.setattr(MemoryFileSystem, "info", wait)
    monkeypatch.setattr("tabular.storage.places.SECONDS", 0.2)
    # when / then
    with pytest.raises(Unreachable, match="could not reach memory://a.csv"):
        look("memory://a.csv")


def test_broken_transfer_is_never_half_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\na,b\n")

        threading.Thread(target=answer, daemon=True).start()
        # when / then
        with pytest.raises(Unreachable, match="could not reach"):
            whole(f"http://127.0.0.1:{server.getsockname()[1]}/a.csv")


class _Flaky(BaseHTTPRequestHandler):
    """A bucket with one object, which answers the first request for its bytes with 503."""

    refusals = 1

    def do_GET(self) -> None:
        if "alt=media" not in self.path and "/download/" not in self.path:
            self._answer(200, b'{"name": "table.csv", "bucket": "shop", "size": "4", "etag": "x"}', "application/json")
        elif type(self).refusals:
            type(self).refusals -= 1
            self._answer(503, b"busy", "text/plain")
        else:
            self._answer(200, b"a\n1\n", "text/csv")

    def _answer(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def test_a_table_in_a_bucket_that_is_busy_for_a_moment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Flaky)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.server_port}")

    # when
    content = places.read("gs://shop/table.csv", None)

    # then
    server.shutdown()
    assert content == b"a\n1\n"
    assert _Flaky.refusals == 0
