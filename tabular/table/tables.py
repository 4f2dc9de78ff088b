"""The numeric, date and categorical columns of a table."""

import pandas as pd


def numeric_columns(rows: pd.DataFrame, target: str) -> list[str]:
    """The names of the numeric columns without the target, in the table's order; booleans are categories."""
    return [c for c in rows.columns if c != target and is_number(rows[c])]


def date_columns(rows: pd.DataFrame, target: str) -> list[str]:
    """The names of the columns of dtype datetime64 without the target, in the table's order."""
    return [c for c in rows.columns if c != target and is_date(rows[c])]


def categorical_columns(rows: pd.DataFrame, target: str) -> list[str]:
    """The names of all other columns without the target, in the table's order."""
    return [c for c in rows.columns if c != target and not is_number(rows[c]) and not is_date(rows[c])]


def is_number(column: pd.Series) -> bool:
    """Whether a column holds numbers; booleans are categories."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def is_date(column: pd.Series) -> bool:
    """Whether a column holds dates."""
    return bool(pd.api.types.is_datetime64_any_dtype(column))
