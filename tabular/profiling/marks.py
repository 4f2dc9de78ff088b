"""The decimal mark of numbers, and the mark that groups their digits."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import pandas as pd

from tabular.config.reading import Decimal, Thousands
from tabular.profiling import words
from tabular.profiling.tokens import Tokens
from tabular.table import spelling

Style = tuple[Decimal, Thousands | None]
STYLES: dict[bool, tuple[Style, ...]] = {
    True: ((".", None), (".", ","), (".", " "), (".", "'"), (",", None), (",", "."), (",", " ")),
    False: ((".", None), (",", None), (",", "."), (",", " "), (".", ","), (".", " "), (".", "'")),
}
"""Ways to write numbers, by whether commas separate the values. Of equally good ones the first is taken."""
Use = Literal["decimal", "groups", "unsure"]
GROUPED = {
    ".": r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+(?:,\d*)?",
    ",": r"[+-]?(?:[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d?(?:,\d{2})+,\d{3})(?:\.\d*)?",
}
"""Numbers whose digits such a mark may group."""
DECIMAL = {mark: rf"[+-]?[^{mark}]*\{mark}\d*(?:[eE][+-]?\d+)?" for mark in GROUPED}
FIRST = 200
"""Number of different values that mostly settle what a mark does."""
SEVERAL = 5
"""Number of different grouped numbers from which on they are no coincidence."""


class MarksFound(NamedTuple):
    """How most numbers of a file are written."""

    style: Style
    uses: Mapping[str, Mapping[str, Use | None]]
    """For each column, what dots and commas do in its numbers."""
    unsure: tuple[tuple[str, str], ...]
    """Columns and marks of which nothing in the file tells what the mark does."""

    def contradicts(self, name: str, style: Style) -> bool:
        """Whether the decimal mark of a style surely groups the digits of a column."""
        return self.uses.get(name, {}).get(style[0]) == "groups"


def use(values: pd.Series, mark: str) -> Use | None:
    """What a mark does in different numbers of a column; None where no number contains it.

    It groups the digits if three of them follow each time, and either a number has several groups, or numbers below
    1,000 are written without the mark and none above is.
    """
    marked = values[values.str.contains(mark, regex=False)]
    for some in (marked.head(FIRST), marked):
        grouped = some.str.fullmatch(GROUPED[mark]).astype(bool)
        if bool(some[~grouped].str.fullmatch(DECIMAL[mark]).any()):
            return "decimal"
    marked = marked[grouped]
    if not len(marked):
        return None
    if bool((marked.str.count(r"[.,]") > 1).any()):
        return "groups"
    below, above = (bool(values.str.fullmatch(rf"[+-]?[1-9]\d{places}").any()) for places in ("{0,2}", "{3,}"))
    return "groups" if below and not above and len(marked) >= SEVERAL else "unsure"


def choose(columns: Mapping[str, Tokens], separator: str) -> MarksFound:
    """Find the way to write numbers that reads most cells, without contradicting what a mark surely does.

    Args:
        columns: those that look like numbers, without units.
    """
    uses = {
        name: {mark: use(tokens.values[tokens.are_loose()], mark) for mark in GROUPED}
        for name, tokens in columns.items()
    }
    plain, *others = STYLES[separator == ","]
    unsure = tuple((name, mark) for name, of in uses.items() for mark in of if of[mark] == "unsure")
    found = MarksFound(plain, uses, unsure)
    if not unsure and all(not found.contradicts(n, plain) and _reads_all(t, plain) for n, t in columns.items()):
        return found
    # Where commas separate the values, it is a comma that may group digits; after semicolons it is a dot.
    usual = {",": ",", ";": "."}.get(separator)
    groups = usual == "," or not any(_is_ungrouped(name, tokens) for name, tokens in columns.items())

    def score(style: Style) -> tuple[float, int]:
        shares = [_share(t, style) for name, t in columns.items() if not found.contradicts(name, style)]
        weak = [mark for _, mark in unsure if (style[0] != mark) == (groups and mark == usual)]
        return round(sum(shares), 9), len(weak)

    style = max((plain, *others), key=score)  # the first of equals
    sure = {(mark, of[mark]) for of in uses.values() for mark in of}
    return MarksFound(style, uses, tuple((name, mark) for name, mark in unsure if not _is_settled(mark, sure)))


def own(name: str, tokens: Tokens, separator: str, found: MarksFound) -> Style:
    """The way to write numbers that reads most cells of one column; that of the file, if it is as good."""
    styles = [s for s in (found.style, *STYLES[separator == ","]) if not found.contradicts(name, s)]
    return max(styles, key=lambda style: _share(tokens, style))  # the first of equals


def _is_settled(mark: str, sure: set[tuple[str, Use | None]]) -> bool:
    other = "," if mark == "." else "."
    return bool({(mark, "decimal"), (mark, "groups"), (other, "decimal")} & sure)


def _is_ungrouped(name: str, tokens: Tokens) -> bool:
    """Whether a column writes large numbers without grouping their digits; codes are never grouped."""
    is_code = words.is_code(name) or words.is_identifier(name)
    return not is_code and bool(tokens.values.str.fullmatch(r"[+-]?\d{5,}").any())


def _share(tokens: Tokens, style: Style) -> float:
    return tokens.share(spelling.are_numbers(tokens.values, *style))


def _reads_all(tokens: Tokens, style: Style) -> bool:
    """Whether every value that consists of digits and marks is a number."""
    return not bool((tokens.are_loose() & ~spelling.are_numbers(tokens.values, *style)).any())
