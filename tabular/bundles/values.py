"""Single values and single columns of untrusted input, as numbers and codes; a refusal names its place."""

import contextlib
import math
import sys
from collections.abc import Sequence
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from tabular.arithmetic.cells import label, number
from tabular.arithmetic.dates import days

LARGEST: Final = sys.float_info.max
NO_VALUE: Final = -2
"""Code of a missing category, until the encoder replaces it with its own."""
SHOWN: Final = 40
"""Largest number of characters of a value or a name in an error."""
LONGEST_DATE: Final = 64
"""Largest number of characters of a date. ISO 8601 allows any number of digits for the fraction of a second."""
_NUMBERS: Final = frozenset({float, int, type(None)})
_TEXTS: Final = frozenset({str, type(None)})
_CATEGORY: Final = frozenset({str, bool, int, float, type(None)})


class BadInput(ValueError):
    """Input that is refused.

    Args:
        problem: what is wrong, in a few words that follow the name of the field.
        field: name of the column, if the problem lies in one column.
        row: number of the row, counted from 0, if the problem lies in one row.
        code: kind of the mistake, for programs.
    """

    def __init__(
        self, problem: str, remedy: str, field: str | None = None, row: int | None = None, code: str = "invalid_value"
    ) -> None:
        super().__init__(problem)
        self.problem, self.remedy, self.field, self.row, self.code = problem, remedy, field, row, code


def to_numbers(values: Any, name: str) -> NDArray[np.float64]:
    """Convert one number column to float64, NaN where a value is missing.

    Args:
        values: a list of JSON values, where null is missing, or an array of float64, where NaN is missing.

    Raises:
        BadInput: a value is not a finite number.
    """
    is_array = isinstance(values, np.ndarray)
    numbers: NDArray[np.float64]
    if is_array:
        numbers = values.astype(np.float64)
        missing = int(np.isnan(numbers).sum())
    else:
        if not _NUMBERS.issuperset(map(type, values)):
            index = next(i for i, value in enumerate(values) if type(value) not in _NUMBERS)
            refuse_number(values[index], name, index)
        try:
            numbers = np.array(values, dtype=np.float64)
        except OverflowError:
            numbers = np.array(
                [np.nan if value is None else to_number(value, name, i) for i, value in enumerate(values)]
            )
        missing = values.count(None)
    bad = ~np.isfinite(numbers)
    if int(bad.sum()) != missing:
        holes = np.isnan(numbers) if is_array else np.array([value is None for value in values])
        index = int(np.flatnonzero(bad & ~holes)[0])
        to_number(float(numbers[index]), name, index)
    return numbers


def parse_numbers(texts: Sequence[str], name: str) -> NDArray[np.float64]:
    """Convert the cells of one CSV column to float64, NaN where a cell is empty. Raises BadInput as `to_numbers`."""
    together = "".join(texts)
    if "_" not in together and together.isascii():  # the usual case at once, which is faster than text by text
        with contextlib.suppress(ValueError):
            found = np.array([float(text) if text else math.nan for text in texts])
            if int(np.isfinite(found).sum()) + texts.count("") == len(texts):
                return found
    numbers = [number(text) if text else math.nan for text in texts]
    if None in numbers:
        row = numbers.index(None)
        problem = f"must be a finite number, not {shown(texts[row])}"
        raise BadInput(problem, "send a number, or an empty cell where it is missing", name, row)
    return np.array(numbers, dtype=np.float64)


def to_days(values: Sequence[Any], name: str) -> NDArray[np.float64]:
    """Convert one column of dates to numbers of days, NaN where a date is missing."""
    return np.array([math.nan if value is None else to_day(value, name, i) for i, value in enumerate(values)])


def to_day(value: Any, name: str, row: int | None) -> float:
    """Convert one date that is not missing to a number of days (see `tabular.arithmetic.dates`).

    Raises:
        BadInput: the value is not a date in ISO 8601.
    """
    remedy = "send text such as 2024-02-29 or 2024-02-29T18:30:00+01:00, or null where it is missing"
    if type(value) is not str:
        raise BadInput(f"must be a date as ISO 8601 text, not {shown(value)}", remedy, name, row, "invalid_type")
    try:
        return days(value if len(value) <= LONGEST_DATE else "")
    except ValueError:
        raise BadInput(f"must be a date in ISO 8601, not {shown(value)}", remedy, name, row) from None


def to_number(value: float, name: str, row: int | None) -> float:
    """Convert one number that is not missing to float64.

    Raises:
        BadInput: the number is not finite, or too large for float64.
    """
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise BadInput(
            "must be a finite number", "send a number of float64's range, or null where it is missing", name, row
        )
    return number


def to_codes(values: Sequence[Any], lookup: dict[str, int], name: str) -> NDArray[np.int32]:
    """Convert one category column to codes: -1 for an unknown category, -2 for a missing one.

    Args:
        values: JSON values, where null is missing.

    Raises:
        BadInput: a value is not a category.
    """
    known: dict[Any, int] = {**lookup, None: NO_VALUE}
    if _TEXTS.issuperset(map(type, values)):
        return np.array([known.get(value, -1) for value in values], dtype=np.int32)
    return np.array(
        [NO_VALUE if value is None else to_code(value, lookup, name, i) for i, value in enumerate(values)],
        dtype=np.int32,
    )


def to_code(value: Any, lookup: dict[str, int], name: str, row: int | None) -> int:
    """The code of one category that is not missing, -1 if it is unknown. A number is looked up as `3` and as `3.0`.

    Raises:
        BadInput: the value is not a category.
    """
    if type(value) not in _CATEGORY:
        problem = f"must be a category as text, not {shown(value)}"
        raise BadInput(problem, "send text, or null where it is missing", name, row, "invalid_type")
    if type(value) is float or type(value) is int:
        number = to_number(value, name, row)
        return lookup.get(label(value), lookup.get(str(number), -1))
    return lookup.get(str(value), -1)


def refuse_number(value: Any, name: str, row: int | None) -> NoReturn:
    """Raise BadInput for a value that is not a number at all."""
    problem = f"must be a number, not {shown(value)}"
    remedy = "send a JSON number without quotes, or null where it is missing"
    raise BadInput(problem, remedy, name, row, "invalid_type")


def shown(value: Any) -> str:
    """Describe a value in an error: a container by its kind, a long text cut short."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list | tuple | np.ndarray):
        return "a list"
    if isinstance(value, str):
        return repr(value if len(value) <= SHOWN else value[:SHOWN] + "...")
    return "a number"
