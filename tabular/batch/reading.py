"""Reads CSV and Parquet files in chunks of bounded size, each with its place in the whole input."""

import json
from collections.abc import Iterator, Sequence
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tabular.batch import hashing, lines
from tabular.batch.chunks import Chunk, ChunkPosition, FileLayout
from tabular.batch.inputs import CsvText, InputFile, opened
from tabular.batch.lines import CsvRecords, joined
from tabular.batch.values import notation_of
from tabular.config.reading import ReadingConfig
from tabular.errors import UserError, one_line
from tabular.table.parsing import above, column_names


class BatchInput:
    """The files of an input, at least one and all of one kind; their headers are read when it is made.

    Raises:
        UserError: a file has no header, names a column twice, or is damaged.
    """

    def __init__(self, files: Sequence[InputFile], reading: ReadingConfig) -> None:
        self.files = list(files)
        self._reading = reading
        self.layouts = [self._layout(file) for file in files]

    @property
    def size(self) -> int:
        """Number of bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def common(self) -> list[str]:
        """The columns that all files have, in the order of the first one."""
        return [name for name in self.layouts[0].names if all(name in layout.names for layout in self.layouts)]

    def chunks(self, position: ChunkPosition, rows: int, columns: Sequence[str]) -> Iterator[Chunk]:
        """The chunks that follow a position, `START` or the `next` of a chunk, whose tables hold the columns.

        No chunk holds more than `rows` rows, or rows of two files.

        Raises:
            UserError: a file cannot be read to its end.
        """
        before = sum(file.size for file in self.files[: position.file])
        for number in range(position.file, len(self.files)):
            file = self.files[number]
            way = self._parquet if file.kind == "parquet" else self._csv
            with opened(file) as raw:
                for chunk in way(raw, number, position, rows, columns, before):
                    position = chunk.next
                    yield chunk
            position = ChunkPosition(file=number + 1, offset=0, row=position.row)
            before += file.size

    def _layout(self, file: InputFile) -> FileLayout:
        with opened(file) as raw:
            if file.kind == "parquet":
                schema = _opened_parquet(raw, file).schema_arrow
                names = column_names(schema.names, file.name)
                return FileLayout(names, dict(zip(names, schema.types, strict=True)), 0)
            # In latin-1 there are as many characters as bytes.
            start = CsvText(raw, file, self._reading.encoding).read(lines.BLOCK).decode("latin-1")
            begin = above(start, self._reading.skip, file.name)
            raw.seek(0)
            text = CsvText(raw, file, self._reading.encoding)
            text.skip(begin)
            blocks = lines.blocks(text.read, begin, self._reading.separator, self._reading.trim, file.name)
            base, records = next(blocks, (0, None))
        if records is None:
            raise UserError(f"{file.name} is empty; give a CSV or Parquet file with a header")
        header = [str(number) for number in range(records.cells[0])]
        table, _, faults = _table(records.part(0, 1), header, header, self._reading)
        if faults:
            if b"\0" in records.raw(0):
                raise UserError(
                    f"{file.name} is not a CSV: it holds NUL bytes; export it as CSV in UTF-8, or as Parquet"
                )
            raise UserError(f"{file.name}: its header has {faults[0]}; set batch.reading, or export it again")
        names = column_names([column[0].as_py() for column in table.columns], file.name)
        return FileLayout(names, {}, base + int(records.starts[1] if len(records) > 1 else records.used))

    def _csv(
        self, raw: IO[bytes], number: int, position: ChunkPosition, rows: int, columns: Sequence[str], before: int
    ) -> Iterator[Chunk]:
        file, layout, reading = self.files[number], self.layouts[number], self._reading
        text = CsvText(raw, file, reading.encoding)
        offset, row = position.offset or layout.begin, position.row
        text.skip(offset)
        parts: list[CsvRecords] = []
        held = 0

        def chunk() -> Chunk:
            records = joined(parts)
            table, positions, faults = _table(records, layout.names, columns, reading)
            return Chunk(
                first=row,
                rows=len(records),
                table=table,
                positions=positions,
                faults=faults,
                hashes=hashing.of_texts(records.data, records.starts, records.ends),
                raw=lambda place: records.raw(place).decode("utf-8", "replace"),
                next=ChunkPosition(file=number, offset=offset, row=row + len(records)),
                done=before + raw.tell(),
                notation=notation_of(reading, "csv"),
            )

        for base, records in lines.blocks(text.read, offset, reading.separator, reading.trim, file.name):
            first = 0
            while first < len(records):
                last = min(len(records), first + rows - held)
                parts.append(records.part(first, last))
                held += last - first
                offset = base + (int(records.starts[last]) if last < len(records) else records.used)
                first = last
                if held == rows:
                    yield chunk()
                    row, parts, held = row + held, [], 0
        if held:
            yield chunk()

    def _parquet(
        self, raw: IO[bytes], number: int, position: ChunkPosition, rows: int, columns: Sequence[str], before: int
    ) -> Iterator[Chunk]:
        file = self.files[number]
        content = _opened_parquet(raw, file)
        raw_names, types = content.schema_arrow.names, self.layouts[number].types
        plain = dict(zip(raw_names, types, strict=True))
        flat = [name for name in raw_names if not pa.types.is_nested(types[plain[name]])]
        row, offset = position.row, position.offset
        total = content.metadata.num_rows
        for table in _tables(content, file, flat, offset, rows):
            yield Chunk(
                first=row,
                rows=len(table),
                table=table.rename_columns([plain[name] for name in flat]).select(
                    [plain[name] for name in flat if plain[name] in columns]
                ),
                positions=np.arange(len(table)),
                faults={},
                hashes=hashing.of_table(table),
                raw=lambda place, table=table: json.dumps(  # type: ignore[misc]
                    table.slice(place, 1).to_pylist()[0], ensure_ascii=False, default=str
                ),
                next=ChunkPosition(file=number, offset=offset + len(table), row=row + len(table)),
                done=before + file.size * (offset + len(table)) // total,
                notation=notation_of(self._reading, "parquet"),
            )
            row, offset = row + len(table), offset + len(table)


def _table(
    records: CsvRecords, names: list[str], columns: Sequence[str], reading: ReadingConfig
) -> tuple[pa.Table, NDArray[np.int64], dict[int, str]]:
    """The readable records as columns of text, their numbers, and the reason why each other one is not readable."""
    faults = dict(records.faults)
    for place in np.flatnonzero(records.cells != len(names)).tolist():
        faults.setdefault(place, f"{records.cells[place]} cells instead of {len(names)}")
    if b"\0" in records.data:
        faults |= {place: "a NUL byte" for place in range(len(records)) if b"\0" in records.raw(place)}
    if not _is_utf8(records.data):
        for place in range(len(records)):
            if not _is_utf8(records.raw(place)):
                faults.setdefault(place, f"bytes that are not {reading.encoding}")
    positions = np.setdiff1d(np.arange(len(records)), list(faults), assume_unique=True).astype(np.int64)
    body = records.data
    if faults or records.rewritten:
        body = b"\n".join(records.text(place) for place in positions.tolist())
    if not len(positions):
        return pa.table({name: pa.array([], pa.string()) for name in columns}), positions, faults
    table = pcsv.read_csv(
        pa.py_buffer(body),
        pcsv.ReadOptions(column_names=names, block_size=min(len(body) + 1, 2**30), use_threads=False),
        pcsv.ParseOptions(delimiter=reading.separator, newlines_in_values=b'"' in body),
        pcsv.ConvertOptions(
            include_columns=list(columns), column_types=dict.fromkeys(names, pa.string()), check_utf8=False
        ),
    )
    assert len(table) == len(positions), "both readers see the same records"
    if reading.trim:
        table = pa.table({name: pc.utf8_trim_whitespace(table[name]) for name in table.column_names})
    return table, positions, faults


def _tables(content: pq.ParquetFile, file: InputFile, columns: list[str], offset: int, rows: int) -> Iterator[pa.Table]:
    """The rows from an offset on, at most `rows` at a time."""
    group, skipped = 0, offset
    while group < content.num_row_groups and skipped >= content.metadata.row_group(group).num_rows:
        skipped -= content.metadata.row_group(group).num_rows
        group += 1
    groups = list(range(group, content.num_row_groups))
    held = pa.schema([content.schema_arrow.field(name) for name in columns]).empty_table()
    try:
        for batch in content.iter_batches(rows, groups, columns) if groups else ():
            held = pa.concat_tables([held, pa.Table.from_batches([batch])[skipped:]])
            skipped = max(0, skipped - len(batch))
            while len(held) >= rows:
                yield held[:rows]
                held = held[rows:]
    except (pa.ArrowException, OSError) as error:
        raise _damaged(file, error) from error
    if len(held):
        yield held


def _opened_parquet(raw: IO[bytes], file: InputFile) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(raw)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(file, error) from error


def _damaged(file: InputFile, error: Exception) -> UserError:
    said = one_line(error)
    return UserError(f"{file.name} is a damaged Parquet file ({said}); export it again")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
