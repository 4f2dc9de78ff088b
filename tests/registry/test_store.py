"""The folder in the artifact store, on this machine and in a bucket."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.store import LocalStore, Store, folder_of
from stacks import emulation
from tabular.storage.places import NotThere
from tests.support.ports import free_port
from tests.support.stores import make_store


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an emulated bucket."""
    program = emulation.emulator(tmp_path_factory.mktemp("cloud"), free_port())
    program.start()
    emulation.make_bucket(program.port, "bucket")
    yield f"http://127.0.0.1:{program.port}"
    program.stop()


@pytest.fixture(params=["local", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty folder."""
    if request.param == "local":
        return LocalStore(tmp_path / "store")
    return folder_of(make_store(request.getfixturevalue("bucket")), "houses")


def test_what_is_written_is_read_and_replaced(store: Store) -> None:
    # when
    store.write("manifest.json", b"one")
    store.write("manifest.json", b"two")

    # then
    assert store.read("manifest.json") == b"two"
    assert store.read(f"{store.location}/manifest.json") == b"two"
    assert store.names("history", r"\d+\.json") == []
    with pytest.raises(NotThere, match=r"history/000001\.json"):
        store.read("history/000001.json")


def test_of_several_who_create_one_file_exactly_one_is_told_so(store: Store) -> None:
    # given
    told: dict[int, bool] = {}
    start = threading.Barrier(8)

    def create(number: int) -> None:
        start.wait(30)
        told[number] = store.create("history/000001.json", f"by {number}".encode())

    # when
    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    # then: the file is the one of whoever was told that it is
    [winner] = [number for number, made in told.items() if made]
    assert len(told) == 8 and store.read("history/000001.json") == f"by {winner}".encode()
    assert store.names("history", r"\d+\.json") == ["000001.json"]


def test_a_creation_that_is_sent_twice_is_ours_both_times_in_a_bucket(bucket: str) -> None:
    # given: the first answer may have been lost on its way
    store = folder_of(make_store(bucket), "houses")

    # when
    made = [store.create("history/000001.json", content) for content in (b"ours", b"ours", b"another's")]

    # then
    assert made == [True, True, False]
