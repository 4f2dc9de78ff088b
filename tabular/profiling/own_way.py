"""Columns of numbers and times that are not written as the numbers in the rest of their file."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from tabular.arithmetic.cells import CLOCK_PATTERN
from tabular.config.reading import NumberConfig, ReadingConfig
from tabular.profiling import codes, marks, tokens, units
from tabular.profiling.found import TableFinding, loud, warning
from tabular.profiling.tokens import CLEAR, LEAST, Tokens
from tabular.table import spelling

FEW = 10
"""Number of different numbers below which numbers among words may be labels."""
MANY = 3
"""Largest number of odd cells that are shown."""
EXAMPLE = 40
"""Number of characters that are shown of a value."""


class OwnWay(NamedTuple):
    """The way to read a column, and what a person should know about that."""

    how: NumberConfig
    findings: list[TableFinding]


def unit_of(of: Tokens) -> units.UnitFound | None:
    """What stands beside the numbers of a column; None if it does not look like one of numbers."""
    sample = of.head()
    if tokens.look_numeric(sample):
        return units.UnitFound("", False, {"": int(of.counts.sum())}, sample)
    return units.find(sample)


def find(
    name: str,
    of: Tokens,
    unit: units.UnitFound | None,
    marked: marks.MarksFound,
    reading: ReadingConfig,
    is_target: bool,
) -> OwnWay | None:
    """The way to read a column of numbers or times that is not written as the rest; None if it is not one."""
    if unit is not None and not unit.is_mixed:
        decimal, thousands = marks.own(name, unit.cores, reading.separator, marked)
        how = NumberConfig(units=(unit.unit,) if unit.unit else ())
        if (decimal, thousands) != marked.style:
            how = how.model_copy(update={"decimal": decimal, "thousands": thousands})
    elif bool(of.values.head(units.TRIED).str.match(CLOCK_PATTERN).any()):
        how = NumberConfig(clock=True)
    else:
        return None
    found = spelling.written_numbers(pa.array(of.values, pa.string()), how, reading)
    are = pd.Series(~np.isnan(found), index=of.values.index)
    odd = ~are & ~of.are_holes()
    different = len(np.unique(found[are]))
    is_sure = how.clock or (unit is not None and unit.is_sure)
    least = LEAST if int(odd.sum()) <= MANY else CLEAR
    if of.share(are) < least * of.share(are | odd) or (not is_sure and different < FEW) or different < int(odd.sum()):
        return None
    if not how.units and not how.clock and codes.are(name, of.values[are], of.rows(are)):
        return None
    return OwnWay(how, _told(name, of, found, odd, how, unit, marked.style, is_target))


def _told(
    name: str,
    of: Tokens,
    found: NDArray[np.float64],
    odd: pd.Series,
    how: NumberConfig,
    unit: units.UnitFound | None,
    style: marks.Style,
    is_target: bool,
) -> list[TableFinding]:
    """What a person should know about a column that is read in its own way, with the number of cells and an example."""
    are = pd.Series(~np.isnan(found), index=of.values.index)
    shown = are if how.decimal is not None else are & ~spelling.are_numbers(of.values, *style)
    longest = (of.values.str.len() * shown).idxmax()
    example = f"such as {of.values[longest]!r}, which is {found[longest]:.9g}"
    otherwise = "see data.reading.numbers; move the column to data.reading.text to keep its text"
    findings = []
    if how.clock:
        findings.append(warning(name, f"{of.rows(are):,} times, {example} hours: read as numbers; {otherwise}"))
    elif how.units:
        findings.append(
            warning(name, f"{how.units[0]!r} is taken away in {of.rows(shown):,} cells, {example}; {otherwise}")
        )
    elif shown.any():
        text = f"{of.rows(shown):,} numbers, {example}, are written in another way than in the rest of the file"
        findings.append(warning(name, f"{text}; {otherwise}"))
    if how.units and unit is not None and unit.rows.get(""):
        text = f"{unit.rows['']:,} numbers have no unit: read as if {how.units[0]!r} stood there"
        findings.append(warning(name, text))
    if odd.any():
        examples = ", ".join(repr(value)[:EXAMPLE] for value in of.values[odd].head(MANY))
        many = f" with {int(odd.sum()):,} different texts, such as" if odd.sum() > MANY else ":"
        text = f"numbers except for {of.rows(odd):,} cells{many} {examples}"
        is_told = "those rows are dropped" if is_target else "read as holes"
        findings.append((loud if is_target else warning)(name, f"{text}; {is_told}; {otherwise}"))
    return findings


def unread(name: str, of: Tokens, unit: units.UnitFound | None, reading: ReadingConfig) -> list[TableFinding]:
    """Warn of a column of numbers that cannot be read as numbers."""
    known = of.values[~of.are_holes()]
    if unit is None or not len(known) or spelling.dates(known.head(1), False) is not None:
        return []
    if unit.is_mixed:
        text = f"looks like numbers with different units ({unit.shown()}): not read as numbers; write one unit"
        return [warning(name, text)]
    odd = known[~spelling.are_numbers(known, reading.decimal, reading.thousands)]
    if not unit.unit and len(odd):
        text = f"numbers are not written as in the rest of the file, such as {repr(odd.iloc[0])[:EXAMPLE]}: mend them"
        return [warning(name, text)]
    return []
