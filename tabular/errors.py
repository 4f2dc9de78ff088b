"""How a mistake is told to a person."""

import difflib
from collections.abc import Iterable
from typing import Final

LONGEST: Final = 500
"""Characters that are shown of what a library says."""


class UserError(Exception):
    """A mistake the user can mend: one line that says what is wrong, where, and what to do.

    The command line prints it without a stack trace and exits with code 2.
    """


def nearest(name: str, known: Iterable[str], likeness: float = 0.0) -> str | None:
    """The known name that is spelled most like `name`, or None where none is.

    Args:
        name: what was given.
        known: the names that there are.
        likeness: the least that a name must have in common with it, from 0 to 1 (see `difflib.get_close_matches`).
    """
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=likeness)
    return found[0] if found else None


def nearest_hint(name: str, known: Iterable[str], kind: str = "") -> str:
    """The end of a message about an unknown name.

    Args:
        name: what was given.
        known: the names that there are.
        kind: what they are, such as `column`; may be empty.

    Returns:
        `; the nearest column is 'age'`, or an empty text where nothing is known.
    """
    near = nearest(name, known)
    return "" if near is None else f"; the nearest {f'{kind} ' if kind else ''}is '{near}'"


def one_line(error: object) -> str:
    """What an exception or another program says, on one line of at most 500 characters.

    An exception without a message is told by the name of its class.
    """
    return " ".join(str(error).split())[:LONGEST] or type(error).__name__
