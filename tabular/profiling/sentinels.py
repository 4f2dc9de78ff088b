"""Numbers that may stand for a missing value, such as -200 among temperatures: far from all others, and repeated."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MOST = 4
"""The largest number of them that are looked for in one column."""
OTHERS = 3
"""The smallest number of different other values from which a number can be far away."""
NEAR = 10
"""Number of nearest other values that show how values are spaced, and how often each occurs, near the edge."""
REPEATED, MANY = 3, 5
"""Rows from which on a number repeats, beyond the range of all others and within it."""
SPACES = 3
"""Number of times that the gap must be wider than the widest space near the edge, where a number lies near others."""
FEW = 10
"""Number of times that the gap must be wider than the range of all others, if these are few, such as list prices."""
OFTEN = 3
"""Number of times that it must be more frequent than any other value near the edge."""
HALF, TENTH = 0.5, 0.1
LIMITS = frozenset({-1.0, 32767.0, -32768.0, 65535.0, 2147483647.0, -2147483648.0})
HUGE = 1e15


def find(column: pd.Series) -> dict[float, int]:
    """The numbers of a column that may stand for a missing value, with the rows that have them.

    A number beyond a gap wider than the range of all others is one, if it is repeated. Nearer to the others it must
    also be more frequent than any value near it: then 0 among positive numbers is one, and -1 or any other single
    negative number. A cap, the zeros of a count, and outliers that do not repeat are none.
    """
    numbers = column.to_numpy(dtype=np.float64)
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers) or all(int((numbers == edge).sum()) < 2 for edge in (numbers.min(), numbers.max())):
        return {}
    values, rows = np.unique(numbers, return_counts=True)
    found: dict[float, int] = {}
    while len(found) < MOST and len(values) > OTHERS:
        if _is_apart(values[::-1], rows[::-1], is_low=False):
            place = -1
        elif _is_apart(values, rows, is_low=True):
            place = 0
        else:
            break
        found[float(values[place])] = int(rows[place])
        values, rows = np.delete(values, place), np.delete(rows, place)
    return found


def _is_apart(values: NDArray[np.float64], rows: NDArray[np.int64], is_low: bool) -> bool:
    """Whether the first of different values, in the order of their distance, may stand for a missing value."""
    value, others, near = float(values[0]), values[1:], values[1 : NEAR + 1]
    made_up = _is_made_up(value)
    gap, span = abs(value - others[0]), abs(others[-1] - others[0])
    if rows[0] < (2 if made_up else REPEATED) or (value == 0 and rows[0] > HALF * rows.sum()):
        return False
    factor = 1 if len(others) >= NEAR else FEW
    if gap > factor * span and not _grows(value, near):
        return True
    if rows[0] < max(MANY, OFTEN * rows[1 : NEAR + 1].max()):
        return False
    if is_low and value < 0 <= others.min() and made_up:
        return True
    is_wide = gap >= SPACES * np.abs(np.diff(near)).max()
    if value == 0:
        return bool(is_low and is_wide and gap >= TENTH * np.median(others))
    return bool(is_wide and (made_up or (is_low and value < 0)))


def _grows(value: float, near: NDArray[np.float64]) -> bool:
    """Whether positive values grow by factors, as 1, 10, 100, 1000 do, so that the next one is always far away."""
    if value <= 0 or near.min() <= 0 or value < near[0]:
        return False
    return bool(np.log(value / near[0]) <= 2 * -np.diff(np.log(near)).min())


def _is_made_up(value: float) -> bool:
    """Whether people or programs use such a number for a missing value: -1, -99, 999, 8888, 1e20, -32768, ..."""
    digits = f"{abs(value):.0f}"
    is_repeated = value == int(value) and len(set(digits)) == 1 and digits[0] in "789"
    return value in LIMITS or abs(value) >= HUGE or (is_repeated and (value < 0 or len(digits) >= 3))
