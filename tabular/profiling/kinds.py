"""The kind of each column, and the columns from which no model can learn."""

from typing import Any

import pandas as pd

from tabular.profiling import words
from tabular.profiling.found import ColumnFound, Kind

LEVELS = 30
"""The largest number of categories that become a column each; more are replaced by the mean of the target."""
OWN = 0.5
"""If more than this share of the texts are different, the column identifies rows instead of grouping them."""
FEWEST = 40
"""Known values that a number or date with holes needs, so that imputation surely finds 20 in the training rows."""
NAMED = 20
"""Number of rows from which on a different value in each of them makes a column an identifier."""
NARROW = 5
"""Expected number of equal pairs among random whole numbers from which on it counts that there is none."""
EXAMINED = 10_000
"""Number of rows at the beginning by which the look of texts is judged."""
LONG = 40
"""Mean number of characters from which on texts that seldom repeat are prose."""


def describe(column: pd.Series) -> ColumnFound:
    """Find the kind of a column, and whether the model may see it.

    Args:
        column: the values as `tabular.table.parsing.parse` reads them.
    """
    known = column.dropna()
    facts: dict[str, Any] = {
        "name": str(column.name),
        "missing": len(column) - len(known),
        "known": len(known),
        "distinct": int(known.nunique()),
    }
    if not len(known):
        return ColumnFound(kind="empty", why="no value at all", drop="it has no value at all", **facts)
    worded = isinstance(column.dtype, pd.StringDtype) or column.dtype == object
    if facts["distinct"] == 1 and not (worded and facts["missing"]):  # a word and a hole are two values
        value = str(known.iloc[0])[:LONG]
        return ColumnFound(kind="constant", why=f"always {value!r}", drop=f"it is constant: always {value!r}", **facts)
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        first, last = (moment.date().isoformat() for moment in (known.min(), known.max()))
        facts |= {"first": first, "last": last, "drop": _too_few(facts)}
        return ColumnFound(kind="date", why=f"days from {first} to {last}", **facts)
    if pd.api.types.is_numeric_dtype(column.dtype) and column.dtype != bool:
        return _number(column, known, facts)
    if column.dtype == bool or column.dtype == object:
        return ColumnFound(
            kind="boolean", why="true or false", levels=tuple(sorted(str(level) for level in known.unique())), **facts
        )
    return _text(known, facts)


def unreadable(name: str, holds: str, rows: int) -> ColumnFound:
    """A column whose values are no text, numbers or dates; `holds` says what they are."""
    return ColumnFound(
        name=name, kind="unreadable", why=holds, missing=0, known=rows, distinct=0, drop=f"it holds {holds}"
    )


def _number(column: pd.Series, known: pd.Series, facts: dict[str, Any]) -> ColumnFound:
    facts |= {"low": float(known.min()), "high": float(known.max())}
    whole = bool((known % 1 == 0).all())
    if facts["distinct"] == 2 and (facts["low"], facts["high"]) == (0.0, 1.0):
        return ColumnFound(kind="boolean", why="0 or 1", drop=_too_few(facts), **facts)
    if whole and _identifies_rows(known, facts):
        drop = f"it identifies rows: {facts['distinct']:,} different numbers in {facts['known']:,} rows"
        return ColumnFound(kind="identifier", why="a number for each row", drop=drop, **facts)
    why = "whole numbers" if whole else "decimal numbers"
    return ColumnFound(kind="number", why=why, drop=_too_few(facts), **facts)


def _too_few(facts: dict[str, Any]) -> str | None:
    """The reason why a column with holes is left out; None if it is not."""
    if facts["missing"] and facts["known"] < FEWEST:
        return f"it has {facts['known']} known values, too few to learn how to fill its holes"
    return None


def _identifies_rows(known: pd.Series, facts: dict[str, Any]) -> bool:
    if facts["known"] < NAMED:
        return False
    name = str(facts["name"])
    if words.is_identifier(name):
        return bool(facts["distinct"] > OWN * facts["known"])
    if facts["distinct"] < facts["known"]:
        return False
    # Measures that are all different in so narrow a range are very unlikely (the birthday problem).
    is_numbering = facts["known"] ** 2 > 2 * NARROW * (facts["high"] - facts["low"] + 1)
    counts = facts["low"] in (0.0, 1.0) and bool((known.diff().dropna() == 1).all())
    return counts or (words.may_number(name) and is_numbering)


def _text(known: pd.Series, facts: dict[str, Any]) -> ColumnFound:
    distinct, share = facts["distinct"], facts["distinct"] / facts["known"]
    some = known.head(EXAMINED)
    length, spaced = float(some.str.len().mean()), float(some.str.contains(" ", regex=False).mean())
    own = f"{distinct:,} different texts in {facts['known']:,} rows"
    if facts["known"] >= NAMED and spaced < OWN and length <= LONG:
        named = words.is_identifier(str(facts["name"]))
        if share > 0.95 or (named and share > OWN):
            return ColumnFound(kind="identifier", why="a text for each row", drop=f"it identifies rows: {own}", **facts)
    if distinct > LEVELS and (share > OWN or (length > LONG and _mostly_once(known))):
        return ColumnFound(kind="text", why="free text", drop=f"it is free text: {own}", **facts)
    if distinct > LEVELS:
        return ColumnFound(kind="category", why=f"{distinct:,} categories", **facts)
    if distinct == 1:
        return ColumnFound(kind="boolean", why="one word or none", levels=(str(known.iloc[0]),), **facts)
    if facts["known"] >= NAMED and share > 0.95:
        return ColumnFound(kind="text", why="free text", drop=f"it is free text: {own}", **facts)
    levels = tuple(sorted(str(level) for level in known.unique()))
    kind: Kind = "boolean" if distinct == 2 else "category"
    return ColumnFound(kind=kind, why=f"{distinct} categories", levels=levels, **facts)


def _mostly_once(known: pd.Series) -> bool:
    """Whether most of the different texts occur in one row only, as prose does; a category repeats, however long."""
    return bool((known.value_counts() == 1).mean() > OWN)
