"""A table from the bytes of a file. What the file is, its bytes say, not its name."""

import csv
import gzip
import io
import tarfile
import zlib
from collections import Counter
from pathlib import PurePosixPath

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tabular.errors import UserError

GZIP = b"\x1f\x8b"
PARQUET = b"PAR1"


def parse(content: bytes, name: str) -> pd.DataFrame:
    """The table in a CSV (UTF-8, commas, a header), a Parquet file, either one gzipped, or a .tgz that holds one.

    Args:
        content: the file's bytes. Archives are read in memory: no path in them is ever used.
        name: what errors call the file.

    Returns:
        The rows with a plain index; numbers as int64 or float64, the rest as pandas reads it.

    Raises:
        UserError: the file is empty, damaged, or no such table, or column names repeat.
    """
    if content.startswith(GZIP):
        name, content = _unpacked(content, name)
    return _parquet(content, name) if content.startswith(PARQUET) else _csv(content, name)


def _unpacked(content: bytes, name: str) -> tuple[str, bytes]:
    """The name and the bytes of the one table in a gzip file."""
    try:
        content = gzip.decompress(content)
        if not tarfile.is_tarfile(io.BytesIO(content)):
            return name, content
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            members = [member for member in archive if member.isfile() and _is_table(member.name)]
            if len(members) != 1:
                found = ", ".join(repr(member.name) for member in members[:5]) or "none"
                raise UserError(f"{name} must hold exactly one CSV or Parquet file, found: {found}; repack it")
            inner = archive.extractfile(members[0])
            assert inner is not None  # isfile() above
            return f"{name} ({members[0].name!r})", inner.read()
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise UserError(f"{name} is a damaged archive ({error}); fetch or export it again") from error


def _is_table(member: str) -> bool:
    path = PurePosixPath(member)
    # macOS adds a hidden "._x.csv" of metadata for each file.
    return path.suffix.lower() in (".csv", ".parquet") and not path.name.startswith(".")


def _parquet(content: bytes, name: str) -> pd.DataFrame:
    try:
        schema = pq.read_schema(io.BytesIO(content))
        _refuse_repeated(schema.names, name)
        nested = [field.name for field in schema if pa.types.is_nested(field.type)]
        if nested:
            raise UserError(f"{name}: column '{nested[0]}' holds lists or records; give it one value for each row")
        frame = pq.read_table(io.BytesIO(content)).to_pandas()
    except (pa.ArrowException, OSError) as error:
        said = " ".join(str(error).split())
        raise UserError(f"{name} is a damaged Parquet file ({said}); export it again") from error
    return frame.reset_index(drop=frame.index.names == [None])


def _csv(content: bytes, name: str) -> pd.DataFrame:
    if b"\0" in content:
        raise UserError(f"{name} is not a CSV: it holds NUL bytes; export it as CSV in UTF-8, or as Parquet")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{name} is not a CSV in UTF-8: byte {error.start} is {content[error.start]:#04x}; "
            "export it as CSV in UTF-8, or as Parquet"
        ) from error
    start = text.lstrip()[:1]
    if not start:
        raise UserError(f"{name} is empty; give a CSV or Parquet file with a header and rows")
    if start in ("<", "{", "["):
        looks = "a web page or XML" if start == "<" else "JSON"
        raise UserError(f"{name} is not a CSV: it looks like {looks}; check the address and export it as CSV")
    try:
        _check_shape(text, name)
        return pd.read_csv(io.StringIO(text), low_memory=False, index_col=False)
    except (csv.Error, ValueError) as error:  # pandas' ParserError is a ValueError
        said = " ".join(str(error).split())
        raise UserError(f"{name} is not a CSV that can be read: {said}; export it again with commas") from error


def _check_shape(text: str, name: str) -> None:
    """Refuse what pandas would mend in silence: repeated names, and rows shorter or longer than the header."""
    reader = csv.reader(io.StringIO(text, newline=""))
    header = next(row for row in reader if row)
    if len(header) == 1:
        raise UserError(f"{name} is not a CSV: its header has one column, {header[0][:60]!r}; separate by commas")
    _refuse_repeated(header, name)
    for row in reader:
        if row and len(row) != len(header):
            raise UserError(
                f"{name} is not a CSV that can be read: line {reader.line_num} has {len(row)} value(s) where the "
                f"header names {len(header)} columns; mend that line, or export the file again"
            )


def _refuse_repeated(names: list[str], name: str) -> None:
    repeated = [column for column, count in Counter(names).items() if count > 1]
    if repeated:
        shown = ", ".join(repr(column) for column in repeated)
        raise UserError(f"{name} names a column more than once: {shown}; rename or remove the repetition")
