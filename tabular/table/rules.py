"""The rules that a config sets for its columns, in words and as checks on values."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tabular.arithmetic.cells import label, spelled, with_spellings
from tabular.config.stages import ColumnConfig
from tabular.errors import nearest_hint
from tabular.reports.training import Check
from tabular.table.tables import is_date, is_number

EXAMPLES: Final = 5
"""Number of offending values that are shown for a rule."""
WIDTH: Final = 40
"""Number of characters that are shown of each."""
KINDS: Final = {
    "number": "must be a number, but is text or a boolean",
    "date": "must be a date, but is not read as one",
}


class ColumnRule(NamedTuple):
    """A rule about the values of a column."""

    words: str
    holds: Callable[[pd.Series], pd.Series]
    """For values none of which is missing, whether each keeps the rule."""


def value_rules(column: ColumnConfig, every_spelling: bool = False) -> dict[str, ColumnRule]:
    """The limits of a column by the name of their config key; a value of another kind breaks none of them.

    With `every_spelling`, a category counts in each spelling that the service takes for the same one, which suits
    values that were not read in the way of training.
    """
    low, high, first, last, categories = column.min, column.max, column.earliest, column.latest, column.categories
    rules = {}
    if low is not None:
        rules["min"] = ColumnRule(f"must be at least {low:.12g}", lambda s: s >= low if is_number(s) else s.notna())
    if high is not None:
        rules["max"] = ColumnRule(f"must be at most {high:.12g}", lambda s: s <= high if is_number(s) else s.notna())
    if categories is not None:
        words = f"must be one of {', '.join(categories)}"
        rules["categories"] = ColumnRule(words, lambda s: _are_among(s, categories, every_spelling))
    if first is not None:
        begin = pd.Timestamp(first)
        rules["earliest"] = ColumnRule(f"must not be before {first}", lambda s: s >= begin if is_date(s) else s.notna())
    if last is not None:
        end = pd.Timestamp(last) + pd.Timedelta(days=1)  # the last day is valid to its end
        rules["latest"] = ColumnRule(f"must not be after {last}", lambda s: s < end if is_date(s) else s.notna())
    return rules


def broken(values: pd.Series, rules: Mapping[str, ColumnRule]) -> dict[str, NDArray[np.bool_]]:
    """For each rule, in its words, which values break it; a missing value breaks none."""
    known = values.notna().to_numpy()
    found = {}
    for rule in rules.values():
        breaks = np.zeros(len(values), dtype=bool)
        breaks[known] = ~rule.holds(values[known]).to_numpy(dtype=bool)
        found[rule.words] = breaks
    return found


def missing_words(share: float) -> str:
    """The rule about the share of missing values."""
    return "must have no missing value" if share == 0 else f"must have at most {percent(share)} missing values"


def broken_columns(wanted: Collection[str], names: Sequence[str], others: Literal["allow", "refuse"]) -> list[Check]:
    """A broken rule for each wanted column that the table lacks, and for each other one where these are refused."""
    said = {
        name: f"must be a column of the table{nearest_hint(name, names, 'column')}"
        for name in wanted
        if name not in names
    }
    if others == "refuse":
        rule = "is not in validation.columns, and validation.other_columns is 'refuse'"
        said |= {name: rule for name in names if name not in wanted}
    return [Check(column=name, rule=rule, failed=0, examples=[]) for name, rule in said.items()]


def examples(values: Sequence[Any] | NDArray[Any]) -> list[str]:
    """The first few different values as text, cut short."""
    return [label(value)[:WIDTH] for value in pd.unique(pd.Series(values, dtype=object))[:EXAMPLES]]


def percent(share: float) -> str:
    """A share in percent."""
    return f"{share * 100:g}%"


def _are_among(column: pd.Series, categories: Sequence[str], every_spelling: bool) -> pd.Series:
    codes = with_spellings(categories) if every_spelling else dict.fromkeys(categories, 0)
    good = {}
    for value in column.unique():
        text = label(value)
        good[value] = (spelled(text, codes) if every_spelling else text) in codes
    return column.map(good).astype(bool)
