"""The `gcsfs` artifact store against an emulator, beside ZenML's local store: what one does, the other does too."""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

import pytest
from zenml.artifact_stores import BaseArtifactStore, LocalArtifactStore, LocalArtifactStoreConfig
from zenml.enums import StackComponentType
from zenml.io import fileio

from stacks import emulation, gcsfs_filesystem
from stacks.gcsfs_store import BucketMissing, GcsfsArtifactStoreConfig, GcsfsArtifactStoreFlavor, StoreUnreachable
from stacks.programs import Program
from tests.project import ROOT
from tests.stacks.ports import free_port

NAMES = ("plain", "two words", "ünï名", "hash#1", "why?generation=5", "100%20", "a[b]c*", "{braces}", "a+b&c=d")
BIG = bytes(range(256)) * (200 * 1024)

OPERATIONS: dict[str, Callable[[BaseArtifactStore, str], object]] = {
    "exists": lambda store, path: store.exists(path),
    "isdir": lambda store, path: store.isdir(path),
    "read": lambda store, path: store.open(path, "rb").read(),
    "write": lambda store, path: put(store, path, b"some"),
    "write 4 MB": lambda store, path: put(store, path, bytes(4_000_000)),
    "write 6 MB": lambda store, path: put(store, path, bytes(6_000_000)),
    "listdir": lambda store, path: store.listdir(path),
    "walk": lambda store, path: list(store.walk(path)),
    "glob": lambda store, path: store.glob(f"{path}/*"),
    "copyfile": lambda store, path: store.copyfile(path, f"{path}2", overwrite=True),
    "rename": lambda store, path: store.rename(path, f"{path}2"),
    "remove": lambda store, path: store.remove(path),
    "rmtree": lambda store, path: store.rmtree(path),
    "size": lambda store, path: store.size(path),
}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    program = emulation.emulator(tmp_path_factory.mktemp("cloud"), free_port())
    program.start()
    emulation.make_bucket(program.port, "bucket")
    yield program
    program.stop()


@pytest.fixture
def gcsfs_store(emulator: Program) -> BaseArtifactStore:
    return make_store(emulator.url)


