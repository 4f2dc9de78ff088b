"""The files of a batch: what they are, what marks their content, and their bytes as a stream."""

import codecs
import gzip
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final, Literal

from tabular.errors import UserError, one_line
from tabular.reports.report import Report
from tabular.storage import places
from tabular.storage.remote import CONTENT_MARKS, is_remote, public

GZIP, PARQUET, ZIP = b"\x1f\x8b", b"PAR1", b"PK\x03\x04"
TABLES: Final = (".csv", ".tsv", ".tab", ".txt", ".parquet", ".pq")
PIECE: Final = 2**22
"""Bytes that are asked of a store at a time."""


class File(Report):
    """One file of the input, as it was found."""

    location: str
    size: int
    mark: str
    """Differs when the content does: the time of the last change, or what a store knows of it."""
    kind: Literal["csv", "parquet"]
    gzipped: bool

    @property
    def name(self) -> str:
        """What errors call it."""
        return public(self.location)


def files_of(location: str, output: str) -> list[File]:
    """The files of an input, sorted by name.

    Args:
        location: a file or a folder; a path or an fsspec URL. Names that begin with a dot or an underscore are passed
            over, as by all who read folders of Parquet.
        output: where the answers go, which must be elsewhere.

    Raises:
        UserError: nothing is there, a file is no table, files are of two kinds, or the output lies in the input.
    """
    with _errors(location):
        found = _remote_files(location) if is_remote(location) else _local_files(location)
    if not found:
        raise UserError(f"batch.input: there is no file in the folder {public(location)}; put CSV or Parquet in it")
    inside = f"{_plain(output)}/".startswith(f"{_plain(location)}/")
    if inside:
        raise UserError(f"batch.output: {output} is the input or lies in it; choose a folder of its own")
    if len({file.kind for file in found}) > 1:
        first = next(file for file in found if file.kind != found[0].kind)
        raise UserError(f"batch.input: {found[0].name} is {found[0].kind} and {first.name} is not; score them apart")
    return found


@contextmanager
def opened(file: File) -> Iterator[IO[bytes]]:
    """The file's bytes, seekable.

    Raises:
        UserError: they cannot be had, also later, while they are read.
    """
    with _errors(file.location):
        raw = _open(file.location)
    with raw:
        yield raw


class Text:
    """The text of a CSV as UTF-8, whatever the file's encoding and whether or not it is gzipped.

    Args:
        raw: the file's bytes.
        file: what it is.
        encoding: of the file. Bytes that it does not know stay as they are, which is no UTF-8.
    """

    def __init__(self, raw: IO[bytes], file: File, encoding: str) -> None:
        self._raw = raw
        self._name = file.name
        self._bytes: Any = gzip.GzipFile(fileobj=raw) if file.gzipped else raw
        self._seekable = not file.gzipped
        self._left = b""
        self._decoder: codecs.IncrementalDecoder | None = None
        if encoding.lower().replace("_", "-") not in ("utf-8", "utf8", "utf-8-sig"):
            self._decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")
            self._seekable = False

    @property
    def done(self) -> int:
        """Bytes of the file that were read."""
        return self._raw.tell()

    def read(self, size: int, /) -> bytes:
        """About so many bytes; none at the end.

        Raises:
            UserError: the archive is damaged, or the encoding is another one.
        """
        if self._left:
            piece, self._left = self._left, b""
            return piece
        while True:
            try:
                piece = bytes(self._bytes.read(size))
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                said = one_line(error)
                raise UserError(f"{self._name} is a damaged archive ({said}); fetch or export it again") from error
            if self._decoder is None:
                return piece
            try:
                text = self._decoder.decode(piece, final=not piece)
            except UnicodeDecodeError as error:
                raise UserError(f"{self._name}: {error}; set batch.reading.encoding") from None
            if text or not piece:
                return text.encode("utf-8", "surrogateescape")

    def skip(self, size: int) -> None:
        """Go on after so many bytes of the text, which must be there."""
        if self._seekable:
            self._raw.seek(size, os.SEEK_CUR)
            return
        while size > 0:
            piece = self.read(min(size, PIECE))
            if not piece:
                raise UserError(
                    f"{self._name} has become shorter while it was scored; delete the output and score again"
                )
            self._left = piece[size:]
            size -= len(piece)


