"""What is not as it should be, in words, with what the config does about it."""

import pandas as pd

from tabular.config.reading import ReadingConfig
from tabular.profiling.found import Finding, TableFound

IMBALANCE = 10.0
"""The most frequent class has so many times the rows of the rarest: the config then weighs them alike."""
FEW = 10
"""Rows of a class, below which its score is a matter of luck."""
HOLLOW = 0.5
"""The share of holes from which on a column is worth a word."""
SENTINELS = (-9.0, -99.0, -999.0, -9999.0, -99999.0, 999.0, 9999.0, 99999.0, 999999.0)
"""Numbers that often stand for a hole."""
EXAMPLE = 40


def imbalance(found: TableFound) -> float:
    """How many times the rows of the rarest class the most frequent one has; 1 for a regression."""
    counts = found.target.classes.values()
    return max(counts) / min(counts) if counts else 1.0


def find(found: TableFound, rows: pd.DataFrame) -> list[Finding]:
    """All findings about the target, the rows and the columns, but for leaks.

    Args:
        found: the table.
        rows: those that are trained on, with the columns that the model sees.
    """
    return [*_of_target(found), *_of_rows(found), *_of_columns(found, rows)]


def of_encoding(content: bytes, reading: ReadingConfig) -> list[Finding]:
    """A word where the encoding is a guess, with a line that shows whether it was a good one."""
    if reading.encoding not in ("cp1252", "latin-1"):
        return []
    text = content.decode(reading.encoding)
    at = next(place for place, letter in enumerate(text) if ord(letter) > 127)
    around = text[max(0, at - EXAMPLE // 2) : at + EXAMPLE // 2]
    example = next(part for part in around.splitlines() if any(ord(letter) > 127 for letter in part))
    said = f"the file is not UTF-8: read as {reading.encoding}; see whether this is right: {example.strip()!r}"
    return [Finding(level="warning", column=None, text=said)]


def _of_target(found: TableFound) -> list[Finding]:
    aim, findings = found.target, []
    if aim.missing:
        text = f"the target has no value in {aim.missing:,} of {found.rows:,} rows: those rows are dropped when reading"
        findings.append(Finding(level="warning", column=aim.column, text=text))
    if imbalance(found) >= IMBALANCE:
        rarest, count = list(aim.classes.items())[-1]
        text = (
            f"heavy class imbalance: {rarest!r} is {count:,} of {found.used:,} rows; "
            "class_weight: balanced makes all classes weigh the same"
        )
        findings.append(Finding(level="warning", column=aim.column, text=text))
    few = [f"{label!r} ({rows})" for label, rows in aim.classes.items() if rows < FEW]
    if few:
        text = f"too few rows to learn and to test: {', '.join(few[:FEW])}; bring more, or merge classes"
        findings.append(Finding(level="warning", column=aim.column, text=text))
    return findings


def _of_rows(found: TableFound) -> list[Finding]:
    findings = []
    if found.duplicates:
        does = (
            "dropped, so that no row is both learned and tested"
            if found.drop_duplicates
            else "kept: so many are no error"
        )
        text = f"{found.duplicates:,} rows repeat an earlier row in every column: {does}"
        findings.append(Finding(level="warning" if found.drop_duplicates else "note", column=None, text=text))
    if found.used < 200:
        text = f"{found.used} rows: few for five folds and a held-out part; expect wide intervals"
        findings.append(Finding(level="warning", column=None, text=text))
    dates = [column.name for column in found.inputs if column.kind == "date"]
    if dates:
        text = "rows are held out at random: where rows follow each other in time, the score is too good"
        findings.append(Finding(level="note", column=dates[0], text=text))
    return findings


def _of_columns(found: TableFound, rows: pd.DataFrame) -> list[Finding]:
    findings = []
    for column in found.columns:
        if column.name == found.target.column:
            continue
        if column.drop is not None and not column.drop.startswith("LEAK"):
            findings.append(Finding(level="warning", column=column.name, text=f"left out: {column.drop}"))
        elif column.drop is None and column.missing > HOLLOW * (column.missing + column.known):
            share = 100 * column.missing / (column.missing + column.known)
            findings.append(
                Finding(level="warning", column=column.name, text=f"{share:.0f}% of its values are missing")
            )
        if column.drop is None and column.kind == "number":
            findings += _sentinel(rows[column.name])
    return findings


def _sentinel(column: pd.Series) -> list[Finding]:
    """A number far off all others that comes again and again."""
    low, high = column.min(), column.max()
    for extreme in (low, high):
        others = column[column != extreme].dropna()
        if extreme not in SENTINELS or len(others) < 2 or int((column == extreme).sum()) < 2:
            continue
        gap = min(abs(extreme - others.min()), abs(extreme - others.max()))
        if gap > 2 * (others.max() - others.min()):
            rows = int((column == extreme).sum())
            text = f"{extreme:g} in {rows:,} rows may stand for a hole: then add '{extreme:g}' to data.reading.missing"
            return [Finding(level="warning", column=str(column.name), text=text)]
    return []
