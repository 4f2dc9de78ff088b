"""Reading an unknown table, and finding out what it holds."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import pandas as pd

from tabular.arithmetic.cells import holes
from tabular.config.base import column_name
from tabular.config.reading import NumberConfig, ReadingConfig
from tabular.config.stages import Task
from tabular.errors import UserError
from tabular.profiling import codes, dialect, kinds, leaks, notation, targets, warnings, words
from tabular.profiling.found import TableFinding, TableFound, note
from tabular.table import spelling
from tabular.table.parsing import PARQUET, parse, raw_csv, unpack, unreadable
from tabular.table.sources import with_target


class ProfiledTable(NamedTuple):
    """The findings about a table, and the rows that a training will see."""

    found: TableFound
    rows: pd.DataFrame


def profile(
    content: bytes, name: str, target: str, task: Task | None = None, encoding: str | None = None, skip: int = 0
) -> ProfiledTable:
    """Read a table of which nothing is known, and find out what it holds; the target decides the task if it is None.

    Args:
        content: a CSV file in any of the usual dialects or a Parquet file, perhaps gzipped or in a .tgz.
        encoding: the encoding of a CSV; None finds it out.
        skip: number of lines before the header of a CSV.

    Raises:
        UserError: the file is not a table, has no such column, or its target cannot be learned.
    """
    name, content = unpack(content, name)
    target = column_name(target)
    is_csv = not content.startswith(PARQUET)
    strange: dict[str, str] = {}
    if is_csv:
        reading, findings, frame = _csv(content, name, target, encoding, skip)
    elif encoding or skip:
        raise UserError(f"--{'encoding' if encoding else 'skip'} is for a CSV, and {name} is Parquet; leave it out")
    else:
        strange = unreadable(content, name)
        reading, findings, frame = _parquet(content, name, target, strange)
    how = reading.numbers.get(target)
    aim = targets.describe(frame[target], task, name, has_unit=how is not None and bool(how.units or how.clock))
    if aim.missing:
        reading = reading.model_copy(update={"target_missing": "drop"})
    rows, _ = with_target(frame, target, reading, name)
    duplicates = int(rows.duplicated().sum())
    # If more than a third of the rows repeat others, the columns are coarse, and each row is an observation.
    drop_duplicates = 0 < duplicates <= len(rows) / 3
    if drop_duplicates:
        rows = rows.drop_duplicates(ignore_index=True)
    columns = [
        kinds.unreadable(column, strange[column], len(rows)) if column in strange else kinds.describe(rows[column])
        for column in rows.columns
    ]
    told = leaks.find(rows, [c.name for c in columns if c.drop is None and c.name != target], target, aim.task)
    taken = {finding.column: finding.text for finding in told if finding.level == "loud"}
    columns = [
        c.model_copy(update={"drop": taken[c.name].removesuffix("; left out")}) if c.name in taken else c
        for c in columns
    ]
    dropped = [column.name for column in columns if column.drop is not None and column.name != target]
    rows = rows.drop(columns=dropped)
    aim = targets.checked(aim, rows[target], name)
    found = TableFound(
        rows=len(frame),
        used=len(rows),
        duplicates=duplicates,
        drop_duplicates=drop_duplicates,
        duplicate_share=float(rows.duplicated().mean()),
        reading=_without(reading, dropped),
        is_csv=is_csv,
        target=aim,
        columns=tuple(columns),
        places=_places(rows, target),
        findings=(),
    )
    targets.require_inputs(found, name)
    findings = [*told, *(f for f in findings if f.column not in taken), *warnings.find(found, rows)]
    return ProfiledTable(found.model_copy(update={"findings": tuple(findings)}), rows)


def _csv(
    content: bytes, name: str, target: str, encoding: str | None, skip: int
) -> tuple[ReadingConfig, list[TableFinding], pd.DataFrame]:
    reading = dialect.sniff(content, name, encoding, skip)
    try:
        cells = raw_csv(content, name, reading)
        if notation.trimmed(cells):
            reading = reading.model_copy(update={"trim": True})
            cells = raw_csv(content, name, reading)
        targets.require(cells, target, name)
    except UserError as error:
        raise UserError(dialect.advice(content, reading, target, name, str(error))) from None
    settled, findings = notation.settle(cells, reading, target)
    del cells
    guessed = warnings.encoding_findings(content, settled) if encoding is None else []
    return settled, [*findings, *guessed], parse(content, name, settled)


def _parquet(
    content: bytes, name: str, target: str, strange: Collection[str]
) -> tuple[ReadingConfig, list[TableFinding], pd.DataFrame]:
    if target in strange:
        strange = ()  # then the refusal names the target
    frame = parse(content, name, ReadingConfig(), without=strange)
    targets.require(frame, target, name)
    texts = [c for c in frame.columns if isinstance(frame[c].dtype, pd.StringDtype) and c not in strange]
    settled, findings = notation.settle(frame[texts].fillna(""), ReadingConfig(), target)
    # Whole numbers that are stored as text in a Parquet file are meant to be codes; decimal numbers are numbers.
    codes = [*settled.text, *(c for c in frame.columns if c not in texts and c != target and _is_code(frame[c]))]
    missing = settled.missing
    if any(np.isinf(frame[c]).any() for c in frame.columns if frame[c].dtype == np.float64):
        missing = (*(missing or ()), "inf", "-inf")
    # The marks of a Parquet file's texts stand beside each column, because a Parquet file has none.
    marks = {"decimal": settled.decimal, "thousands": settled.thousands}
    is_plain = marks == {"decimal": ".", "thousands": None}
    decimals = [c for c in texts if c not in settled.numbers and _is_decimal(frame[c], settled)]
    numbers = {
        column: how if how.decimal or how.clock or is_plain else how.model_copy(update=marks)
        for column, how in {**settled.numbers, **dict.fromkeys(decimals, NumberConfig())}.items()
    }
    findings += [note(c, "decimal numbers that are stored as text: see data.reading.numbers") for c in decimals]
    of_csv = {"separator", "encoding", "decimal", "thousands", "trim"}
    settled = ReadingConfig.model_validate(
        settled.model_dump(exclude=of_csv) | {"missing": missing, "text": codes, "numbers": numbers}
    )
    return settled, findings, parse(content, name, settled, without=strange)


def _is_decimal(column: pd.Series, reading: ReadingConfig) -> bool:
    """Whether a column of text holds numbers, and at least one with a mark."""
    cells = spelling.without_holes(column, holes(reading.missing, is_text=True) or ())
    has_mark = bool(cells.str.contains(r"\d[.,]\d").any())
    return has_mark and spelling.numbers(cells, reading.decimal, reading.thousands) is not None


def _is_code(column: pd.Series) -> bool:
    if not pd.api.types.is_numeric_dtype(column.dtype) or column.dtype == bool:
        return False
    known = column.dropna()
    if not len(known) or bool((known % 1 != 0).any()) or float(known.abs().max()) >= 2**53:
        return False
    return codes.are(str(column.name), pd.Series(known.astype("int64").unique()).astype("str"), len(known))


def _without(reading: ReadingConfig, dropped: list[str]) -> ReadingConfig:
    """The settings without the columns that are left out, which need not be converted."""
    return reading.model_copy(
        update={
            "text": tuple(column for column in reading.text if column not in dropped),
            "dates": tuple(column for column in reading.dates if column not in dropped),
            "numbers": {column: how for column, how in reading.numbers.items() if column not in dropped},
        }
    )


def _places(rows: pd.DataFrame, target: str) -> tuple[str, str] | None:
    """The first pair of columns that are longitude and latitude by their names and ranges."""
    floats = [c for c in rows.columns if c != target and rows[c].dtype == np.float64]
    for longitude, latitude in words.places(floats):
        if rows[longitude].abs().max() <= 180 and rows[latitude].abs().max() <= 90:
            return longitude, latitude
    return None
