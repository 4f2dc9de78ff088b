"""Evaluation of expressions, with numpy alone: training and serving share the code and get the same bits."""

from collections.abc import Callable, Sequence
from functools import partial, reduce
from math import isfinite
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tabular.config.expression import ParsedExpression

Floats = NDArray[np.float64]


def _quotient(left: Floats, right: Floats) -> Floats:
    quotient = left / right
    if np.count_nonzero(right) < len(right):
        quotient[right == 0] = 0.0
    return quotient


_ONE: dict[str, Callable[[Any], Any]] = {
    "abs": np.abs,
    "exp": np.exp,
    "log": np.log,
    "log1p": np.log1p,
    "negative": np.negative,
    "sqrt": np.sqrt,
}
_TWO: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": _quotient,
    "**": np.power,
    "max": np.maximum,
    "min": np.minimum,
}


def evaluate(program: ParsedExpression, columns: Sequence[Floats]) -> Floats:
    """The value of an expression for each row; see `compiled`.

    Args:
        program: from `tabular.config.expression.parse`.
        columns: the values (rows,) of each of `program.columns`, without NaN.

    Returns:
        The value of each row (rows,), float64, all finite.
    """
    found = np.empty((len(columns[0]), 1))
    compiled([(program, range(len(columns)))])(np.array(columns, dtype=np.float64), found)
    return found[:, 0]


def compiled(expressions: Sequence[tuple[ParsedExpression, Sequence[int]]]) -> Callable[[Floats, Floats], None]:
    """The function that writes the values of expressions into a matrix, rows x expressions.

    It takes all columns as a contiguous matrix, columns x rows, without NaN, and the matrix that it fills, both
    float64. A division by zero gives 0 where it happens, inside a longer expression too. A result that is infinite or
    not a number, such as the logarithm of 0 or the square root of -1, becomes 0 as well.

    Args:
        expressions: from `tabular.config.expression.parse`, each with the places of its columns in the first matrix.
    """
    # For one row the calls of numpy cost more than the arithmetic, so that what can be done once for all is done once.
    functions = [_function(program, places) for program, places in expressions]

    def write(columns: Floats, found: Floats) -> None:
        with np.errstate(all="ignore"):
            for place, function in enumerate(functions):
                found[:, place] = function(columns)
            if not isfinite(np.add.reduce(found, axis=None)):  # it is finite only if every value is
                found[~np.isfinite(found)] = 0.0

    return write


def _function(program: ParsedExpression, places: Sequence[int]) -> Callable[[Floats], Floats]:
    stack: list[Callable[[Floats], Floats]] = []
    for step in program.steps:
        if step.operation == "number":
            stack.append(_constant(step.number))
        elif step.operation == "column":
            stack.append(itemgetter(places[step.place]))
        elif step.operation in _ONE:
            stack.append(_of_one(_ONE[step.operation], stack.pop()))
        else:
            count = step.place or 2
            taken = stack[-count:]
            del stack[-count:]
            stack.append(reduce(partial(_of_two, _TWO[step.operation]), taken))
    [whole] = stack
    return whole


def _constant(number: float) -> Callable[[Floats], Floats]:
    return lambda columns: np.full(columns.shape[1], number)


def _of_one(operation: Callable[[Any], Any], inner: Callable[[Floats], Floats]) -> Callable[[Floats], Any]:
    return lambda columns: operation(inner(columns))


def _of_two(
    operation: Callable[[Any, Any], Any], left: Callable[[Floats], Floats], right: Callable[[Floats], Floats]
) -> Callable[[Floats], Any]:
    return lambda columns: operation(left(columns), right(columns))
