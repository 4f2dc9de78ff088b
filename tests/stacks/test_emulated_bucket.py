"""What the emulated bucket stores outlives kills, and what is deleted is gone."""

import http.client
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from stacks import emulation
from stacks.programs import DetachedProgram
from tests.support.emulated_buckets import ask, download, kill, upload
from tests.support.ports import free_port


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[DetachedProgram]:
    """An emulator of the test's own, not started yet."""
    program = emulation.emulator(tmp_path / "cloud", free_port())
    yield program
    program.stop()


def test_what_was_acknowledged_outlives_a_kill_in_the_middle_of_writing(emulator: DetachedProgram) -> None:
    # given: a list of objects that takes a while to write
    emulator.start()
    emulation.make_bucket(emulator.port, "bucket")
    for number in range(100):
        upload(emulator.port, f"before-{number}", bytes(100))
    acknowledged: dict[str, bytes] = {}

    def write(turn: int) -> None:
        for number in range(1000):
            name, content = f"{turn}-{number}", os.urandom(2000)
            try:
                upload(emulator.port, name, content)
            except (OSError, http.client.HTTPException):
                return
            acknowledged[name] = content

    for turn in range(4):
        writer = threading.Thread(target=write, args=(turn,))
        writer.start()
        while not any(name.startswith(f"{turn}-") for name in acknowledged):
            time.sleep(0.01)

        # when
        running = emulator.running()
        assert running
        time.sleep(0.02 * turn)
        kill(running[0])
        writer.join(timeout=60)
        emulator.start()

    # then
    assert acknowledged
    assert {name: download(emulator.port, name) for name in acknowledged} == acknowledged
    assert download(emulator.port, "before-99") == bytes(100)


@pytest.mark.skipif(sys.platform != "linux", reason="sets a limit on another process")
def test_a_list_of_objects_that_was_half_written_does_no_harm(emulator: DetachedProgram) -> None:
    # given: an emulator that cannot write the list of its objects to the end, as if it were killed there
    emulator.start()
    emulation.make_bucket(emulator.port, "bucket")
    upload(emulator.port, "before", b"before")
    running = emulator.running()
    assert running
    limit = (emulator.folder / "objects" / ".cloudstorage" / ".meta").stat().st_size + 10
    psutil.Process(running[0]).rlimit(psutil.RLIMIT_FSIZE, (limit, limit))
    with pytest.raises((OSError, http.client.HTTPException)):
        upload(emulator.port, "after", b"after")

    # when
    kill(running[0])
    emulator.start()

    # then
    assert download(emulator.port, "before") == b"before"
    upload(emulator.port, "after", b"after")


def test_the_bucket_forgets_what_is_deleted(emulator: DetachedProgram) -> None:
    # given
    emulator.start()
    emulation.make_bucket(emulator.port, "bucket")
    emulation.make_bucket(emulator.port, "bucket")
    upload(emulator.port, "file", b"0123456789")

    # when
    status, _ = ask(emulator.port, "DELETE", "/storage/v1/b/bucket/o/file")

    # then: no copy on the disk
    assert status == 200
    kept = [file for file in (emulator.folder / "objects").rglob("*") if file.is_file() and file.name != ".meta"]
    assert kept == []
