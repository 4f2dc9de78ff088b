"""The output folder of a batch, and which of its chunks are finished.

    batch.json               what the output is made from: the input, the model, and the part of the config that matters
    predictions/part-*.parquet
    rejects/part-*.parquet
    progress/chunk-*.json    the last file of a chunk: once it is written, the chunk is finished
    _SUCCESS.json            the last file of all: each row is in one of the parts that it lists

A file that no progress file lists was left by a killed process; its chunk is scored again, and the same files are
written in its place.
"""

import fcntl
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal, TypeVar

from pydantic import ValidationError

from tabular.batch.chunks import ChunkPosition
from tabular.batch.inputs import InputFile
from tabular.batch.report import BatchReport, BrokenRules
from tabular.batch.sample import DrawnRows
from tabular.bundles.bundle import Bundle, digest
from tabular.config.base import explain
from tabular.config.batch import BatchConfig
from tabular.config.reading import ReadingConfig
from tabular.config.stages import ValidationConfig
from tabular.errors import UserError
from tabular.reports.report import Report
from tabular.reports.verdicts import Observed
from tabular.storage import places
from tabular.storage.addresses import is_remote, public
from tabular.storage.atomic import UNFINISHED
from tabular.storage.places import local_path

IDENTITY: Final = "batch.json"
SUCCESS: Final = "_SUCCESS.json"
LOCK: Final = ".lock"
TRANSFER_SECONDS: Final = 300.0
"""Longest time for the transfer of one file."""

DECISIVE: Final = ("reading", "chunk_rows", "keep", "validation", "seed")
"""The keys of the config that an output depends on."""

AReport = TypeVar("AReport", bound=Report)


class BatchIdentity(Report):
    """Everything that determines an output; an output with another identity is not continued."""

    format: Literal[1] = 1
    files: list[InputFile]
    model: str
    version: str
    bundle_sha256: str
    reading: ReadingConfig
    chunk_rows: int
    keep: tuple[str, ...] | Literal["all"]
    validation: ValidationConfig
    seed: int
    forms: dict[str, str] = {}
    """The form of the dates of each column; it is found in the input, and not compared."""

    @classmethod
    def of(cls, config: BatchConfig, files: list[InputFile], bundle: Bundle, sha256: str) -> "BatchIdentity":
        """The identity of a batch that is about to run."""
        return cls(
            files=[file.model_copy(update={"location": file.name}) for file in files],
            model=bundle.name,
            version=bundle.version,
            bundle_sha256=sha256,
            **{name: getattr(config, name) for name in DECISIVE},
        )

    def difference(self, other: "BatchIdentity") -> str:
        """The first difference to another identity, in a few words; empty where they are equal."""
        if self.model != other.model:
            return f"those of model {self.model}, not {other.model}"
        if self.version != other.version:
            return f"those of version {self.version}, not {other.version} (batch.version names the one that goes on)"
        if self.bundle_sha256 != other.bundle_sha256:
            return f"those of another bundle of version {self.version}"
        if self.files != other.files:
            mine, theirs = ({file.location: file for file in files} for files in (self.files, other.files))
            changed = next(name for name in [*theirs, *mine] if mine.get(name) != theirs.get(name))
            verb = "has changed since" if changed in mine and changed in theirs else "is in one of the two alone"
            return f"those of another input: {changed} {verb}"
        for name in DECISIVE:
            if getattr(self, name) != getattr(other, name):
                return f"made with another batch.{name}"
        return ""


class OutputPart(Report):
    """One Parquet file of the output."""

    name: str
    """Path of the file below the output folder."""
    rows: int
    sha256: str


class FinishedChunk(Report):
    """A chunk whose files are all written."""

    chunk: int
    rows: int
    predictions: OutputPart
    rejects: OutputPart | None
    reasons: dict[str, int]
    observed: Observed
    broken: BrokenRules
    sample: DrawnRows
    next: ChunkPosition
    """The place where the next chunk begins."""


