"""The input files of a batch: finding them, telling what they are, and reading their bytes as a stream."""

import codecs
import gzip
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Final, Literal

from tabular.errors import UserError, one_line
from tabular.reports.report import Report
from tabular.storage import places
from tabular.storage.addresses import is_remote, public
from tabular.storage.places import PIECE, FoundFile, local_path
from tabular.table.parsing import GZIP, PARQUET, ZIP

TABLES: Final = (".csv", ".tsv", ".tab", ".txt", ".parquet", ".pq")


class InputFile(Report):
    """One file of the input, as it was when the batch began."""

    location: str
    size: int
    mark: str
    """A text that changes with the content: the time of the last change, or a mark of the store."""
    kind: Literal["csv", "parquet"]
    gzipped: bool

    @property
    def name(self) -> str:
        """Name of the file in errors, without what may be secret."""
        return public(self.location)


def files_of(location: str, output: str) -> list[InputFile]:
    """The files of an input, which is a file or a folder, sorted by name; the output must lie elsewhere.

    Names that begin with a dot or an underscore are skipped, as is usual for folders of Parquet files, and so is what
    desktops and editors leave in a folder.

    Raises:
        UserError: there is no file, a file is not a table, files are of two kinds, or the output lies in the input.
    """
    shown = public(location)
    with _errors(shown):
        listed = places.find(location)
        if not listed and (is_remote(location) or not local_path(location).is_dir()):
            raise UserError(f"batch.input: there is no file or folder {shown}; set batch.input to the rows to score")
        hidden = re.compile(r"(^|/)_")
        found = [_file(file) for file in listed if not hidden.search(file.name) and not places.is_stray(file.name)]
    if not found:
        raise UserError(f"batch.input: there is no file in the folder {shown}; put CSV or Parquet in it")
    if f"{_plain(output)}/".startswith(f"{_plain(location)}/"):
        raise UserError(f"batch.output: {output} is the input or lies in it; choose a folder of its own")
    if len({file.kind for file in found}) > 1:
        first = next(file for file in found if file.kind != found[0].kind)
        raise UserError(f"batch.input: {found[0].name} is {found[0].kind} and {first.name} is not; score them apart")
    return found


@contextmanager
def opened(file: InputFile) -> Iterator[IO[bytes]]:
    """The file's bytes as a seekable stream.

    Raises:
        UserError: the file cannot be opened, or later, it cannot be read.
    """
    with _errors(file.name), places.stream(file.location) as raw:
        yield raw


class CsvText:
    """The text of a CSV as UTF-8 without a byte order mark, whatever the file's encoding, gzipped or not.

    Bytes that the encoding cannot decode are kept, so that they are not valid UTF-8.
    """

    def __init__(self, raw: IO[bytes], file: InputFile, encoding: str) -> None:
        self._name = file.name
        self._bytes: Any = gzip.GzipFile(fileobj=raw) if file.gzipped else raw
        self._decoder: codecs.IncrementalDecoder | None = None
        if encoding.lower().replace("_", "-") not in ("utf-8", "utf8", "utf-8-sig"):
            self._decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")
        elif self._bytes.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
            self._bytes.seek(0)

    def read(self, size: int, /) -> bytes:
        """About `size` bytes, at most four times as many; none at the end.

        Raises:
            UserError: the archive is damaged, or the file has another encoding.
        """
        try:
            while True:
                piece = bytes(self._bytes.read(size))
                if self._decoder is None:
                    return piece
                text = self._decoder.decode(piece, final=not piece)
                if text or not piece:  # otherwise the piece is a part of a character
                    return text.encode("utf-8", "surrogateescape")
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            said = one_line(error)
            raise UserError(f"{self._name} is a damaged archive ({said}); fetch or export it again") from error
        except UnicodeDecodeError as error:
            raise UserError(f"{self._name}: {error}; set batch.reading.encoding") from None

    def skip(self, size: int) -> None:
        """Pass over the first `size` bytes of the text, which end with a character.

        Raises:
            UserError: the text is shorter.
        """
        if self._decoder is None and not isinstance(self._bytes, gzip.GzipFile):
            self._bytes.seek(size, os.SEEK_CUR)
            return
        while size > 0:
            piece = self.read(max(1, min(size // 4, PIECE)))
            if not piece:
                raise UserError(
                    f"{self._name} has become shorter while it was scored; delete the output and score again"
                )
            size -= len(piece)


def _plain(location: str) -> str:
    return public(location).rstrip("/") if is_remote(location) else str(local_path(location).resolve())


def _file(found: FoundFile) -> InputFile:
    """The description of a file, whose format its first bytes tell."""
    location, shown = found.location, public(found.location)
    if found.name and not location.lower().removesuffix(".gz").endswith(TABLES):
        raise UserError(f"batch.input: {shown} is not a CSV or Parquet file by its name; move it out of the folder")
    with places.stream(location) as raw:
        start = raw.read(4)
        gzipped = start.startswith(GZIP)
        if gzipped:
            raw.seek(0)
            start = gzip.GzipFile(fileobj=raw).read(512)
    if start.startswith(ZIP) or (gzipped and (start.startswith(PARQUET) or start[257:262] == b"ustar")):
        raise UserError(f"batch.input: {shown} is an archive or a workbook; unpack it, or export it as CSV or Parquet")
    kind: Literal["csv", "parquet"] = "parquet" if start.startswith(PARQUET) else "csv"
    return InputFile(location=location, size=found.size, mark=found.mark, kind=kind, gzipped=gzipped)


@contextmanager
def _errors(file: str) -> Iterator[None]:
    """Begin each error of a store with the key of the config, and report a damaged archive likewise."""
    try:
        yield
    except places.StoreError as error:
        raise UserError(f"batch.input: {error}") from None
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(
            f"batch.input: {file} cannot be read ({one_line(error)}); correct it, or mend what opens it"
        ) from error
