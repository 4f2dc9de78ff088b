"""Reads a table from the bytes of a file, whose format is told by the bytes and not by the name."""

import csv
import gzip
import io
import re
import tarfile
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Literal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tabular.arithmetic.cells import holes
from tabular.config.base import column_name
from tabular.config.reading import ReadingConfig
from tabular.config.stages import MAX_BYTES
from tabular.errors import UserError, nearest_hint, one_line
from tabular.table import spelling
from tabular.table.normalising import normalised

GZIP = b"\x1f\x8b"
PARQUET = b"PAR1"
ZIP = b"PK\x03\x04"
PIECE = 2**20
"""Number of bytes that are unpacked at a time."""
NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
"""Names of the separators in messages."""

Kinds = Mapping[str, Literal["text", "date", "number"]]
"""Columns that are read as text, as dates or as `data.reading.numbers` says, whatever their values look like."""


def parse(
    content: bytes,
    name: str,
    reading: ReadingConfig | None = None,
    kinds: Kinds | None = None,
    max_bytes: int = MAX_BYTES,
    without: Collection[str] = (),
) -> pd.DataFrame:
    """Read the table in a CSV with a header or a Parquet file, which may be gzipped or in a .tgz archive.

    Args:
        content: the file's bytes. Archives are read in memory, and no path in them is used.
        reading: how the file is written; by default with commas, decimal points and UTF-8.
        kinds: columns of known kind beyond those of `reading`; names that the table lacks are ignored.
        max_bytes: the most bytes that a compressed file may hold once it is unpacked.
        without: columns that are not used. Those of them that `unreadable` names are read as missing values.

    Returns:
        The rows with a plain index, and columns named as `column_name` writes them: numbers as int64 or float64,
        booleans as bool or object, dates as datetime64[us] without a time zone, the rest as text.

    Raises:
        UserError: the file is empty, damaged, larger than `max_bytes` or not such a table, column names repeat or look
            the same, a column cannot be read, or a column of dates holds a value that is not a date.
    """
    reading = reading or ReadingConfig()
    name, content = unpack(content, name, max_bytes)
    as_text: Kinds = dict.fromkeys(reading.text, "text")
    as_dates: Kinds = dict.fromkeys(reading.dates, "date")
    as_numbers: Kinds = dict.fromkeys(reading.numbers, "number")
    known: Kinds = {**(kinds or {}), **as_text, **as_dates, **as_numbers}
    if content.startswith(PARQUET):
        frame = _parquet(content, name, max_bytes, without)
    elif reading.decimal == "." and reading.thousands is None and not reading.trim:
        frame = _plain_csv(content, name, reading, known)
    else:
        frame = _as_written(raw_csv(content, name, reading), reading, known)
    for key, columns in (("text", reading.text), ("dates", reading.dates), ("numbers", reading.numbers)):
        for column in columns:
            if column not in frame:
                hint = nearest_hint(column, [str(c) for c in frame])
                raise UserError(f"data.reading.{key}: {name} has no column '{column}'{hint}")
    return normalised(frame, {c: kind for c, kind in known.items() if c in frame}, reading, name)


def unpack(content: bytes, name: str, max_bytes: int = MAX_BYTES) -> tuple[str, bytes]:
    """The name and the bytes of the one table in a gzip file or a .tgz archive; other files are returned unchanged.

    Raises:
        UserError: the archive is damaged, holds more than `max_bytes`, or does not hold exactly one table.
    """
    if not content.startswith(GZIP):
        return name, content
    try:
        content = _gunzipped(content, name, max_bytes)
        try:
            archive = tarfile.TarFile(fileobj=io.BytesIO(content))  # tarfile.open would unpack more, without a limit
        except tarfile.ReadError:
            return name, content
        with archive:
            members = [member for member in archive if member.isfile() and _is_table(member.name)]
            if len(members) != 1:
                found = ", ".join(repr(member.name) for member in members[:5]) or "none"
                raise UserError(f"{name} must hold exactly one CSV or Parquet file, found: {found}; repack it")
            if members[0].size > max_bytes:  # a sparse file is longer than what the archive stores of it
                raise _too_large(name, max_bytes)
            inner = archive.extractfile(members[0])
            assert inner is not None  # isfile() above
            return f"{name} ({members[0].name!r})", inner.read()
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise UserError(f"{name} is a damaged archive ({error}); fetch or export it again") from error


def _gunzipped(content: bytes, name: str, max_bytes: int) -> bytes:
    unpacked = io.BytesIO()
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
        while piece := packed.read(PIECE):
            if unpacked.tell() + len(piece) > max_bytes:
                raise _too_large(name, max_bytes)
            unpacked.write(piece)
    return unpacked.getvalue()


def _too_large(name: str, max_bytes: int) -> UserError:
    return UserError(
        f"{name} holds more than {max_bytes:,} bytes once it is unpacked; "
        "if that is meant, raise data.max_bytes or unpack it yourself"
    )


