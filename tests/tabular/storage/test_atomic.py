"""Files that are complete or not there."""

import threading
from pathlib import Path

import pytest

from tabular.storage.atomic import create_atomically, replacing, write_atomically


def test_a_block_that_fails_leaves_the_file_before_and_nothing_else(tmp_path: Path) -> None:
    # given
    file = tmp_path / "file"
    write_atomically(file, b"one")
    # when
    with pytest.raises(RuntimeError), replacing(file) as unfinished:
        unfinished.write_bytes(b"half")
        raise RuntimeError
    # then
    assert file.read_bytes() == b"one" and list(tmp_path.iterdir()) == [file]


def test_a_file_keeps_its_permissions_and_a_new_one_gets_the_given_ones(tmp_path: Path) -> None:
    # given
    old, new = tmp_path / "old", tmp_path / "new"
    old.touch(0o640)
    # when
    write_atomically(old, b"two")
    with replacing(new, mode=0o600) as unfinished:
        unfinished.write_bytes(b"two")
    # then
    assert [file.stat().st_mode & 0o777 for file in (old, new)] == [0o640, 0o600]


def test_of_many_that_create_a_file_one_succeeds(tmp_path: Path) -> None:
    # given
    file, results = tmp_path / "folder" / "file", {}

    def create(number: int) -> None:
        results[number] = create_atomically(file, str(number).encode())

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    # when
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # then
    assert [number for number, created in results.items() if created] == [int(file.read_bytes())]
    assert list(file.parent.iterdir()) == [file]
