"""Numbers over time in one line of text."""

import math
from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"
GAP = "\N{MIDDLE DOT}"


def sparkline(values: Sequence[float | None], low: float | None = None, high: float | None = None) -> str:
    """One character for each value, the higher the larger it is; a dot where there is none.

    Args:
        values: None, or a number that is not finite, is a gap.
        low: what the lowest bar stands for, and all below it; the smallest value if left out.
        high: what the highest bar stands for, and all above it; the largest value if left out.
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
    # Halved first: the difference of two large numbers may be beyond what a float holds.
    share = (value / 2 - low / 2) / (high / 2 - low / 2)
    return BARS[min(max(int(share * len(BARS)), 0), len(BARS) - 1)]
