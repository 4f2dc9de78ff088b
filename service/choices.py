"""Which of the loaded models answers a request, and what changes when another one takes its place."""

import hashlib
import time
from dataclasses import dataclass

from tabular.bundles.bundle import Bundle
from tabular.bundles.loading import Loaded

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds until a failed attempt is repeated, after the first failure and after many."""
SOURCES = {
    "manifest": "the release manifest",
    "last_good": "the last good copy on disk",
    "bento": "the Bento's own bundle",
    "baseline": "a baseline",
}


@dataclass(frozen=True)
class Choice:
    """The models that answer, and how requests are split between them."""

    champion: Loaded
    challenger: Loaded | None = None
    share: float = 0.0
    """Share of the requests that the challenger answers."""
    revision: int | None = None
    """Revision of the manifest; None for a fallback."""


class Pause:
    """The time to wait between attempts; it doubles with each failure."""

    def __init__(self) -> None:
        self._length, self._until = FIRST_PAUSE, 0.0

    def lengthen(self) -> None:
        """Wait after a failure."""
        self._until = time.monotonic() + self._length
        self._length = min(2 * self._length, LONGEST_PAUSE)

    def is_over(self) -> bool:
        """Whether another attempt is due."""
        return time.monotonic() >= self._until


def position(key: str) -> float:
    """A number in [0, 1) that depends on the key alone, and so is the same in every process."""
    return int.from_bytes(hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=6).digest()) / 2**48


def changes(before: Bundle, after: Bundle) -> list[str]:
    """The differences between the inputs of two models that clients may notice, in words."""
    kinds = {column.name: column.kind for column in after.columns}
    said = []
    for column in before.columns:
        if column.name not in kinds:
            said.append(f"{after.name} {after.version} no longer takes '{column.name}', which {before.version} took")
        elif kinds[column.name] != column.kind:
            said.append(f"'{column.name}' is a {kinds[column.name]} now; for {before.version} it was a {column.kind}")
    return said