def raw_csv(content: bytes, name: str, reading: ReadingConfig) -> pd.DataFrame:
    """All cells of a CSV as text, none of them missing; where `trim` is set, without blanks around names and cells.

    Raises:
        UserError: the file is not a CSV that can be read, see `parse`.
    """
    text = _text(content, name, reading)
    frame = _read(text, name, reading, dtype="str", keep_default_na=False, na_filter=False)
    if reading.trim:
        frame.columns = pd.Index(column_names([str(column).strip() for column in frame.columns], name))
        frame = frame.apply(lambda column: column.str.strip())
    return frame


def _is_table(member: str) -> bool:
    path = PurePosixPath(member)
    # macOS adds a hidden "._x.csv" of metadata for each file.
    return path.suffix.lower() in (".csv", ".tsv", ".tab", ".parquet") and not path.name.startswith(".")


def unreadable(content: bytes, name: str, max_bytes: int = MAX_BYTES) -> dict[str, str]:
    """What the columns of a Parquet file hold from which no model can learn: lists, records, or bytes that are no text.

    Raises:
        UserError: the file is damaged, larger than `max_bytes` once unpacked, or column names repeat or look the same.
    """
    with _damaged(name):
        metadata = pq.read_metadata(io.BytesIO(content))
        groups = range(metadata.num_row_groups)
        unpacked = sum(metadata.row_group(group).total_byte_size for group in groups)
        # A value that repeats takes hardly any bytes in the file, and its eight bytes in each row of the table.
        if max(unpacked, 8 * metadata.num_rows * metadata.num_columns) > max(max_bytes, len(content)):
            raise _too_large(name, max_bytes)
        schema = pq.read_schema(io.BytesIO(content))
        found = {}
        for field, column in zip(schema, column_names(schema.names, name), strict=True):
            kind = _stored(field.type)
            if pa.types.is_nested(kind):
                found[column] = "lists or records"
            elif is_binary(kind) and _text_of(pq.read_table(io.BytesIO(content), columns=[field.name])[0]) is None:
                found[column] = "bytes that are no text"
    return found


def _parquet(content: bytes, name: str, max_bytes: int, without: Collection[str]) -> pd.DataFrame:
    strange = unreadable(content, name, max_bytes)
    for column, what in strange.items():
        if column not in without:
            raise UserError(
                f"{name}: column '{column}' holds {what}; give it one value for each row, or add it to "
                "data.drop_columns"
            )
    with _damaged(name):
        table = pq.read_table(io.BytesIO(content))
        for place, (field, column) in enumerate(zip(table.schema, column_names(table.column_names, name), strict=True)):
            if column in strange:
                table = table.set_column(place, field.name, pa.nulls(len(table), pa.string()))
            elif is_binary(_stored(field.type)):
                table = table.set_column(place, field.name, _text_of(table[place]))
        # With holes, whole numbers become float64, which cannot tell the widest of them apart.
        frame = table.to_pandas(types_mapper={pa.uint64(): pd.UInt64Dtype()}.get)
    frame = frame.reset_index(drop=frame.index.names == [None])
    frame.columns = pd.Index(column_names([str(column) for column in frame.columns], name))
    return frame


@contextmanager
def _damaged(name: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        said = one_line(error)
        raise UserError(f"{name} is a damaged Parquet file ({said}); export it again") from error


def _stored(kind: pa.DataType) -> pa.DataType:
    """The type of the values that a column of categories or of an extension type, such as a UUID, stores."""
    if isinstance(kind, pa.BaseExtensionType):
        return kind.storage_type
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def is_binary(kind: pa.DataType) -> bool:
    """Whether the values of a column of Arrow are bytes."""
    any_length: bool = pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind)
    return any_length or bool(pa.types.is_fixed_size_binary(kind))


