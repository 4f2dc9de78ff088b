"""How numbers, dates, codes and holes are spelled in a table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pandas as pd

from tabular.arithmetic.cells import INFINITE, MISSING, date_forms
from tabular.config.reading import NumberConfig, ReadingConfig
from tabular.profiling import codes, marks, own_way, tokens, words
from tabular.profiling.found import TableFinding, loud, note, warning
from tabular.profiling.tokens import HOLES, MOSTLY, Tokens
from tabular.table import spelling

DASHES = frozenset({"-", "--", ".", "–", "—"})
"""Spellings of a hole that may be a label as well: beside a plus, or in a target with only one other value."""
ODD = 5
"""The largest number of different words that are spellings of a hole in the whole file, as numbers of a column show."""
SHOWN = 10
"""Number of columns that are named in one finding."""


@dataclass
class _Read:
    """What is known about the columns so far."""

    findings: list[TableFinding]
    holes: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)
    numeric: set[str] = field(default_factory=set)
    """Columns whose numbers are written as in the rest of the file."""
    numbers: dict[str, NumberConfig] = field(default_factory=dict)


def trimmed(cells: pd.DataFrame) -> bool:
    """Whether there are blanks around names or values."""
    if any(str(name) != str(name).strip() for name in cells.columns):
        return True
    return any(bool((cells[name] != cells[name].str.strip()).any()) for name in cells.columns)


def settle(cells: pd.DataFrame, reading: ReadingConfig, target: str) -> tuple[ReadingConfig, list[TableFinding]]:
    """Decide how numbers, dates, codes and holes are spelled, and find what a person should know about that.

    Args:
        cells: all cells of a CSV as text, or the text columns of a Parquet file; trimmed if `reading` says so.
        reading: the settings that are known already: encoding, separator and trim.
        target: name of the target. A word among its values may be a class, and is a hole only if it cannot be one.
    """
    counted = {str(name): tokens.of(cells[name]) for name in cells.columns}
    with_units = {name: own_way.unit_of(of) for name, of in counted.items()}
    looks = {name: found.cores for name, found in with_units.items() if found is not None and not found.is_mixed}
    marked = marks.choose(looks, reading.separator)
    reading = reading.model_copy(update={"decimal": marked.style[0], "thousands": marked.style[1]})
    read = _Read(findings=_marks_found(marked, looks))
    for name, of in counted.items():
        unit = with_units[name]
        odd = None if marked.contradicts(name, marked.style) else _odd(of, marked.style)
        if odd is not None:
            read.numeric.add(name)
            read.holes |= set(odd)
            read.findings += _odd_words(name, odd, of)
        elif (own := own_way.find(name, of, unit, marked, reading, name == target)) is not None:
            read.numbers[name] = own.how
            read.findings += own.findings
        else:
            read.findings += own_way.unread(name, of, unit, reading)
            _add_text(read, of, name == target)
    found = read.holes.union(*(of.usual for of in counted.values())) - read.classes
    read.findings += [
        _clash(name, label) for name in sorted(read.numeric) for label in sorted(read.classes & counted[name].usual)
    ]
    inputs = {name: of for name, of in counted.items() if name != target and name not in read.numbers}
    reading = _with_dates_and_codes(reading, inputs, found, read)
    usual = found <= MISSING and not read.classes & MISSING
    settled = reading.model_copy(
        update={"missing": None if usual else tuple(sorted(found)), "numbers": read.numbers},
    )
    return settled, [*read.findings, *_changes(settled, counted, found - MISSING)]


def _add_text(read: "_Read", of: Tokens, is_target: bool) -> None:
    """Add the holes of a column of text, and the classes of the target."""
    holes = set(of.values[of.are_holes()])
    if "+" in set(of.values) or (is_target and len(set(of.values) - holes) < 2):  # plus and minus are labels
        holes -= DASHES
    read.holes |= holes
    if is_target:
        read.classes = (set(of.values) - holes) | (of.usual & {"None"})


def _with_dates_and_codes(
    reading: ReadingConfig, inputs: Mapping[str, Tokens], holes: set[str], read: "_Read"
) -> ReadingConfig:
    """The settings with the columns of dates and of codes, and the way in which both are read."""
    dates, text, day_first, until = [], [], False, {}
    for name, of in inputs.items():
        known = of.values[~of.values.isin(holes)]
        if not len(known):
            continue
        if name in read.numeric and not _is_compact_date(name, known):
            if codes.are(name, known, int(of.counts.sum())):
                text.append(name)
        elif _is_date(known):
            dates.append(name)
            # Where decimal commas are written, the day usually comes first.
            first = reading.decimal == "," or reading.separator == ";"
            if spelling.is_ambiguous(known):
                day_first = first
                read.findings.append(_ambiguity(name, known, first))
            if (last := _short_years_until(known, first)) is not None:
                until[name] = last
    latest = min(until.values(), default=spelling.LATEST)
    read.findings += [
        _short_years(name, inputs[name].values[~inputs[name].values.isin(holes)], day_first, latest) for name in until
    ]
    return reading.model_copy(
        update={"dates": tuple(dates), "text": tuple(text), "day_first": day_first, "short_years_until": latest}
    )


def _odd(of: Tokens, style: marks.Style) -> list[str] | None:
    """The few words among the numbers of a column; None if the column is not numeric."""
    if not len(of.values):
        return None
    are = spelling.are_numbers(of.values, *style)
    odd = ~are & ~of.values.str.lower().isin([*HOLES, *(word.lower() for word in INFINITE)])
    few = int(odd.sum()) <= min(ODD, int(are.sum()))
    is_numeric = are.any() and few and of.share(~odd) >= MOSTLY and not (odd & of.are_loose()).any()
    return list(of.values[~are]) if is_numeric else None


def _marks_found(marked: marks.MarksFound, looks: dict[str, Tokens]) -> list[TableFinding]:
    """Tell where digits are grouped by dots alone, and where nothing tells what a mark does."""
    findings = []
    decimal, thousands = marked.style
    grouped = [name for name, uses in marked.uses.items() if uses.get(str(thousands)) == "groups"]
    is_plain = any(uses[decimal] == "decimal" for uses in marked.uses.values())
    if thousands is not None and grouped and not is_plain:
        example = next(value for value in looks[grouped[0]].values if thousands in value)
        text = (
            f"{thousands!r} groups the digits of whole numbers: {example!r} is read as {example.replace(thousands, '')}"
        )
        findings.append(warning(None, f"{text}; see data.reading.thousands"))
    for name, mark in marked.unsure:
        example = next(value for value in looks[name].values if mark in value)
        large, small = example.replace(mark, ""), example.replace(mark, ".")
        is_grouped = marked.style[0] != mark
        text = (
            f"nothing tells whether {example!r} is {large} or {small}: read as {large if is_grouped else small}; "
            f"if this is wrong, set data.reading.numbers: {{{name}: {{decimal: "
        )
        text += f"'{mark}'}}}}" if is_grouped else f"'{',' if mark == '.' else '.'}', thousands: '{mark}'}}}}"
        findings.append(loud(name, text))
    return findings


def _odd_words(name: str, odd: list[str], of: Tokens) -> list[TableFinding]:
    strange = [word for word in odd if word.lower() not in HOLES]
    if not strange:
        return []
    rows = of.rows(of.values.isin(strange))
    shown = ", ".join(repr(word) for word in strange)
    return [warning(name, f"numeric except for {shown} in {rows:,} rows: read as holes")]


def _clash(name: str, label: str) -> TableFinding:
    text = (
        f"its holes are spelled {label!r}, and so is a class of the target: read as text; spell one of them otherwise"
    )
    return warning(name, text)


def _is_compact_date(name: str, known: pd.Series) -> bool:
    return words.is_date(name) and bool(known.str.fullmatch(r"(19|20)\d{6}").all())


def _is_date(known: pd.Series) -> bool:
    # A value that can be read with the day first can also be read with the month first, or is read so in the end.
    return spelling.dates(known.head(20), False) is not None and spelling.dates(known, False) is not None


def _ambiguity(name: str, known: pd.Series, day_first: bool) -> TableFinding:
    order = "the day first" if day_first else "the month first"
    text = f"dates such as {known.iloc[0]!r} can be read in two ways: read with {order}; see data.reading.day_first"
    return warning(name, text)


def _short_years_until(known: pd.Series, day_first: bool) -> str | None:
    """The last day that dates with years of two digits can mean; None where their years have four.

    A day after today is of the century before, unless the dates then lie farther apart: a contract may end next year.
    """
    if not any("%y" in form for form in date_forms(str(known.iloc[0]), day_first)):
        return None
    today = datetime.now(UTC).date().isoformat()
    usual, until_today = (spelling.dates(known, day_first, until) for until in (spelling.LATEST, today))
    if usual is None or until_today is None or usual.max() < pd.Timestamp(today) + pd.Timedelta(days=1):
        return spelling.LATEST
    is_nearer = until_today.max() - until_today.min() > 1.5 * (usual.max() - usual.min())
    return spelling.LATEST if is_nearer else today


def _short_years(name: str, known: pd.Series, day_first: bool, until: str) -> TableFinding:
    moments = spelling.dates(known, day_first, until)
    assert moments is not None  # as `_is_date` has found
    first, last = moments.idxmin(), moments.idxmax()
    text = (
        f"years of two digits: {known[first]!r} is read as {moments[first].date()}, {known[last]!r} as "
        f"{moments[last].date()}; see data.reading.short_years_until"
    )
    return warning(name, text)


def _changes(reading: ReadingConfig, counted: Mapping[str, Tokens], holes: set[str]) -> list[TableFinding]:
    """Tell which columns are read as dates or codes and which cells are holes, with the number of cells."""
    cells = {name: int(of.counts.sum()) for name, of in counted.items()}
    empty = {name: of.rows(of.values.isin(holes)) for name, of in counted.items() if name not in reading.numbers}
    told = {
        "read as dates; see data.reading.dates": {name: cells[name] for name in reading.dates},
        "read as text, because they are codes; see data.reading.text": {name: cells[name] for name in reading.text},
        f"read as holes ({', '.join(sorted(holes))}); see data.reading.missing": empty,
    }
    return [note(None, f"{_listed(columns)}: {what}") for what, columns in told.items() if any(columns.values())]


def _listed(columns: Mapping[str, int]) -> str:
    shown = [f"{name} ({cells:,} cells)" for name, cells in columns.items() if cells]
    return ", ".join(shown[:SHOWN]) + (f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else "")
