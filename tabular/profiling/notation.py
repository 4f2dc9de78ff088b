"""How numbers, dates, codes and holes are spelled in a table."""

from typing import NamedTuple

import pandas as pd

from tabular.arithmetic.cells import INFINITE, MISSING, WHOLE
from tabular.config.reading import Decimal, ReadingConfig, Thousands
from tabular.profiling import words
from tabular.profiling.found import TableFinding, warning
from tabular.table import spelling

Style = tuple[Decimal, Thousands | None]
STYLES: dict[bool, tuple[Style, ...]] = {
    True: ((".", None), (".", ","), (".", " "), (".", "'"), (",", None), (",", "."), (",", " ")),
    False: ((".", None), (",", None), (",", "."), (",", " "), (".", ","), (".", " "), (".", "'")),
}
"""Ways to write numbers, by whether commas separate the values. Of equally good ones the first is taken."""
HOLES = frozenset(
    {
        "na", "n/a", "n.a.", "#n/a", "nan", "null", "<na>", "(null)", "nil", "?", "??", "-", "--", "---", ".", "..",
        "...", "–", "—", "missing", "#null!", "#value!", "#div/0!", "#ref!", "\\n", "0000-00-00",
    }
)  # fmt: skip
"""Spellings of a hole in a column of any kind, in lower case."""
MARKS = frozenset({"-", "--", ".", "–", "—"})
"""Those spellings that may be a label as well: beside a plus, or in a target with only one other value."""
ODD = 5
"""The largest number of different words among the numbers of a column; these words are holes."""
MOSTLY = 0.9
"""Share of numbers from which on a column is numeric."""
SAMPLE = 5000
"""Number of different values of a column by which the spelling of its numbers is judged."""
FEW = 10
"""Number of different values below which apparent numbers with a unit may be labels."""
EXAMPLE = 40
"""Number of characters that are shown of a value."""
WIDEST = 18
"""Number of digits that always fit into 64 bits."""
UNIT = r"(?:[$€£¥]\s?)?[+-]?\d[\d.,' ]*\s?(?:%|[$€£¥]|[A-Za-z]{1,4}\.?)?"
_BLANKS = " \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"  # not every engine of regular expressions reads their escapes
LOOSE = rf"[+-]?[\d.,'{_BLANKS}]*\d[\d.,'{_BLANKS}]*(?:[eE][+-]?\d+)?"


class Tokens(NamedTuple):
    """The different values of one column with their counts, without the usual spellings of a hole."""

    values: pd.Series
    counts: pd.Series
    usual: frozenset[str]
    """The usual spellings of a hole that the column contains."""

    def share(self, chosen: pd.Series) -> float:
        """The share of rows, 0 to 1, that contain one of the chosen values."""
        total = int(self.counts.sum())
        return float(self.counts[chosen.to_numpy()].sum()) / total if total else 0.0


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
    counted = {str(name): _tokens(cells[name]) for name in cells.columns}
    style = _style(counted, reading.separator == ",")
    holes: set[str] = set()
    classes: set[str] = set()
    findings: list[TableFinding] = []
    numeric: set[str] = set()
    for name, tokens in counted.items():
        odd = _odd(tokens, style)
        if odd is not None:
            numeric.add(name)
            holes |= set(odd)
            findings += _odd_words(name, odd, tokens)
        else:
            ours = _holes_of_text(tokens)
            if name == target and len(set(tokens.values) - ours) < 2:
                ours -= MARKS
            holes |= ours
            if name == target:
                classes = set(tokens.values) - ours
                classes |= tokens.usual & {"None"}
            findings += _unit(name, tokens)
    found = holes.union(*(tokens.usual for tokens in counted.values())) - classes
    findings += [_clash(name, label) for name in sorted(numeric) for label in sorted(classes & counted[name].usual)]
    usual = found <= MISSING and not classes & MISSING
    dates, day_first, text = [], False, []
    for name, tokens in counted.items():
        known = tokens.values[~tokens.values.isin(found)]
        if name == target or not len(known):
            continue
        if name not in numeric or _is_compact_date(name, known):
            if _is_date(known):
                dates.append(name)
                if spelling.is_ambiguous(known):
                    # Where decimal commas are written, the day usually comes first.
                    day_first = style[0] == "," or reading.separator == ";"
                    findings.append(_ambiguity(name, known, day_first))
        elif is_code(name, known, int(tokens.counts.sum())):
            text.append(name)
    settled = reading.model_copy(
        update={
            "decimal": style[0],
            "thousands": style[1],
            "missing": None if usual else tuple(sorted(found)),
            "dates": tuple(dates),
            "day_first": day_first,
            "text": tuple(text),
        }
    )
    return settled, findings


