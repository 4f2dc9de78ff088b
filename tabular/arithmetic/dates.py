"""Dates as numbers, with numpy alone: the same code when training and when serving.

A date is a number of days since 1970-01-01 UTC with a fraction for the time of day; a moment without an offset is
taken for UTC. All functions know the years 1 to 9999.
"""

from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from tabular.config.stages import DatePart

Floats = NDArray[np.float64]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECONDS = 86_400_000_000.0
"""Of a day."""
FIRST, LAST = -719_162.0, 2_932_896.0
"""0001-01-01 and 9999-12-31."""


def days(text: str) -> float:
    """A day or a moment in ISO 8601, such as `2024-02-29`, `2024-02-29T18:30:00+01:00` or `2024-02-29 18:30`.

    Raises:
        ValueError: it is something else.
    """
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return (moment - EPOCH) // timedelta(microseconds=1) / MICROSECONDS


def iso(number: float) -> str:
    """The day of a number of days, as YYYY-MM-DD; beyond the years that there are, the first or the last."""
    number = min(max(number, FIRST), LAST)
    return (date(1970, 1, 1) + timedelta(days=int(np.floor(number)))).isoformat()


def moments(numbers: Floats) -> NDArray[np.datetime64]:
    """The dates (rows,) of numbers of days, datetime64[us], NaT for NaN."""
    holes = np.isnan(numbers)
    whole = np.round(np.where(holes, 0.0, numbers) * MICROSECONDS).astype(np.int64)
    return np.where(holes, np.datetime64("NaT"), whole.astype("datetime64[us]"))


def part(name: DatePart, numbers: Floats, reference: float) -> Floats:
    """One part of each date.

    Args:
        name: `day_of_week` is 0 for a Monday, `day_of_year` is 1 for 1 January, `age` is days before `reference`,
            whole where both are days.
        numbers: rows, days, without holes.
        reference: in days.

    Returns:
        rows, float64.
    """
    kept = np.clip(numbers, FIRST, LAST)
    if name == "age":
        return np.asarray(reference - kept, dtype=np.float64)
    whole = np.floor(kept).astype(np.int64)
    dates = whole.astype("datetime64[D]")
    if name == "day_of_week":
        found = (whole + 3) % 7
    elif name == "year":
        found = dates.astype("datetime64[Y]").astype(np.int64) + 1970
    elif name == "month":
        found = dates.astype("datetime64[M]").astype(np.int64) % 12 + 1
    else:
        found = (dates - dates.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64) + 1
    return np.asarray(found, dtype=np.float64)
