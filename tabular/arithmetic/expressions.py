"""Evaluation of expressions, with numpy alone: training and serving share the code and get the same bits."""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tabular.config.expression import ParsedExpression

Floats = NDArray[np.float64]


def _quotient(left: Floats, right: Floats) -> Floats:
    quotient: Floats = np.divide(left, right, out=np.zeros_like(left), where=right != 0)
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
    """The value of an expression for each row.

    A division by zero gives 0 where it happens, inside a longer expression too. A result that is infinite or not a
    number, such as the logarithm of 0 or the square root of -1, becomes 0 as well.

    Args:
        program: from `tabular.config.expression.parse`.
        columns: the values (rows,) of each of `program.columns`, without NaN.

    Returns:
        The value of each row (rows,), float64, all finite.
    """
    # Contiguous, because numpy computes some functions in another way if values are not adjacent in memory.
    values = [np.ascontiguousarray(column, dtype=np.float64) for column in columns]
    stack: list[Any] = []
    with np.errstate(all="ignore"):
        for step in program.steps:
            if step.operation == "number":
                stack.append(np.full(len(values[0]), step.number))
            elif step.operation == "column":
                stack.append(values[step.place])
            elif step.operation in _ONE:
                stack.append(_ONE[step.operation](stack.pop()))
            else:
                count = step.place or 2
                taken = stack[-count:]
                del stack[-count:]
                stack.append(reduce(_TWO[step.operation], taken))
        [found] = stack
        return np.where(np.isfinite(found), found, 0.0)
