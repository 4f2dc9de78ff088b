"""Where logged records go, and how they are read again: JSON lines in files, a folder for each day."""

import json
import os
import secrets
import socket
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from tabular.storage import places
from tabular.storage.places import is_remote

ROLL_BYTES = 64 * 2**20
ROLL_SECONDS = 3600.0
WRITE_SECONDS = 20.0
"""How long one object may take."""

PREDICTIONS, FEEDBACK, ERRORS = "predictions", "feedback", "errors"


class Writer(Protocol):
    """Keeps lines."""

    def write(self, kind: str, day: str, name: str, content: bytes) -> None:
        """Keep some lines; all of them are safe from the end of this process when it returns.

        Args:
            kind: the folder.
            day: such as `2026-11-21`, in UTC.
            name: of this batch; the same batch written again has the same name.
            content: whole lines.

        Raises:
            UserError: they cannot be kept now; none of them is.
        """
        ...

    def close(self) -> None:
        """Nothing more is written."""
        ...


def writer(destination: str) -> Writer:
    """What writes to a folder: a path or an fsspec URL."""
    return Objects(destination) if is_remote(destination) else Appended(Path(destination.removeprefix("file://")))


def worker_name() -> str:
    """A name for the files of this process that no other has."""
    started = datetime.now(UTC).strftime("%H%M%S")
    host = "".join(letter for letter in socket.gethostname() if letter.isalnum() or letter == "-")
    return f"{started}-{host[:40]}-{os.getpid()}-{secrets.token_hex(3)}"


class Objects:
    """One object for each batch: what is in a bucket cannot be added to."""

    def __init__(self, folder: str) -> None:
        self.folder = folder.rstrip("/")

    def write(self, kind: str, day: str, name: str, content: bytes) -> None:
        places.write(f"{self.folder}/{kind}/date={day}/{name}.jsonl", content, WRITE_SECONDS)

    def close(self) -> None:
        pass


class Nowhere:
    """Keeps nothing: only a sample of the predictions is asked for."""

    def write(self, kind: str, day: str, name: str, content: bytes) -> None:
        pass

    def close(self) -> None:
        pass


class Appended:
    """Files that grow on a local disk, one for each kind and day, until they are large or old."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open: dict[str, _Growing] = {}

    def write(self, kind: str, day: str, name: str, content: bytes) -> None:
        path = self.folder / kind / f"date={day}" / f"{name}.jsonl"
        try:
            file = self._open.get(kind)
            if file is None or file.day != day or file.is_full():
                self._close(kind)
                file = self._open[kind] = _Growing(path, day)
            file.append(content)
        except OSError as error:
            self._close(kind)  # the next attempt begins another file
            reason = (error.strerror or str(error)).lower()
            raise places.Unreachable(
                f"{path}: cannot write it ({reason}); make room, or correct the folder or its permissions"
            ) from None

    def close(self) -> None:
        for kind in list(self._open):
            self._close(kind)

    def _close(self, kind: str) -> None:
        file = self._open.pop(kind, None)
        if file:
            os.close(file.descriptor)


class _Growing:
    def __init__(self, path: Path, day: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self.path, self.day, self.began = path, day, time.monotonic()
        self.size = os.fstat(self.descriptor).st_size

    def is_full(self) -> bool:
        is_gone = not self.path.exists()  # what is written to a deleted file is lost
        return self.size >= ROLL_BYTES or time.monotonic() - self.began >= ROLL_SECONDS or is_gone

    def append(self, content: bytes) -> None:
        """Add all lines or none. In the kernel's hands they survive this process."""
        left = memoryview(content)
        try:
            while left:
                left = left[os.write(self.descriptor, left) :]
        except OSError:
            os.ftruncate(self.descriptor, self.size)  # a full disk takes a part
            raise
        self.size += len(content)


class Records:
    """All records below a destination, read once.

    Args:
        destination: a path or fsspec URL, as the log was given it.
        kind: `predictions`, `feedback` or `errors`.
        days: such as `2026-11-21`; None for all.
    """

    def __init__(self, destination: str, kind: str = PREDICTIONS, days: set[str] | None = None) -> None:
        self.destination, self.kind, self.days = destination.rstrip("/"), kind, days
        self.torn = 0
        """Lines that a killed process left unfinished, or that are no JSON; counted while reading."""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """One record for each row; those of a batch carry its request id and their number as `row`.

        Raises:
            places.Unreachable: the store does not answer.
        """
        for location in places.files(f"{self.destination}/{self.kind}", WRITE_SECONDS):
            day = location.rsplit("/", 2)[-2].removeprefix("date=")
            if not location.endswith(".jsonl") or (self.days is not None and day not in self.days):
                continue
            for line in places.read(location, WRITE_SECONDS).splitlines():
                try:
                    record = json.loads(line)
                except ValueError:
                    self.torn += 1
                    continue
                yield from expand(record)


def read(destination: str, kind: str = PREDICTIONS) -> Iterator[dict[str, Any]]:
    """All records of a kind, one for each row; lines that a killed process left unfinished are left out.

    Args:
        destination: a path or fsspec URL, as the log was given it.
        kind: `predictions`, `feedback` or `errors`.

    Raises:
        places.Unreachable: the store does not answer.
    """
    return iter(Records(destination, kind))


def expand(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of a record."""
    return (row_of(record, row) for row in range(rows_in(record)))


def rows_in(record: dict[str, Any]) -> int:
    """How many rows a record holds: one, unless it is a batch."""
    return len(record["predictions"]) if "predictions" in record else 1


def row_of(record: dict[str, Any], row: int) -> dict[str, Any]:
    """One row of a record; a record that is no batch is its own only row."""
    if "predictions" not in record:
        return record
    inputs, chances = record["inputs"], record["probabilities"]
    of_row = {name: values[row] for name, values in inputs.items()} if isinstance(inputs, Mapping) else inputs[row]
    own = {
        "row": row,
        "inputs": of_row,
        "prediction": record["predictions"][row],
        "probabilities": None if chances is None else dict(zip(record["classes"], chances[row], strict=True)),
    }
    return {key: value for key, value in record.items() if key not in ("predictions", "classes")} | own
