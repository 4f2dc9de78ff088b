"""A chart of numbers over time in one line of text."""

import math
from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"
GAP = "\N{MIDDLE DOT}"


def sparkline(values: Sequence[float | None], low: float | None = None, high: float | None = None) -> str:
    """Draw one character for each value, higher for larger values, and a dot for a missing one.

    Args:
        values: the numbers; None, or a number that is not finite, is a missing value.
        low: value of the lowest bar, which also stands for all smaller values; the smallest value by default.
        high: value of the highest bar, which also stands for all larger values; the largest value by default.
    """
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return GAP * len(values)
    bottom, top = (min(known) if low is None else low), (max(known) if high is None else high)
    return "".join(_bar(value, bottom, top) for value in values)


def _bar(value: float | None, low: float, high: float) -> str:
    if value is None or not math.isfinite(value):
        return GAP
    if high <= low:
        return BARS[0] if value <= low else BARS[-1]
    # Halved first, because the difference of two large numbers may exceed the range of a float.
    share = (value / 2 - low / 2) / (high / 2 - low / 2)
    return BARS[min(max(int(share * len(BARS)), 0), len(BARS) - 1)]
