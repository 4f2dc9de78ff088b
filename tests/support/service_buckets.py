"""A bucket on loopback that speaks Google's JSON API."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from stacks.emulation import emulator, make_bucket
from stacks.programs import DetachedProgram
from tests.support.ports import free_port

BUCKET = "releases"


@contextlib.contextmanager
def bucket(folder: Path) -> Iterator[DetachedProgram]:
    """The emulator, running, with the bucket `releases`; gcsfs in this process finds it."""
    program = emulator(folder, free_port())
    program.start()
    before = os.environ.get("STORAGE_EMULATOR_HOST")
    os.environ["STORAGE_EMULATOR_HOST"] = program.url
    try:
        make_bucket(program.port, BUCKET)
        yield program
    finally:
        program.stop()
        del os.environ["STORAGE_EMULATOR_HOST"]
        if before is not None:
            os.environ["STORAGE_EMULATOR_HOST"] = before
