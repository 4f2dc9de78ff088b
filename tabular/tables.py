"""Which columns of a table are what."""

import pandas as pd


def numeric_columns(rows: pd.DataFrame, target: str) -> list[str]:
    """The names of the numeric columns without the target, in the table's order; booleans are categories."""
    return [c for c in rows.columns if c != target and _is_number(rows[c])]


def categorical_columns(rows: pd.DataFrame, target: str) -> list[str]:
    """The names of all other columns without the target, in the table's order."""
    return [c for c in rows.columns if c != target and not _is_number(rows[c])]


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
