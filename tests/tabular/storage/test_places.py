import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tabular.storage import places


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a store that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.getsockname()[1]}")
        yield f"gs://silent-{server.getsockname()[1]}"


class TestLocal:
    def test_a_file_is_written_whole_with_its_folders(self, tmp_path: Path) -> None:
        # when
        places.write(f"{tmp_path}/a/b/file.json", b"one")
        places.write(f"file://{tmp_path}/a/b/file.json", b"two")

        # then
        assert places.read(f"{tmp_path}/a/b/file.json") == places.read(f"file://{tmp_path}/a/b/file.json") == b"two"
        assert places.files(str(tmp_path)) == [f"{tmp_path}/a/b/file.json"]
        assert (tmp_path / "a/b/file.json").stat().st_mode & 0o777 == 0o644

    def test_a_write_that_fails_leaves_the_file_before(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        # given
        file = tmp_path / "file.json"
        places.write(str(file), b"one")

        def fail(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", fail)

        # when
        with pytest.raises(places.Refused, match="cannot write it \\(no space left on device\\); free"):
            places.write(str(file), b"two")

        # then
        assert [path.name for path in tmp_path.iterdir()] == ["file.json"]
        assert file.read_bytes() == b"one"

    def test_a_reader_never_sees_a_part(self, tmp_path: Path) -> None:
        # given
        file = str(tmp_path / "file")
        contents = {bytes([letter]) * 200_000 for letter in b"abc"}
        places.write(file, b"a" * 200_000)
        is_over = threading.Event()

        def write() -> None:
            while not is_over.is_set():
                for content in contents:
                    places.write(file, content)

        writer = threading.Thread(target=write)
        writer.start()

        # when
        seen = {places.read(file) for _ in range(300)}
        is_over.set()
        writer.join()

        # then
        assert seen <= contents

    def test_what_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(places.NotThere, match=f"{tmp_path}/none: there is no such file; correct the path"):
            places.read(f"{tmp_path}/none")
        with pytest.raises(places.Refused, match="cannot read it \\(is a directory\\)"):
            places.read(str(tmp_path))
        assert places.files(f"{tmp_path}/none") == []


class TestRemote:
    def test_any_protocol_of_fsspec(self) -> None:
        # when
        places.write("memory://places/a/file", b"content")

        # then
        assert places.read("memory://places/a/file") == b"content"
        assert places.files("memory://places") == ["memory:///places/a/file"]
        with pytest.raises(places.NotThere):
            places.read("memory://places/none")

    def test_a_file_is_read_as_a_seekable_stream(self) -> None:
        # given
        places.write("memory://places/stream", b"0123456789")

        # when
        with places.stream("memory://places/stream") as stream:
            stream.seek(4)
            found = stream.read(3), stream.tell(), stream.read()

        # then
        assert found == (b"456", 7, b"789")
        with pytest.raises(places.NotThere):
            places.stream("memory://places/none")

    def test_files_are_found_with_what_marks_their_content(self) -> None:
        # given
        for name, content in (("a", b"1"), ("b/c", b"22")):
            places.write(f"memory://found/{name}", content)

        # when
        found = places.find("memory://found")

        # then
        assert [(file.name, file.size) for file in found] == [("a", 1), ("b/c", 2)] and all(file.mark for file in found)
        assert [file.name for file in places.find(found[0].location)] == [""]

    def test_a_store_that_never_answers_is_given_up_and_not_waited_for_twice(self, silent: str) -> None:
        # given
        threads = threading.active_count()

        # when: the second asks while the first still hangs
        for _ in range(20):
            with pytest.raises(places.Unreachable, match="no answer in time"):
                places.read(f"{silent}/release.json", seconds=0.2)

        # then: one thread that waits, and at most the two that fsspec keeps for itself
        assert threading.active_count() <= threads + 3

    def test_a_protocol_that_is_not_known(self) -> None:
        with pytest.raises(places.Refused, match="nope://x/y: cannot read it \\(Protocol not known: nope\\)"):
            places.read("nope://x/y")

    def test_no_secret_of_an_address_is_told(self) -> None:
        with pytest.raises(places.Refused) as raised:
            places.read("nope://user:hunter2@host/file?token=hunter2")
        assert "hunter2" not in str(raised.value)
        assert raised.value.__cause__ is None


@pytest.mark.parametrize(
    ("location", "name", "found"),
    [
        ("gs://b/releases/r.json", "bundles/3", "gs://b/releases/bundles/3"),
        ("gs://b/releases/r.json", "gs://c/3", "gs://c/3"),
        ("gs://b/releases/r.json", "/local/3", "/local/3"),
        ("/a/r.json", "3", "/a/3"),
        ("r.json", "3", "./3"),
    ],
)
def test_a_name_beside_a_file(location: str, name: str, found: str) -> None:
    assert places.join(places.parent(location), name) == found
