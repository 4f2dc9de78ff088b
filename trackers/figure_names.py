"""The names under which trackers are sent figures: a column may have any name, but a figure may not."""

import re
from collections.abc import Mapping

LONGEST = 250
"""Largest number of characters that MLflow takes."""


def figure_name(text: str) -> str:
    """Return a name that every tracker takes, with `_` for each character that one of them refuses.

    A slash and a colon are replaced as well: W&B would make a section of what precedes a slash, and MLflow refuses
    names that read like a path with empty parts.
    """
    return re.sub(r"[^\w.\- ]", "_", text)[:LONGEST]


def named(values: Mapping[str, float]) -> dict[str, float]:
    """Return the figures under names that every tracker takes; of two that get one name, the first is kept."""
    found: dict[str, float] = {}
    for name, value in values.items():
        found.setdefault(figure_name(name), value)
    return found
