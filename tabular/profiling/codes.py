"""Numbers that are codes, which have no order and are read as text."""

import pandas as pd

from tabular.arithmetic.cells import WHOLE
from tabular.profiling import words

WIDEST = 18
"""Number of digits that always fit into 64 bits."""


def are(name: str, known: pd.Series, rows: int) -> bool:
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
