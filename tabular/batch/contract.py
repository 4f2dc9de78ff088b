"""Checks the rules of `validation` chunk by chunk, with the words and the meaning of `tabular.table.validation`.

The rules for a table to train on, its least number of rows and its repeated rows, do not apply to a batch.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from tabular.batch.chunks import Chunk
from tabular.batch.report import BrokenRules
from tabular.batch.rows import ReadyRows
from tabular.batch.values import CellNotation, Mask, Values, misfit, plain, read
from tabular.bundles.bundle import Column
from tabular.config.stages import ColumnConfig, ValidationConfig
from tabular.reports.training import Check
from tabular.table import rules


def of_rows(
    chunk: Chunk,
    ready: ReadyRows,
    columns: Sequence[Column],
    config: ValidationConfig,
    forms: Mapping[str, str],
) -> BrokenRules:
    """The broken rules about values, on the scored rows of a chunk.

    The values of the model's columns are read already; the chunk's table also holds the other columns that have rules.
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
            cells = plain(chunk.table[name]).take(ready.places)
            values, wrong = _values(cells, name, column, chunk.notation, forms.get(name))
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
    cells: pa.Array, name: str, column: ColumnConfig, notation: CellNotation, form: str | None
) -> tuple[Values, Mask]:
    """The values of a column that the model lacks or has in another kind, and the cells that are not of its kind."""
    wrong = np.zeros(len(cells), dtype=bool)
    if misfit(cells.type, column.kind):
        return np.full(len(cells), None, dtype=np.float64 if column.kind == "number" else object), ~wrong
    found = read(cells, Column(name=name, kind=column.kind, missing_share=0.0), notation, form)
    return found.values, np.logical_or.reduce([wrong, *found.bad.values()])


def _check(name: str, rule: str, values: Sequence[str] | Values) -> list[Check]:
    """The rule with the values that break it; none where there are no such values."""
    if not len(values):
        return []
    return [Check(column=name, rule=rule, failed=len(values), examples=rules.examples(values))]
