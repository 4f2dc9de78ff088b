"""Errors and messages for people."""

import difflib
import errno
from collections.abc import Iterable
from typing import Final

LONGEST: Final = 500
"""Largest number of characters that are shown of a library's message."""
REMEDIES: Final = {
    errno.ENOSPC: "free some space on its disk",
    errno.EDQUOT: "free some space, or have your quota raised",
    errno.EFBIG: "have the limit on the size of a file raised (`ulimit -f`)",
    errno.EACCES: "correct its permissions",
    errno.EPERM: "correct its permissions",
    errno.EROFS: "make its file system writable",
    errno.EEXIST: "a file stands where a folder belongs: move it away",
    errno.ENOTDIR: "a file stands where a folder belongs: move it away",
    errno.EISDIR: "a folder stands where a file belongs: move it away",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EMFILE: "have the limit on open files raised (`ulimit -n`)",
    errno.ENFILE: "have the limit on open files raised (`ulimit -n`)",
    errno.EIO: "the disk may be damaged",
}
"""What to do about an error of the operating system that concerns a file."""


class UserError(Exception):
    """A mistake that the user can correct; the message says in one line what is wrong, where, and what to do.

    The command line prints it without a stack trace and exits with code 2.
    """


def nearest(name: str, known: Iterable[str], likeness: float = 0.0) -> str | None:
    """The known name with the most similar spelling; None where no name is similar enough.

    Args:
        name: the unknown name.
        known: the known names.
        likeness: least similarity, from 0 to 1 (see `difflib.get_close_matches`).
    """
    matcher, best = difflib.SequenceMatcher(b=name), (likeness, "")
    for other in known:
        matcher.set_seq1(other)
        # Both are cheap upper bounds of the similarity, so that few of many names are compared in full.
        if matcher.real_quick_ratio() >= best[0] and matcher.quick_ratio() >= best[0]:
            best = max(best, (matcher.ratio(), other))
    return best[1] or None


def nearest_hint(name: str, known: Iterable[str], kind: str = "") -> str:
    """The end of a message about an unknown name.

    Args:
        name: the unknown name.
        known: the known names.
        kind: what is named, such as `column`; may be empty.

    Returns:
        A text such as `; the nearest column is 'age'`; empty where no name is known.
    """
    near = nearest(name, known)
    return "" if near is None else f"; the nearest {f'{kind} ' if kind else ''}is '{near}'{told_apart(name, near)}"


def told_apart(name: str, near: str) -> str:
    """For two names that may look the same, such as with a Latin and a Cyrillic letter, both as they are spelled.

    The text is empty where they do not: a letter outside ASCII must stand in one of them for a letter in ASCII.
    """
    pairs = [(ours, theirs) for ours, theirs in zip(name, near, strict=False) if ours != theirs]
    if (
        len(name) != len(near)
        or not 0 < len(pairs) < len(name)
        or not all(ours.isascii() != theirs.isascii() for ours, theirs in pairs)
    ):
        return ""
    return f", which is spelled {near!a} and not {name!a}"


def one_line(error: object) -> str:
    """The message of an exception or of another program, in one line of at most `LONGEST` characters.

    For an exception without a message, this is the name of its class.
    """
    return " ".join(str(error).split())[:LONGEST] or type(error).__name__


def reason_of(error: OSError) -> str:
    """The words of the operating system, such as `permission denied`."""
    return (error.strerror or one_line(error)).lower()


def remedy_of(error: OSError) -> str:
    """What the user can do about an error of the operating system that concerns a file."""
    return REMEDIES.get(error.errno or 0, "correct the path or its permissions")