class FinishedBatch(Report):
    """A batch whose chunks are all finished."""

    report: BatchReport
    predictions: list[OutputPart]
    rejects: list[OutputPart]
    sample: DrawnRows


class Ledger:
    """The files of an output, in a folder or at an address."""

    def __init__(self, folder: str) -> None:
        self._folder = folder.rstrip("/")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes of this machine from writing to the folder; a folder in a bucket cannot be locked.

        Raises:
            UserError: another process writes to the folder, or it cannot be written.
        """
        if is_remote(self._folder):
            yield
            return
        folder = local_path(self._folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / LOCK).open("a") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise UserError(f"another process is scoring to {self._folder}; wait until it has ended") from None
                yield
        except (FileExistsError, NotADirectoryError, PermissionError) as error:
            said = (error.strerror or str(error)).lower()
            raise UserError(f"batch.output: {self._folder} cannot be written ({said}); choose another") from None

    def identity(self, wanted: BatchIdentity) -> BatchIdentity | None:
        """The identity of the batch that was begun here; None where none was.

        Raises:
            UserError: another batch was begun here, the folder holds other files, or its files are damaged.
        """
        shown = public(self._folder)
        found = self._report(IDENTITY, BatchIdentity)
        if found is None:
            strangers = [name for name in self._names() if not places.is_stray(name)]
            if strangers:
                raise UserError(
                    f"batch.output: {shown} holds files that no batch has written, such as {strangers[0]}; "
                    "choose another folder, or empty it"
                )
            return None
        difference = found.difference(wanted)
        if difference:
            raise UserError(
                f"batch.output: {shown} holds predictions, {difference}; choose another folder, or delete this one"
            )
        return found

    def begin(self, identity: BatchIdentity) -> None:
        """Record what the output is made from."""
        self._write(IDENTITY, identity.model_dump_json(indent=2).encode())

    def success(self) -> FinishedBatch | None:
        """The finished batch; None where it is not finished."""
        return self._report(SUCCESS, FinishedBatch)

    def succeed(self, success: FinishedBatch) -> None:
        """Record that the batch is finished, and remove what killed processes have left on this machine."""
        self._write(SUCCESS, success.model_dump_json().encode())
        if not is_remote(self._folder):
            for left in local_path(self._folder).rglob(f"{UNFINISHED}*"):
                left.unlink(missing_ok=True)

    def finished(self) -> Iterator[FinishedChunk]:
        """The chunks of which each file is there, in their order."""
        names = set(self._names())
        for name in sorted(names):
            if re.fullmatch(r"progress/chunk-\d+\.json", name):
                chunk = self._report(name, FinishedChunk)
                if chunk and {part.name for part in (chunk.predictions, chunk.rejects) if part} <= names:
                    yield chunk

    def finish(self, finished: FinishedChunk, predictions: bytes, rejects: bytes | None) -> None:
        """Write the files of a chunk, and then record in one moment that it is finished."""
        self._write(finished.predictions.name, predictions)
        if finished.rejects and rejects is not None:
            self._write(finished.rejects.name, rejects)
        self._write(f"progress/chunk-{finished.chunk:06d}.json", finished.model_dump_json().encode())

    def _names(self) -> list[str]:
        return [file.name for file in places.find(self._folder, TRANSFER_SECONDS)]

    def _write(self, name: str, content: bytes) -> None:
        places.write(places.join(self._folder, name), content, TRANSFER_SECONDS)

    def _report(self, name: str, kind: type[AReport]) -> AReport | None:
        location = places.join(self._folder, name)
        try:
            return kind.model_validate_json(places.read(location, TRANSFER_SECONDS))
        except places.NotThere:
            return None
        except ValidationError as error:
            raise UserError(f"{public(location)}: {explain(error, kind)}; delete the folder and score again") from None


def part(folder: str, chunk: int, rows: int, content: bytes) -> OutputPart:
    """The record of a chunk's Parquet file in the folder `predictions` or `rejects` of the output."""
    return OutputPart(name=f"{folder}/part-{chunk:06d}.parquet", rows=rows, sha256=digest(content))
