"""The rules of `validation` on chunk after chunk, with the words and the meaning of `tabular.table.validation`.

What they say of a whole table to train on, its least number of rows and its repeated rows, is not asked of a batch.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd

from tabular.batch.chunks import Chunk
from tabular.batch.report import EXAMPLES, Broken
from tabular.batch.rows import Ready
from tabular.batch.values import Mask, Notation, Values, categories, dates, misfit, numbers, plain
from tabular.bundles.bundle import Column
from tabular.bundles.values import spelled, with_spellings
from tabular.config.stages import ColumnConfig, ValidationConfig
from tabular.errors import nearest_hint
from tabular.reports.training import Check
from tabular.table.spelling import label

WIDTH: Final = 40
"""Characters shown of each."""
KINDS: Final = {
    "number": "must be a number, but is text or a boolean",
    "date": "must be a date, but is not read as one",
}
UNKNOWN: Final = Column(name="", kind="category", missing_share=0.0)


def of_columns(names: Sequence[str], config: ValidationConfig) -> list[Check]:
    """Rules about the columns that there are."""
    found = []
    for name in config.columns:
        if name not in names:
            hint = nearest_hint(name, names, "column")
            found.append(Check(column=name, rule=f"must be a column of the table{hint}", failed=0, examples=[]))
    if config.other_columns == "refuse":
        rule = "is not in validation.columns, and validation.other_columns is 'refuse'"
        others = [name for name in names if name not in config.columns]
        found += [Check(column=name, rule=rule, failed=0, examples=[]) for name in others]
    return found


def of_rows(
    chunk: Chunk,
    ready: Ready,
    columns: Sequence[Column],
    config: ValidationConfig,
    reading: Notation,
    forms: Mapping[str, str],
) -> Broken:
    """Rules about values, on the rows that were scored.

    Args:
        chunk: its table holds all columns that are in the config and in the input.
        ready: the rows.
        columns: the model's, whose values are known already.
        config: the rules.
        reading: how the cells are spelled.
        forms: how dates are written.
    """
    checks: list[Check] = []
    missing: dict[str, int] = {}
    kinds = {column.name: column.kind for column in columns}
    for name, rules in config.columns.items():
        if name not in chunk.table.column_names:
            continue
        if kinds.get(name) == rules.kind:
            values = ready.table[name]
        else:
            values, wrong = _values(chunk, ready, name, rules, reading, forms)
            cells = plain(chunk.table[name]).take(ready.places)
            examples = np.array([str(cell) for cell in cells.filter(wrong).to_pylist()], dtype=object)
            checks += _check(name, KINDS.get(rules.kind, ""), np.ones(len(examples), bool), examples)
        absent = pd.isna(values)
        missing[name] = int(absent.sum())
        for rule, broken in _limits(values, absent, rules).items():
            checks += _check(name, rule, broken, values)
    return Broken(checks=checks, missing=missing)


def of_shares(missing: Mapping[str, int], rows: int, config: ValidationConfig) -> list[Check]:
    """Rules about the share of missing values, at the end."""
    found = []
    for name, count in missing.items():
        share = config.columns[name].max_missing
        if count and count > share * rows:
            words = "must have no missing value" if share == 0 else f"must have at most {share * 100:g}% missing values"
            found.append(Check(column=name, rule=words, failed=count, examples=[]))
    return found


def _values(
    chunk: Chunk, ready: Ready, name: str, rules: ColumnConfig, reading: Notation, forms: Mapping[str, str]
) -> tuple[Values, Mask]:
    """The values of a column that is none of the model's, or of another kind there, and which cells are of no kind."""
    cells = plain(chunk.table[name]).take(ready.places)
    if misfit(cells.type, rules.kind):
        nothing = np.full(len(cells), np.nan) if rules.kind == "number" else np.full(len(cells), None, dtype=object)
        return nothing, np.ones(len(cells), dtype=bool)
    if rules.kind == "number":
        found = numbers(cells, reading)
    elif rules.kind == "date":
        found = dates(cells, reading, forms.get(name))
    else:
        found = categories(cells, reading, UNKNOWN)
    wrong = np.zeros(len(cells), dtype=bool)
    for rows in found.bad.values():
        wrong |= rows
    return found.values, wrong


def _limits(values: Values, absent: Mask, rules: ColumnConfig) -> dict[str, Mask]:
    found = {}
    if rules.min is not None:
        found[f"must be at least {rules.min:.12g}"] = values < rules.min
    if rules.max is not None:
        found[f"must be at most {rules.max:.12g}"] = values > rules.max
    if rules.earliest is not None or rules.latest is not None:
        days = np.array([None if day is None else day[:10] for day in values], dtype="datetime64[D]")
        if rules.earliest is not None:
            found[f"must not be before {rules.earliest}"] = days < np.datetime64(rules.earliest)
        if rules.latest is not None:
            found[f"must not be after {rules.latest}"] = days > np.datetime64(rules.latest)
    if rules.categories is not None:
        lookup = with_spellings(rules.categories)
        valid = {value: spelled(label(value), lookup) in lookup for value in pd.unique(values[~absent])}
        words = f"must be one of {', '.join(rules.categories)}"
        found[words] = ~absent & np.array([not valid.get(value, True) for value in values], dtype=bool)
    return found


def _check(name: str, rule: str, broken: Mask, values: Values) -> list[Check]:
    if not broken.any():
        return []
    examples = [label(value)[:WIDTH] for value in pd.unique(values[broken])[:EXAMPLES]]
    return [Check(column=name, rule=rule, failed=int(broken.sum()), examples=examples)]