@pytest.fixture(params=["local", "gcsfs"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BaseArtifactStore:
    if request.param == "gcsfs":
        made: BaseArtifactStore = request.getfixturevalue("gcsfs_store")
        return made
    config = LocalArtifactStoreConfig(path=str(tmp_path))
    return component(LocalArtifactStore, config, "local")


def component(kind: type[BaseArtifactStore], config: object, flavor: str) -> BaseArtifactStore:
    now = datetime.now(UTC)
    return kind(
        name="store",
        id=uuid4(),
        config=config,
        flavor=flavor,
        type=StackComponentType.ARTIFACT_STORE,
        user=None,
        created=now,
        updated=now,
    )


def make_store(url: str, path: str | None = None, **options: object) -> BaseArtifactStore:
    """A store of its own folder in the bucket."""
    flavor = GcsfsArtifactStoreFlavor()
    config = flavor.config_class(path=path or f"gs://bucket/{uuid4()}", endpoint_url=url, anonymous=True, **options)
    return component(flavor.implementation_class, config, flavor.name)


def put(store: BaseArtifactStore, path: str, content: bytes) -> str:
    with store.open(path, "wb") as file:
        file.write(content)
    return path


def get(store: BaseArtifactStore, path: str) -> bytes:
    with store.open(path, "rb") as file:
        content: bytes = file.read()
    return content


def tree(store: BaseArtifactStore, *names: str) -> str:
    """A folder with files that hold their names."""
    folder = f"{store.path}/tree"
    for name in names:
        store.makedirs(f"{folder}/{name}".rsplit("/", 1)[0])
        put(store, f"{folder}/{name}", name.encode())
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_an_object_of_any_name_comes_back(store: BaseArtifactStore, name: str) -> None:
    # given: another one, which a name taken for a pattern or an address would reach
    other = put(store, f"{store.path}/abc", b"other")

    # when
    path = put(store, f"{store.path}/{name}", name.encode())
    store.copyfile(path, f"{path} copy")
    store.rename(f"{path} copy", f"{path} moved")

    # then
    assert get(store, path) == get(store, f"{path} moved") == name.encode()
    assert sorted(store.listdir(store.path)) == sorted(["abc", name, f"{name} moved"])
    store.remove(path)
    assert not store.exists(path)
    assert store.exists(other)


def test_text_is_utf_8(store: BaseArtifactStore) -> None:
    # when
    with store.open(f"{store.path}/text", "w") as file:
        file.write("Zeile\näöü 名\n")

    # then
    with store.open(f"{store.path}/text") as file:
        assert file.readlines() == ["Zeile\n", "äöü 名\n"]
    assert get(store, f"{store.path}/text").decode() == "Zeile\näöü 名\n"


@pytest.mark.parametrize("content", [b"", b"\x00", BIG], ids=["empty", "one byte", "50 MB"])
def test_bytes_of_any_length_come_back(store: BaseArtifactStore, content: bytes) -> None:
    # when: written in pieces
    path = f"{store.path}/file"
    with store.open(path, "wb") as file:
        for start in range(0, len(content), 3_000_000):
            file.write(content[start : start + 3_000_000])

    # then: as a whole, and from the middle
    assert get(store, path) == content
    assert store.size(path) == len(content)
    with store.open(path, "rb") as file:
        file.seek(len(content) // 2)
        assert file.read(1000) == content[len(content) // 2 :][:1000]
    assert store.exists(path)
    assert not store.isdir(path)


def test_folders_are_listed_walked_and_matched(store: BaseArtifactStore) -> None:
    # given
    folder = tree(store, "a.txt", "b/c.txt", "b/d/e.txt")

    # then
    assert sorted(store.listdir(folder)) == ["a.txt", "b"]
    assert sorted(store.listdir(f"{folder}/b")) == sorted(store.listdir(f"{folder}/b/")) == ["c.txt", "d"]
    assert sorted(store.glob(f"{folder}/*")) == [f"{folder}/a.txt", f"{folder}/b"]
    assert store.glob(f"{folder}/**/c.txt") == [f"{folder}/b/c.txt"]
    assert store.glob(f"{folder}/*.csv") == []
    walked = [(folder, ["b"], ["a.txt"]), (f"{folder}/b", ["d"], ["c.txt"]), (f"{folder}/b/d", [], ["e.txt"])]
    assert list(store.walk(folder)) == walked
    assert list(store.walk(folder, topdown=False)) == walked[::-1]
    assert list(store.walk(f"{folder}/none")) == []
    assert store.isdir(f"{folder}/b")
    assert store.exists(f"{folder}/b")


def test_nothing_is_overwritten_unless_asked_for(store: BaseArtifactStore) -> None:
    # given
    first, second = (put(store, f"{store.path}/{name}", name.encode()) for name in ("first", "second"))

    # then
    with pytest.raises(FileExistsError):
        store.copyfile(first, second)
    with pytest.raises(FileExistsError):
        store.rename(first, second)
    assert get(store, second) == b"second"
    store.copyfile(first, second, overwrite=True)
    assert get(store, first) == get(store, second) == b"first"
    store.rename(second, first, overwrite=True)
    assert store.listdir(store.path) == ["first"]
    store.rename(first, first, overwrite=True)
    assert get(store, first) == b"first"


def test_a_folder_is_renamed_and_removed_with_all_in_it(store: BaseArtifactStore) -> None:
    # given: one whose name begins like the other's, and more than go into one request
    folder = tree(store, *(f"run/{number}" for number in range(103)), "run2/kept")

    # when
    store.rename(f"{folder}/run", f"{folder}/moved")

    # then
    assert sorted(store.listdir(folder)) == ["moved", "run2"]
    assert len(store.listdir(f"{folder}/moved")) == 103
    store.rmtree(f"{folder}/moved")
    assert store.listdir(folder) == ["run2"]


def test_what_is_missing_is_said_to_be_missing(store: BaseArtifactStore) -> None:
    # given
    store.makedirs(f"{store.path}/folder")
    missing = f"{store.path}/folder/none"

    # then
    for name in ("read", "listdir", "copyfile", "rename", "remove", "rmtree", "size"):
        with pytest.raises(FileNotFoundError, match="none"):
            OPERATIONS[name](store, missing)
    with pytest.raises(FileNotFoundError):
        store.stat(missing)
    assert not store.exists(missing)
    assert not store.isdir(missing)


def test_a_folder_is_not_read_as_a_file(store: BaseArtifactStore) -> None:
    with pytest.raises(IsADirectoryError):
        get(store, tree(store, "file"))


def test_files_go_to_and_fro_with_zenml_fileio(gcsfs_store: BaseArtifactStore, tmp_path: Path) -> None:
    # given
    here = tmp_path / "here"
    here.write_bytes(BIG[:7_000_000])
    there = f"{gcsfs_store.path}/there"

    # when
    fileio.copy(str(here), there)
    fileio.copy(there, str(tmp_path / "back"))

    # then
    assert (tmp_path / "back").read_bytes() == here.read_bytes()
    assert fileio.listdir(gcsfs_store.path) == ["there"]
    with fileio.open(there, "rb") as file:
        assert file.read(4) == BIG[:4]


def test_an_object_is_never_appended_to(gcsfs_store: BaseArtifactStore) -> None:
    # given
    path = put(gcsfs_store, f"{gcsfs_store.path}/log", b"first")

    # then: gcsfs would replace it
    with pytest.raises(OSError, match="cannot append to .*/log"):
        gcsfs_store.open(path, "a")
    assert get(gcsfs_store, path) == b"first"
    assert gcsfs_store.config.IS_IMMUTABLE_FILESYSTEM


def test_the_bucket_stays(emulator: Program) -> None:
    # given: a store that takes up a whole bucket
    emulation.make_bucket(emulator.port, "whole")
    store = make_store(emulator.url, "gs://whole")
    put(store, "gs://whole/file", b"")

    # when
    store.rmtree("gs://whole")

    # then
    with pytest.raises(PermissionError, match="whole is a bucket"):
        store.remove("gs://whole")
    assert store.exists("gs://whole")
    assert store.listdir("gs://whole") == []


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in ("copyfile", "remove")])
def test_a_missing_bucket_is_named_and_not_made(emulator: Program, name: str) -> None:
    # given
    store = make_store(emulator.url, "gs://typo/store")
    store.makedirs("gs://typo/store/folder")
    store.mkdir("gs://typo/store/folder")

    # then
    with pytest.raises(BucketMissing, match="has no bucket typo"):
        OPERATIONS[name](store, "gs://typo/store/file")


def test_writes_of_another_store_are_seen(emulator: Program) -> None:
    # given: two on the same folder, one of which has looked
    store = make_store(emulator.url)
    other = make_store(emulator.url, store.path)
    put(store, f"{store.path}/first", b"1")
    assert store.listdir(store.path) == ["first"]

    # when
    put(other, f"{store.path}/second", b"2")
    put(other, f"{store.path}/first", b"changed")

    # then
    assert sorted(store.listdir(store.path)) == ["first", "second"]
    assert get(store, f"{store.path}/first") == b"changed"
    assert store.filesystem is not other.filesystem


def test_threads_share_a_store(gcsfs_store: BaseArtifactStore) -> None:
    # when: more at a time than the emulator answers
    paths = [f"{gcsfs_store.path}/{number}" for number in range(60)]
    threads = [threading.Thread(target=put, args=(gcsfs_store, path, path.encode())) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # then
    assert all(get(gcsfs_store, path) == path.encode() for path in paths)


def test_the_hierarchical_file_system_is_made_only_on_request(emulator: Program) -> None:
    kinds = [type(make_store(emulator.url, hierarchical_namespace=asked).filesystem) for asked in (False, True)]
    assert "ExtendedGcsFileSystem" not in {kind.__name__ for kind in kinds[0].__mro__}
    assert "ExtendedGcsFileSystem" in {kind.__name__ for kind in kinds[1].__mro__}


def test_the_project_is_passed_on(emulator: Program) -> None:
    assert make_store(emulator.url, project="mine").filesystem.project == "mine"


def test_the_flavor_is_described_without_gcsfs() -> None:
    # when: what registering a store needs
    code = (
        "import sys; from stacks.gcsfs_store import GcsfsArtifactStoreFlavor as F; f = F();"
        "f.config_schema; f.service_connector_requirements; f.config_class(path='gs://bucket');"
        "print('gcsfs' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)

    # then
    assert done.stdout.split()[-1:] == ["False"], done.stderr


@pytest.mark.parametrize("url", ["127.0.0.1:9024", "ftp://host", "http://", "http://host/path", "http://host?a=b"])
def test_an_endpoint_that_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is not an address"):
        GcsfsArtifactStoreConfig(path="gs://bucket", endpoint_url=url)


def test_an_endpoint_may_end_with_a_slash() -> None:
    assert GcsfsArtifactStoreConfig(path="gs://b", endpoint_url="http://host:1/").endpoint_url == "http://host:1"


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
def mortal(tmp_path: Path) -> Iterator[Program]:
    """An emulator of the test's own, to kill."""
    program = emulation.emulator(tmp_path, free_port())
    program.start()
    emulation.make_bucket(program.port, "bucket")
    yield program
    program.stop()


def kill(program: Program) -> None:
    pid = program.pid()
    assert pid
    os.kill(pid, signal.SIGKILL)
    while program.pid():
        time.sleep(0.01)


@pytest.mark.parametrize("size", [1_000, 6_000_000], ids=["in one request", "in pieces"])
def test_a_store_that_dies_under_an_open_file_loses_nothing_in_silence(
    mortal: Program, size: int, caplog: pytest.LogCaptureFixture
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


def test_a_restart_between_two_operations_is_not_noticed(mortal: Program) -> None:
    # given
    store = make_store(mortal.url)
    path = put(store, f"{store.path}/file", b"content")

    # when
    kill(mortal)
    mortal.start()

    # then
    assert get(store, path) == b"content"
