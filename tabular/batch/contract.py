"""Checks the rules of `validation` chunk by chunk, with the words and the meaning of `tabular.table.validation`.

The rules for a table to train on, its least number of rows and its repeated rows, do not apply to a batch.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from tabular.batch.chunks import Chunk
from tabular.batch.report import BrokenRules
from tabular.batch.rows import ReadyRows
from tabular.batch.values import CellNotation, Mask, Values, misfit, plain, read
from tabular.bundles.bundle import Column
from tabular.config.stages import ColumnConfig, ValidationConfig
from tabular.reports.training import Check
from tabular.table import rules


def of_columns(names: Sequence[str], config: ValidationConfig) -> list[Check]:
    """The broken rules about which columns there are."""
    found = rules.missing_columns(config.columns, names)
    return found if config.other_columns == "allow" else found + rules.unlisted_columns(config.columns, names)


def of_rows(
    chunk: Chunk,
    ready: ReadyRows,
    columns: Sequence[Column],
    config: ValidationConfig,
    reading: CellNotation,
    forms: Mapping[str, str],
) -> BrokenRules:
    """The broken rules about values, on the rows that were scored.

    Args:
        chunk: a chunk whose table holds the columns that are both in the config and in the input.
        ready: the scored rows.
        columns: the columns of the model, whose values are read already.
        config: the rules.
        reading: how the cells are written.
        forms: how the dates of each column are written.
    """
    checks: list[Check] = []
    missing: dict[str, int] = {}
    kinds = {column.name: column.kind for column in columns}
    for name, column in config.columns.items():
        if name not in chunk.table.column_names:
            continue
        if kinds.get(name) == column.kind:
            values = ready.table[name]
        else:
            values, wrong = _values(chunk, ready, name, column, reading, forms)
            cells = plain(chunk.table[name]).take(ready.places)
            words = rules.KINDS.get(column.kind, "")
            checks += _check(name, words, [str(cell) for cell in cells.filter(wrong).to_pylist()])
        series = pd.Series(values.astype("datetime64[us]") if column.kind == "date" else values)
        missing[name] = int(series.isna().sum())
        for words, breaks in rules.broken(series, rules.value_rules(column, every_spelling=True)).items():
            checks += _check(name, words, values[breaks])
    return BrokenRules(checks=checks, missing=missing)


def of_shares(missing: Mapping[str, int], rows: int, config: ValidationConfig) -> list[Check]:
    """The broken rules about the share of missing values, once all rows are counted."""
    found = []
    for name, count in missing.items():
        share = config.columns[name].max_missing
        if count and count > share * rows:
            found.append(Check(column=name, rule=rules.missing_words(share), failed=count, examples=[]))
    return found


def _values(
    chunk: Chunk, ready: ReadyRows, name: str, column: ColumnConfig, reading: CellNotation, forms: Mapping[str, str]
) -> tuple[Values, Mask]:
    """The values of a column that the model lacks or has in another kind, and the cells that are not of its kind."""
    cells = plain(chunk.table[name]).take(ready.places)
    if misfit(cells.type, column.kind):
        nothing = np.full(len(cells), np.nan) if column.kind == "number" else np.full(len(cells), None, dtype=object)
        return nothing, np.ones(len(cells), dtype=bool)
    found = read(cells, Column(name=name, kind=column.kind, missing_share=0.0), reading, forms.get(name))
    wrong = np.zeros(len(cells), dtype=bool)
    for rows in found.bad.values():
        wrong |= rows
    return found.values, wrong


def _check(name: str, rule: str, values: Sequence[str] | Values) -> list[Check]:
    """The rule with the values that break it; none where there are no such values."""
    if not len(values):
        return []
    return [Check(column=name, rule=rule, failed=len(values), examples=rules.examples(values))]
