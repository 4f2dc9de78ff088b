"""Which of the loaded models answers, and what changes between two of them."""

import hashlib
import time
from dataclasses import dataclass

from tabular.bundles.bundle import Bundle
from tabular.bundles.loading import Loaded

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds until what failed is tried again, at first and after many times; a new manifest is tried at once."""


@dataclass(frozen=True)
class Choice:
    """Who answers."""

    champion: Loaded
    challenger: Loaded | None = None
    share: float = 0.0
    """Of the requests, for the challenger."""
    revision: int | None = None


class Pause:
    """When to try again: after twice as long each time."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Try at once, and begin with the first length again."""
        self._length, self._until = FIRST_PAUSE, 0.0

    def lengthen(self) -> None:
        """It failed."""
        self._until = time.monotonic() + self._length
        self._length = min(2 * self._length, LONGEST_PAUSE)

    def is_over(self) -> bool:
        """Whether to try again now."""
        return time.monotonic() >= self._until


SOURCES = {
    "manifest": "the release manifest",
    "last_good": "the last good copy on disk",
    "bento": "the Bento's own bundle",
    "baseline": "a baseline",
}


def position(key: str) -> float:
    """A number in [0, 1) that depends on nothing but the key, in any process."""
    return int.from_bytes(hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=6).digest()) / 2**48


def same(one: Loaded, other: Loaded) -> bool:
    """Whether both give the same answers."""
    return (one.sha256, one.degraded) == (other.sha256, other.degraded)


def changes(before: Bundle, after: Bundle) -> list[str]:
    """What callers of the model before may notice in the inputs of the one after."""
    kinds = {column.name: column.kind for column in after.columns}
    said = []
    for column in before.columns:
        if column.name not in kinds:
            said.append(f"{after.name} {after.version} no longer takes '{column.name}', which {before.version} took")
        elif kinds[column.name] != column.kind:
            said.append(f"'{column.name}' is a {kinds[column.name]} now; for {before.version} it was a {column.kind}")
    return said
