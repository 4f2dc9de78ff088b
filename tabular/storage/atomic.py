"""Files that are replaced or created in one moment: another process never sees a part of one."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

UNFINISHED: Final = ".unfinished-"
"""The beginning of the names of files and folders that are not complete yet."""
READABLE: Final = 0o644


def write_atomically(path: Path, content: bytes) -> None:
    """Create or replace a file; its folder is created where it does not exist.

    Raises:
        OSError: the file cannot be written; the file that was there before is untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as unfinished:
        unfinished.write_bytes(content)


def create_atomically(path: Path, content: bytes) -> bool:
    """Create a file unless there is one; its folder is created where it does not exist.

    Returns:
        Whether this call created the file. Of several processes that try at once, exactly one receives True.

    Raises:
        OSError: the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _unfinished(path, READABLE) as unfinished:
        unfinished.write_bytes(content)
        _sync(unfinished)
        try:
            os.link(unfinished, path)  # a second name for the same file, which is refused where the name is taken
        except FileExistsError:
            return False
    return True


@contextlib.contextmanager
def replacing(path: Path, mode: int = READABLE) -> Iterator[Path]:
    """The path of an empty file that takes the place of `path` when the block ends without an error.

    Args:
        path: the file on this machine, in a folder that exists.
        mode: the permissions of a new file; a file that is replaced keeps its own.

    Raises:
        OSError: the file cannot be written; the file that was there before is untouched.
    """
    with contextlib.suppress(FileNotFoundError):
        mode = path.stat().st_mode & 0o777
    with _unfinished(path, mode) as unfinished:
        yield unfinished
        _sync(unfinished)
        os.replace(unfinished, path)
    _sync(path.parent)  # so that the new name, too, outlives a power cut


@contextlib.contextmanager
def _unfinished(path: Path, mode: int) -> Iterator[Path]:
    """An empty file beside `path` that is removed at the end where it still bears its first name."""
    handle, name = tempfile.mkstemp(prefix=UNFINISHED, dir=path.parent)
    try:
        os.fchmod(handle, mode)  # mkstemp lets nobody else read the file
        os.close(handle)
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Have the kernel write a file or a folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
