"""The different values of a column as they are written, with their counts."""

from typing import NamedTuple

import pandas as pd

from tabular.arithmetic.cells import BLANKS, MISSING

HOLES = frozenset(
    {
        "na", "n/a", "n.a.", "#n/a", "nan", "null", "<na>", "(null)", "nil", "?", "??", "-", "--", "---", ".", "..",
        "...", "–", "—", "missing", "#null!", "#value!", "#div/0!", "#ref!", "\\n", "0000-00-00",
    }
)  # fmt: skip
"""Spellings of a hole in a column of any kind, in lower case."""
SAMPLE = 5000
"""Number of different values of a column by which the spelling of its numbers is judged."""
MOSTLY = 0.9
"""Share of rows that look like numbers from which on a column is taken for one of numbers."""
CLEAR, LEAST = 0.75, 0.6
"""Share of numbers from which on a column keeps them, and all other cells are holes, however many different ones there
are, and where there are few."""
MARKS = f".,'\u2019{BLANKS.strip('[]')}"
"""The characters that may group digits, or part a number from its decimals."""
LOOSE = rf"[+-]?[\d{MARKS}]*\d[\d{MARKS}]*(?:[eE][+-]?\d+)?"
"""Digits and marks, whatever the marks mean."""


class Tokens(NamedTuple):
    """The different values of one column with their counts, without the usual spellings of a hole."""

    values: pd.Series
    counts: pd.Series
    usual: frozenset[str] = frozenset()
    """The usual spellings of a hole that the column contains."""

    def share(self, chosen: pd.Series) -> float:
        """The share of rows, 0 to 1, that contain one of the chosen values."""
        total = int(self.counts.sum())
        return self.rows(chosen) / total if total else 0.0

    def rows(self, chosen: pd.Series) -> int:
        """The number of rows that contain one of the chosen values."""
        return int(self.counts[chosen.to_numpy()].sum())

    def head(self) -> "Tokens":
        """The most frequent values."""
        return Tokens(self.values.head(SAMPLE), self.counts.head(SAMPLE), self.usual)

    def are_holes(self) -> pd.Series:
        """Whether each value is an unusual spelling of a hole."""
        return self.values.str.lower().isin(HOLES)

    def are_loose(self) -> pd.Series:
        """Whether each value consists of digits and marks, whatever the marks mean."""
        return self.values.str.fullmatch(LOOSE).astype(bool)


def of(column: pd.Series) -> Tokens:
    """The tokens of a column of text, the most frequent first; an empty text is no value."""
    counts = column.value_counts()
    usual = frozenset(counts.index[counts.index.isin(MISSING)])
    counts = counts[~counts.index.isin(["", *MISSING])]
    return Tokens(pd.Series(counts.index, dtype="str"), counts, usual)


def look_numeric(tokens: Tokens) -> bool:
    """Whether most values consist of digits and marks, whatever the marks mean."""
    are = tokens.are_loose()
    return bool(are.any()) and tokens.share(are | tokens.are_holes()) >= MOSTLY
