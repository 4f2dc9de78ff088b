"""The table for another training: that of the training config, and logged rows whose true value is known."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tabular.arithmetic.cells import label
from tabular.config.stages import ColumnConfig, Task
from tabular.errors import UserError
from tabular.table.rules import broken, value_rules


def with_feedback(
    rows: pd.DataFrame,
    labelled: Sequence[tuple[Mapping[str, Any], float | str]],
    target: str,
    task: Task,
    rules: Mapping[str, ColumnConfig],
) -> tuple[pd.DataFrame, int, int]:
    """Return the table with the logged rows below it, in the dtypes of the table.

    A column that clients do not send is missing in the logged rows. A logged row that repeats a row of the table or
    an earlier logged row is not added.

    Args:
        rows: the table of the training config, as `tabular.table.sources.read_table` returns it.
        labelled: the inputs of each logged row as the client sent them, and its true value.
        target: name of the column of true values.
        task: decides whether true values are numbers or labels.
        rules: rules of the validation, by column.

    Returns:
        The table; the number of logged rows in it; and the number of those that were left out, because they break a
        rule of the validation, which would stop the training.

    Raises:
        UserError: no logged row has a true value.
    """
    if not labelled:
        raise UserError(
            "no logged prediction has a true value yet: send them to /feedback, or set training.data: config"
        )
    sent = {name: [inputs.get(name) for inputs, _ in labelled] for name in rows.columns if name != target}
    sent[target] = [value for _, value in labelled]
    logged = pd.DataFrame({name: _like(rows[name], sent[name], name == target and task) for name in rows.columns})
    fits = logged[target].notna().to_numpy(copy=True)
    for name, column in rules.items():
        if name in logged:
            for breaks in broken(logged[name], value_rules(column)).values():
                fits &= ~breaks
    both = pd.concat([rows, logged[fits]], ignore_index=True)
    repeated = both.duplicated().to_numpy(copy=True)
    repeated[: len(rows)] = False
    found = both[~repeated].reset_index(drop=True)
    return found, len(found) - len(rows), int((~fits).sum())


def to_parquet(rows: pd.DataFrame) -> tuple[bytes, str]:
    """Return the table as a Parquet file, and the sha256 of the file."""
    buffer = io.BytesIO()
    rows.to_parquet(buffer, index=False)
    return buffer.getvalue(), hashlib.sha256(buffer.getvalue()).hexdigest()


def _like(column: pd.Series, values: list[Any], task: Task | bool) -> pd.Series:
    """Return logged values in the dtype of a column; values that cannot be converted become missing."""
    if pd.api.types.is_datetime64_any_dtype(column):
        moments = pd.to_datetime(pd.Series(values, dtype=object), errors="coerce", utc=True, format="ISO8601")
        return moments.dt.tz_localize(None).astype(column.dtype)
    numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    if numeric and task != "classification":
        return pd.Series(pd.to_numeric(pd.Series(values, dtype=object), errors="coerce").astype(np.float64))
    # Labels and categories become the values of the table: 1 for "1", True for "true".
    known = {str(value): value for value in column.dropna().unique()}
    spelled = [None if value is None else known.get(_text(value), _text(value)) for value in values]
    if numeric or pd.api.types.is_bool_dtype(column):
        return pd.Series([value if not isinstance(value, str) else None for value in spelled], dtype=object)
    return pd.Series(spelled, dtype=object).astype(column.dtype)


def _text(value: Any) -> str:
    text = label(value)
    return text.title() if text.lower() in ("true", "false") else text
