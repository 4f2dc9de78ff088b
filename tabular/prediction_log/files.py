"""Where the lines of the log are kept: files of JSON lines, in one folder for each kind of record and each day."""

import os
import secrets
import socket
import time
from datetime import UTC, datetime
from pathlib import Path

from tabular.storage import places

ROLL_BYTES = 64 * 2**20
"""A file of this size is followed by another one."""
ROLL_SECONDS = 3600.0
"""A file of this age is followed by another one."""
SECONDS = 20.0
"""How long writing or reading one object of a bucket may take."""


def worker_name() -> str:
    """Return a name for the files of this process that no other process uses."""
    started = datetime.now(UTC).strftime("%H%M%S")
    host = "".join(letter for letter in socket.gethostname() if letter.isalnum() or letter == "-")
    return f"{started}-{host[:40]}-{os.getpid()}-{secrets.token_hex(3)}"


class Bucket:
    """A bucket: each batch of lines becomes an object of its own, because objects cannot be appended to."""

    def __init__(self, folder: str) -> None:
        self.folder = folder.rstrip("/")

    def write(self, kind: str, day: str, name: str, content: bytes) -> None:
        """Store whole lines. When this returns they outlive the process.

        Args:
            kind: folder of the records' kind.
            day: the day in UTC, such as `2026-11-21`.
            name: name of these lines; the same lines, written again, have the same name.
            content: the lines.

        Raises:
            UserError: the lines cannot be stored now; none of them is.
        """
        places.write(f"{self.folder}/{kind}/date={day}/{name}.jsonl", content, SECONDS)

    def close(self) -> None:
        """Release what is held open; nothing is written afterwards."""


class LocalFolder:
    """A folder on a local disk: one file for each kind and day grows until it is large or old."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open: dict[str, _GrowingFile] = {}

    def write(self, kind: str, day: str, name: str, content: bytes) -> None:
        """Store whole lines; arguments and errors are those of `Bucket.write`."""
        path = self.folder / kind / f"date={day}" / f"{name}.jsonl"
        try:
            file = self._open.get(kind)
            if file is None or file.day != day or file.is_full():
                self._close(kind)
                file = self._open[kind] = _GrowingFile(path, day)
            file.append(content)
        except OSError as error:
            self._close(kind)  # the next attempt begins another file
            reason = (error.strerror or str(error)).lower()
            raise places.Refused(
                f"{path}: cannot write it ({reason}); make room, or correct the folder or its permissions"
            ) from None

    def close(self) -> None:
        for kind in list(self._open):
            self._close(kind)

    def _close(self, kind: str) -> None:
        file = self._open.pop(kind, None)
        if file:
            os.close(file.descriptor)


class _GrowingFile:
    def __init__(self, path: Path, day: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self.path, self.day, self.began = path, day, time.monotonic()
        self.size = os.fstat(self.descriptor).st_size

    def is_full(self) -> bool:
        is_gone = not self.path.exists()  # what is written to a deleted file is lost
        return self.size >= ROLL_BYTES or time.monotonic() - self.began >= ROLL_SECONDS or is_gone

    def append(self, content: bytes) -> None:
        """Append all lines or none. Lines that the kernel has taken outlive this process."""
        left = memoryview(content)
        try:
            while left:
                left = left[os.write(self.descriptor, left) :]
        except OSError:
            os.ftruncate(self.descriptor, self.size)  # a full disk takes only a part
            raise
        self.size += len(content)