def _text_of(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Bytes as text; None if they are not UTF-8."""
    pieces = [piece.storage if isinstance(piece, pa.ExtensionArray) else piece for piece in column.chunks]
    try:
        return pa.chunked_array([piece.cast(pa.binary()).cast(pa.string()) for piece in pieces], pa.string())
    except pa.ArrowInvalid:
        return None


def _plain_csv(content: bytes, name: str, reading: ReadingConfig, kinds: Kinds) -> pd.DataFrame:
    """The table as pandas reads it, which is the fastest way."""
    text = _text(content, name, reading)
    options: dict[str, object] = {"dtype": dict.fromkeys(kinds, "str"), "low_memory": False}
    options["float_precision"] = "round_trip"  # what Python and the service read; pandas before 3.1 is off by a bit
    if reading.missing is not None:
        options |= {"na_values": ["", *reading.missing], "keep_default_na": False}
    return _read(text, name, reading, **options)


def _as_written(frame: pd.DataFrame, reading: ReadingConfig, kinds: Kinds) -> pd.DataFrame:
    """The table from its cells as text, for a file that writes numbers in another way than pandas expects."""
    missing = holes(reading.missing, is_text=True) or ()
    made = {}
    for column in frame.columns:
        cells = spelling.without_holes(frame[column], missing)
        values = None
        if column not in kinds:
            values = spelling.numbers(cells, reading.decimal, reading.thousands)
            values = spelling.booleans(cells) if values is None else values
        made[column] = cells if values is None else values
    return pd.DataFrame(made)


def _text(content: bytes, name: str, reading: ReadingConfig) -> str:
    """The decoded file. Raises UserError where it is obviously not a CSV."""
    if content.startswith(ZIP):
        raise UserError(f"{name} is a ZIP archive or an Excel workbook; unpack it, or export it as CSV or Parquet")
    wide = reading.encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32"))
    if b"\0" in content and not wide:
        raise UserError(f"{name} is not a CSV: it holds NUL bytes; export it as CSV in UTF-8, or as Parquet")
    is_utf8 = reading.encoding.lower().replace("_", "-") in ("utf-8", "utf8")
    try:
        text = content.decode("utf-8-sig" if is_utf8 else reading.encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        encoding = "UTF-8" if is_utf8 else reading.encoding
        raise UserError(
            f"{name} is not a CSV in {encoding}: byte {error.start} is {content[error.start]:#04x}; "
            "set data.reading.encoding, or export it as CSV in UTF-8 or as Parquet"
        ) from error
    text = text[above(text, reading.skip, name) :]
    start = text.lstrip()[:1]
    if not start:
        raise UserError(f"{name} is empty; give a CSV or Parquet file with a header and rows")
    if start in ("<", "{", "["):
        looks = "a web page or XML" if start == "<" else "JSON"
        raise UserError(f"{name} is not a CSV: it looks like {looks}; check the address and export it as CSV")
    return text


def above(text: str, lines: int, name: str) -> int:
    """Number of characters in the first lines of a text. Raises UserError where it has fewer lines."""
    found = re.match(rf"(?:[^\r\n]*+(?>\r\n|\n|\r)){{{lines}}}", text)
    if found is None:
        raise UserError(f"{name} has fewer lines than the {lines} that are to be skipped before its header; skip fewer")
    return found.end()


def _read(text: str, name: str, reading: ReadingConfig, **options: object) -> pd.DataFrame:
    try:
        header = _check_shape(text, name, reading)
        names = column_names(header, name)
        if names != header:
            options |= {"header": 0, "names": [column or f"Unnamed: {place}" for place, column in enumerate(names)]}
        return pd.read_csv(
            io.StringIO(text), sep=reading.separator, skipinitialspace=reading.trim, index_col=False, **options
        )
    except (csv.Error, ValueError) as error:  # pandas' ParserError is a ValueError
        said = one_line(error)
        separators = NAMES[reading.separator]
        raise UserError(f"{name} is not a CSV that can be read: {said}; export it again with {separators}") from error


def _check_shape(text: str, name: str, reading: ReadingConfig) -> list[str]:
    """The header; refuses rows that are shorter or longer than it, which pandas would correct silently."""
    separator = reading.separator
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    header = next(row for row in reader if row)
    if len(header) == 1:
        raise UserError(
            f"{name} is not a CSV: its header has one column, {header[0][:60]!r}; "
            f"separate by {NAMES[separator]}, or set data.reading.separator, or data.reading.skip for lines above it"
        )
    if _is_plain(text, separator, len(header)):
        return header
    for row in reader:
        if row and len(row) != len(header):
            raise UserError(
                f"{name} is not a CSV that can be read: line {reading.skip + reader.line_num} has {len(row)} value(s) "
                f"where the header names {len(header)} columns; mend that line, or export the file again"
            )
    return header


def _is_plain(text: str, separator: str, columns: int) -> bool:
    """Whether there are no quotes and all lines have the same number of cells, which is quickly checked."""
    lines = text.replace("\r\n", "\n")
    if '"' in lines or "\r" in lines:
        return False
    return all(line.count(separator) == columns - 1 for line in lines.split("\n") if line)


def column_names(header: Sequence[str], name: str) -> list[str]:
    """The names in the header of the file `name`, as `column_name` writes them.

    Raises:
        UserError: two of them are the same, or look the same.
    """
    names = [column_name(column) for column in header]
    counts = Counter(names)
    repeated = dict.fromkeys(column for column, plain in zip(header, names, strict=True) if counts[plain] > 1)
    if repeated:
        alike = len(repeated) > len({column_name(column) for column in repeated})
        shown = ", ".join((ascii if alike else repr)(column) for column in repeated)
        raise UserError(f"{name} names a column more than once: {shown}; rename or remove the repetition")
    return names
