"""Work that only one process of this machine does at a time."""

import contextlib
import fcntl
from collections.abc import Callable, Iterator
from pathlib import Path


@contextlib.contextmanager
def one_at_a_time(file: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold a lock for the block. The kernel releases it when the process ends, however it ends.

    Args:
        file: the file that is locked, on this machine; it is created, stays, and its content does not matter.
        waiting: called once, before this process waits for another one that holds the lock.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(opened, fcntl.LOCK_EX)
        yield