def _plain(location: str) -> str:
    return public(location).rstrip("/") if is_remote(location) else str(Path(location).resolve())


def _local_files(location: str) -> list[File]:
    path = Path(location.removeprefix("file://"))
    if not path.exists():
        raise UserError(f"batch.input: there is no file or folder {location}; set batch.input to the rows to score")
    if path.is_file():
        return [_file(str(path), path.stat().st_size, str(path.stat().st_mtime_ns))]
    found = sorted(file for file in path.rglob("*") if file.is_file())
    shown = [file for file in found if not _is_hidden(file.relative_to(path).as_posix())]
    return [_file(str(file), file.stat().st_size, str(file.stat().st_mtime_ns), True) for file in shown]


def _remote_files(location: str) -> list[File]:
    store, path = places.store(location)
    if location.startswith(("http://", "https://")):
        return [_file(location, int(store.info(path).get("size") or 0), _mark(store.info(path)))]
    found = store.find(path, detail=True)
    if not found:
        raise UserError(f"batch.input: there is no file or folder {public(location)}; correct the address")
    single = list(found) == [store._strip_protocol(path)]
    return [
        _file(store.unstrip_protocol(name), int(found[name]["size"]), _mark(found[name]), not single)
        for name in sorted(found)
        if single or not _is_hidden(name.removeprefix(store._strip_protocol(path)).lstrip("/"))
    ]


def _mark(info: dict[str, Any]) -> str:
    return next((str(info[name]) for name in CONTENT_MARKS if info.get(name)), "")


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "_")) for part in PurePosixPath(name).parts)


def _file(location: str, size: int, mark: str, in_folder: bool = False) -> File:
    """What a file is, its first bytes say."""
    shown = public(location)
    if in_folder and not location.lower().removesuffix(".gz").endswith(TABLES):
        raise UserError(f"batch.input: {shown} is no CSV or Parquet file by its name; move it out of the folder")
    with _open(location) as raw:
        start = raw.read(4)
        gzipped = start.startswith(GZIP)
        if gzipped:
            raw.seek(0)
            start = gzip.GzipFile(fileobj=raw).read(512)
    if start.startswith(ZIP) or (gzipped and (start.startswith(PARQUET) or start[257:262] == b"ustar")):
        raise UserError(f"batch.input: {shown} is an archive or a workbook; unpack it, or export it as CSV or Parquet")
    kind: Literal["csv", "parquet"] = "parquet" if start.startswith(PARQUET) else "csv"
    return File(location=location, size=size, mark=mark, kind=kind, gzipped=gzipped)


def _open(location: str) -> IO[bytes]:
    if is_remote(location):
        return io.BufferedReader(_Remote(location), PIECE)
    return Path(location.removeprefix("file://")).open("rb")


class _Remote(io.RawIOBase):
    """A file in a store; what goes wrong is one line."""

    def __init__(self, location: str) -> None:
        super().__init__()
        self._location = location
        store, path = places.store(location)
        self._file = store.open(path, "rb", block_size=PIECE, cache_type="readahead")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        with _errors(self._location):
            piece = self._file.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def close(self) -> None:
        self._file.close()
        super().close()


@contextmanager
def _errors(location: str) -> Iterator[None]:
    """What goes wrong while a file is read, in one line."""
    shown = public(location)
    try:
        yield
    except UserError:
        raise
    except FileNotFoundError:
        raise UserError(f"batch.input: there is no file {shown}; correct it") from None
    except Exception as error:  # every store has its own family of exceptions
        if not is_remote(location) and not isinstance(error, OSError):
            raise
        said = one_line(str(error).replace(location, shown))
        raise UserError(f"batch.input: {shown} cannot be read ({said}); correct it, or mend what opens it") from error