def is_code(name: str, known: pd.Series, rows: int) -> bool:
    """Whether numbers are codes: 007, more digits than a number can have, or whole numbers under the name of a code.

    Args:
        known: its different values as text.
    """
    if not bool(known.str.fullmatch(rf"{WHOLE}(\.0+)?").all()):
        return False
    if bool(known.str.match(r"0\d").any()) or bool((known.str.len() > WIDEST).any()):
        return True
    named = words.is_code(name) or words.is_identifier(name)
    # If nearly every row has a value of its own, the values identify rows, and are not categories.
    return named and 2 < len(known) <= rows / 2


def _tokens(column: pd.Series) -> Tokens:
    counts = column.value_counts()
    usual = frozenset(counts.index[counts.index.isin(MISSING)])
    counts = counts[~counts.index.isin(["", *MISSING])]
    return Tokens(pd.Series(counts.index, dtype="str"), counts, usual)


def _style(counted: dict[str, Tokens], by_commas: bool) -> Style:
    """The way to write numbers that makes most columns numeric, with the fewest odd words."""
    sampled = {name: Tokens(t.values.head(SAMPLE), t.counts.head(SAMPLE), t.usual) for name, t in counted.items()}
    loose = [name for name, t in sampled.items() if _looks_numeric(t)]
    plain, *others = STYLES[by_commas]
    if all(_odd(sampled[name], plain) is not None for name in loose):
        return plain

    def score(style: Style) -> tuple[int, int]:
        odd = [_odd(sampled[name], style) for name in loose]
        return sum(o is not None for o in odd), -sum(len(o) for o in odd if o is not None)

    return max((plain, *others), key=score)  # the first of equals


def _looks_numeric(tokens: Tokens) -> bool:
    """Whether most values consist of digits and marks, whatever the marks mean."""
    holes = tokens.values.str.lower().isin(HOLES)
    are = tokens.values.str.fullmatch(LOOSE).astype(bool)
    return bool(are.any()) and tokens.share(are | holes) >= MOSTLY


def _odd(tokens: Tokens, style: Style) -> list[str] | None:
    """The few words among the numbers of a column; None if the column is not numeric."""
    if not len(tokens.values):
        return None
    are = spelling.are_numbers(tokens.values, *style)
    odd = ~are & ~tokens.values.str.lower().isin([*HOLES, *(word.lower() for word in INFINITE)])
    few = int(odd.sum()) <= min(ODD, int(are.sum()))
    return list(tokens.values[~are]) if are.any() and few and tokens.share(~odd) >= MOSTLY else None


def _holes_of_text(tokens: Tokens) -> set[str]:
    lower = tokens.values.str.lower()
    holes = set(tokens.values[lower.isin(HOLES)])
    return holes - MARKS if "+" in set(tokens.values) else holes  # plus and minus are labels


def _odd_words(name: str, odd: list[str], tokens: Tokens) -> list[TableFinding]:
    strange = [word for word in odd if word.lower() not in HOLES]
    if not strange:
        return []
    rows = int(tokens.counts[tokens.values.isin(strange).to_numpy()].sum())
    shown = ", ".join(repr(word) for word in strange)
    return [warning(name, f"numeric except for {shown} in {rows:,} rows: read as holes")]


def _clash(name: str, label: str) -> TableFinding:
    text = (
        f"its holes are spelled {label!r}, and so is a class of the target: read as text; spell one of them otherwise"
    )
    return warning(name, text)


def _unit(name: str, tokens: Tokens) -> list[TableFinding]:
    """Warn of a column of numbers that cannot be read as numbers."""
    known = tokens.values[~tokens.values.str.lower().isin(HOLES)]
    if not len(known):
        return []
    example = repr(known.iloc[0])[:EXAMPLE]
    if _looks_numeric(tokens) and spelling.dates(known.head(1), False) is None:
        text = f"numbers are not written as in the rest of the file, such as {example}: mend them"
        return [warning(name, text)]
    with_unit = tokens.values.str.fullmatch(UNIT).astype(bool) & ~tokens.values.str.fullmatch(r"[\d.,' ]+").astype(bool)
    if tokens.share(with_unit) < MOSTLY or len(known) < FEW:
        return []
    text = f"looks like numbers with a unit, such as {example}: take the unit away to use them"
    return [warning(name, text)]


def _is_compact_date(name: str, known: pd.Series) -> bool:
    return words.is_date(name) and bool(known.str.fullmatch(r"(19|20)\d{6}").all())


def _is_date(known: pd.Series) -> bool:
    # A value that can be read with the day first can also be read with the month first, or is read so in the end.
    return spelling.dates(known.head(20), False) is not None and spelling.dates(known, False) is not None


def _ambiguity(name: str, known: pd.Series, day_first: bool) -> TableFinding:
    order = "the day first" if day_first else "the month first"
    text = f"dates such as {known.iloc[0]!r} can be read in two ways: read with {order}; see data.reading.day_first"
    return warning(name, text)
