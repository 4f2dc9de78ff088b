"""The `gcsfs` artifact store against an emulator, beside ZenML's local store: what one does, the other does too."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from zenml.artifact_stores import BaseArtifactStore, LocalArtifactStore, LocalArtifactStoreConfig
from zenml.io import fileio

from stacks import emulation
from stacks.gcsfs_store import BucketMissing, GcsfsArtifactStoreConfig
from stacks.programs import DetachedProgram
from tests.support.ports import free_port
from tests.support.project import ROOT
from tests.support.stores import OPERATIONS, component, get, make_store, put, tree

NAMES = ("plain", "two words", "ünï名", "hash#1", "why?generation=5", "100%20", "a[b]c*", "{braces}", "a+b&c=d")
BIG = bytes(range(256)) * (200 * 1024)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DetachedProgram]:
    program = emulation.emulator(tmp_path_factory.mktemp("cloud"), free_port())
    program.start()
    emulation.make_bucket(program.port, "bucket")
    yield program
    program.stop()


@pytest.fixture
def gcsfs_store(emulator: DetachedProgram) -> BaseArtifactStore:
    return make_store(emulator.url)


@pytest.fixture(params=["local", "gcsfs"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BaseArtifactStore:
    if request.param == "gcsfs":
        made: BaseArtifactStore = request.getfixturevalue("gcsfs_store")
        return made
    config = LocalArtifactStoreConfig(path=str(tmp_path))
    return component(LocalArtifactStore, config, "local")


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


def test_the_bucket_stays(emulator: DetachedProgram) -> None:
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
def test_a_missing_bucket_is_named_and_not_made(emulator: DetachedProgram, name: str) -> None:
    # given
    store = make_store(emulator.url, "gs://typo/store")
    store.makedirs("gs://typo/store/folder")
    store.mkdir("gs://typo/store/folder")

    # then
    with pytest.raises(BucketMissing, match="has no bucket typo"):
        OPERATIONS[name](store, "gs://typo/store/file")


def test_writes_of_another_store_are_seen(emulator: DetachedProgram) -> None:
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


def test_the_hierarchical_file_system_is_made_only_on_request(emulator: DetachedProgram) -> None:
    kinds = [type(make_store(emulator.url, hierarchical_namespace=asked).filesystem) for asked in (False, True)]
    assert "ExtendedGcsFileSystem" not in {kind.__name__ for kind in kinds[0].__mro__}
    assert "ExtendedGcsFileSystem" in {kind.__name__ for kind in kinds[1].__mro__}


def test_the_project_is_passed_on(emulator: DetachedProgram) -> None:
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
