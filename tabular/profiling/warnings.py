"""Warnings about a table, with what the configuration does about each of them."""

import pandas as pd

from tabular.config.reading import ReadingConfig
from tabular.profiling import sentinels, words
from tabular.profiling.found import TableFinding, TableFound, loud, note, warning

IMBALANCE = 10.0
"""From this ratio between the rows of the most frequent class and of the rarest one, the classes are weighted."""
FEW = 10
"""Rows of a class below which its score is a matter of luck."""
FEW_ROWS = 200
USELESS = ("constant", "unreadable", "empty")
"""Kinds of columns that nobody wants back."""
HOLLOW = 0.5
"""Share of missing values from which on a column is mentioned."""
EXAMPLE = 40
"""Characters of the line that is shown for a guessed encoding."""


def imbalance(found: TableFound) -> float:
    """The number of rows of the most frequent class, divided by that of the rarest one; 1 for a regression."""
    counts = found.target.classes.values()
    return max(counts) / min(counts) if counts else 1.0


def find(found: TableFound, rows: pd.DataFrame) -> list[TableFinding]:
    """Collect the findings about the target, the rows and the columns; leaks are found elsewhere.

    Args:
        rows: the rows that are trained on, with the columns that the model sees.
    """
    target = found.target
    about_target = _target_findings(found)
    if target.task == "regression":
        about_target += _sentinels(rows[target.column], is_target=True)
    return [*about_target, *_row_findings(found), *_column_findings(found, rows), *_sensitive(found)]


def encoding_findings(content: bytes, reading: ReadingConfig) -> list[TableFinding]:
    """Warn if the encoding is a guess, and show a line by which a person can tell whether it is right."""
    if reading.encoding not in ("cp1252", "latin-1"):
        return []
    text = content.decode(reading.encoding)
    at = next(place for place, letter in enumerate(text) if ord(letter) > 127)
    around = text[max(0, at - EXAMPLE // 2) : at + EXAMPLE // 2]
    example = next(part for part in around.splitlines() if any(ord(letter) > 127 for letter in part))
    said = f"the file is not UTF-8: read as {reading.encoding}; see whether this is right: {example.strip()!r}"
    return [warning(None, f"{said}; if not, give --encoding")]


def _target_findings(found: TableFound) -> list[TableFinding]:
    aim, findings = found.target, []
    if aim.missing:
        text = f"the target has no value in {aim.missing:,} of {found.rows:,} rows: those rows are dropped when reading"
        findings.append(warning(aim.column, text))
    if imbalance(found) >= IMBALANCE:
        rarest, count = list(aim.classes.items())[-1]
        text = (
            f"heavy class imbalance: {rarest!r} is {count:,} of {found.used:,} rows; "
            "class_weight: balanced makes all classes weigh the same"
        )
        findings.append(warning(aim.column, text))
    few = [f"{label!r} ({rows})" for label, rows in aim.classes.items() if rows < FEW]
    if few:
        text = f"too few rows to learn and to test: {', '.join(few[:FEW])}; bring more, or merge classes"
        findings.append(warning(aim.column, text))
    return findings


def _row_findings(found: TableFound) -> list[TableFinding]:
    findings = []
    repeated = f"{found.duplicates:,} rows repeat an earlier row in every column:"
    if found.duplicates and found.drop_duplicates:
        findings.append(warning(None, f"{repeated} dropped, so that no row is both learned and tested"))
    elif found.duplicates:
        findings.append(note(None, f"{repeated} kept, because so many are not a mistake"))
    if found.used < FEW_ROWS:
        text = f"{found.used} rows are few for five folds and a held-out part; expect wide intervals"
        findings.append(warning(None, text))
    dates = [column.name for column in found.inputs if column.kind == "date"]
    if dates:
        text = "rows are held out at random: where rows follow each other in time, the score is too good"
        findings.append(note(dates[0], text))
    return findings


def _column_findings(found: TableFound, rows: pd.DataFrame) -> list[TableFinding]:
    findings = []
    for column in found.columns:
        if column.name == found.target.column:
            continue
        share = column.missing / (column.missing + column.known)
        if column.drop is not None and not column.drop.startswith("LEAK"):
            otherwise = "" if column.kind in USELESS else "; remove its line from data.drop_columns to use it"
            findings.append(warning(column.name, f"left out: {column.drop}{otherwise}"))
        elif column.drop is None and share > HOLLOW:
            findings.append(warning(column.name, f"{100 * share:.0f}% of its values are missing"))
        if column.drop is None and column.kind == "number":
            findings += _sentinels(rows[column.name], is_target=False)
    return findings


def _sentinels(column: pd.Series, is_target: bool) -> list[TableFinding]:
    """Tell which numbers may stand for a missing value, and how to say so."""
    name, marked = str(column.name), sentinels.find(column)
    if not marked:
        return []
    shown = " and ".join(f"{_plain(value)} in {rows:,} rows" for value, rows in marked.items())
    listed = ", ".join(_plain(value) for value in marked)
    key = f"data.reading.numbers: {{{name}: {{missing: [{listed}]}}}}"
    if is_target:
        text = f"{shown} may stand for a missing value, and then teach nonsense: set {key} and target_missing: drop"
        return [loud(name, text)]
    text = f"{shown} may stand for a missing value: then set {key}, and correct its rule in validation.columns"
    return [warning(name, text)]


def _plain(value: float) -> str:
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e15 else repr(value)


def _sensitive(found: TableFound) -> list[TableFinding]:
    names = [column.name for column in found.inputs if words.is_sensitive(column.name)]
    if not names:
        return []
    text = (
        f"by their names, these columns may be sensitive: {', '.join(names)}; evaluation.slices: [{', '.join(names)}] "
        "shows how well the model does for each of their groups, and data.drop_columns keeps them from the model"
    )
    return [note(None, text)]
