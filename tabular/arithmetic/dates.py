"""Dates as numbers of days. The module needs numpy alone, so that training and serving share it.

A date is a number of days since 1970-01-01 UTC with a fraction for the time of day; a moment without a time zone is
read as UTC. All functions cover the years 1 to 9999.
"""

from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from tabular.config.stages import DatePart

Floats = NDArray[np.float64]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECONDS = 86_400_000_000.0
"""Microseconds in a day."""
FIRST, LAST = -719_162.0, 2_932_896.0
"""0001-01-01 and 9999-12-31 as numbers of days."""


def days(text: str) -> float:
    """The number of days of text such as `2024-02-29`, `2024-02-29T18:30:00+01:00` or `2024-02-29 18:30` (ISO 8601).

    Raises:
        ValueError: the text has another format.
    """
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return (moment - EPOCH) // timedelta(microseconds=1) / MICROSECONDS


def iso(number: float) -> str:
    """A number of days as YYYY-MM-DD; numbers outside the years 1 to 9999 give the first or the last day."""
    number = min(max(number, FIRST), LAST)
    return (date(1970, 1, 1) + timedelta(days=int(np.floor(number)))).isoformat()


def moments(numbers: Floats) -> NDArray[np.datetime64]:
    """The dates (rows,), datetime64[us], of numbers of days (rows,); NaT for NaN."""
    holes = np.isnan(numbers)
    whole = np.round(np.where(holes, 0.0, numbers) * MICROSECONDS).astype(np.int64)
    return np.where(holes, np.datetime64("NaT"), whole.astype("datetime64[us]"))


def part(name: DatePart, numbers: Floats, reference: float) -> Floats:
    """One part of each date (rows,), float64.

    Args:
        name: `day_of_week` is 0 for a Monday, `day_of_year` is 1 for 1 January, `age` is the number of days before
            `reference`, whole if both are whole.
        numbers: numbers of days (rows,), without NaN.
        reference: number of days.
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
