"""The grammar of expressions for derived columns; they are parsed here and never evaluated as Python."""

import ast
import math
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Annotated, NamedTuple

from pydantic import AfterValidator

from tabular.config.base import column_name
from tabular.errors import nearest_hint

LONGEST = 500
"""The largest number of characters."""
DEEPEST = 30
"""The deepest nesting of operations."""
LARGEST_EXPONENT = 16.0
"""The largest absolute value of a constant exponent."""

FUNCTIONS = {"abs": 1, "exp": 1, "log": 1, "log1p": 1, "sqrt": 1, "max": 2, "min": 2}
"""Each function with the number of its arguments; those with two also take more."""
OPERATORS: dict[type[ast.AST], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
_QUOTED = re.compile("`([^`]*)`")


class BadExpression(ValueError):
    """An expression cannot be read; the message says what is wrong and where."""


class Instruction(NamedTuple):
    """One step of a stack machine."""

    operation: str
    """`number`, `column`, `negative`, an operator or a function."""
    number: float = 0.0
    """The value of the operation `number`."""
    place: int = 0
    """For `column`, its index; for a function, the number of values that it takes from the stack."""


class ParsedExpression(NamedTuple):
    """A parsed expression."""

    columns: tuple[str, ...]
    """Names of its columns in the order of their first mention."""
    positions: tuple[int, ...]
    """Position of the first mention of each column, in characters counted from 1."""
    steps: tuple[Instruction, ...]
    """The instructions in postfix order."""


@lru_cache(maxsize=1024)
def parse(text: str) -> ParsedExpression:
    """Read an expression.

    Args:
        text: numbers, column names (in backticks if a name is not a word), `+ - * / **`, parentheses, and the
            functions in `FUNCTIONS`.

    Raises:
        BadExpression: the text is anything else, too long, too deeply nested, or does not name a column.
    """
    if len(text) > LONGEST:
        raise BadExpression(f"the expression has {len(text)} characters; at most {LONGEST} are allowed")
    quoted = {match.start(): match for match in _QUOTED.finditer(text)}
    # The parser gets a word of the same length in place of each quoted name, so that positions do not change.
    plain = _QUOTED.sub(lambda match: "_" * len(match.group()), text)
    start = len(plain) - len(plain.lstrip())
    try:
        parsed = re.sub(r"\s", " ", plain[start:]).rstrip()
        tree = ast.parse(parsed, mode="eval")
    except SyntaxError as error:
        raise _bad(text, start + max(1, error.offset or 1), "cannot be read from here on") from None
    except (ValueError, MemoryError, RecursionError):
        said = "it is nested too deeply, or has a character that is not allowed"
        raise BadExpression(f"{text[:60]!r} cannot be read: {said}") from None
    reader = _Reader(text, start, parsed.encode(), quoted)
    reader.read(tree.body, 0)
    if not reader.columns:
        raise BadExpression(f"{text!r} does not name a column")
    return ParsedExpression(tuple(reader.columns), tuple(reader.columns.values()), tuple(reader.steps))


def _readable(text: str) -> str:
    parse(text)
    return text


ExpressionText = Annotated[str, AfterValidator(_readable)]
"""The text of an expression that `parse` accepts."""


def unknown_column(name: str, position: int, text: str, known: Iterable[str]) -> str:
    """The message about a column that does not exist, which an expression names at a position, counted from 1."""
    return f"{text!r}, character {position}: '{name}' is not a numeric input column{nearest_hint(name, known)}"


def _bad(text: str, position: int, problem: str) -> BadExpression:
    return BadExpression(f"{text!r}, character {min(position, len(text) + 1)}: {problem}")


class _Reader:
    """Turns the syntax tree into the instructions of a program."""

    def __init__(self, text: str, start: int, parsed: bytes, quoted: dict[int, re.Match[str]]) -> None:
        self.text, self.start, self.parsed, self.quoted = text, start, parsed, quoted
        self.columns: dict[str, int] = {}
        self.steps: list[Instruction] = []

    def read(self, node: ast.expr, depth: int) -> None:
        """Add the instructions of one part."""
        if depth > DEEPEST:
            raise self._refused(node, f"more than {DEEPEST} operations are nested here")
        if isinstance(node, ast.Constant):
            self.steps.append(Instruction("number", self._number(node)))
        elif isinstance(node, ast.Name):
            self._column(node)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            self.read(node.operand, depth + 1)
            self.steps.append(Instruction("negative"))
        elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            self.read(node.left, depth + 1)
            self.read(node.right, depth + 1)
            if isinstance(node.op, ast.Pow):
                self._check_exponent(node.right)
            self.steps.append(Instruction(OPERATORS[type(node.op)]))
        elif isinstance(node, ast.Call):
            self._call(node, depth)
        else:
            raise self._refused(node, f"this is not arithmetic; there are + - * / ** and {', '.join(FUNCTIONS)}")

    def _call(self, node: ast.Call, depth: int) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) and self._place(node.func) not in self.quoted else None
        if name not in FUNCTIONS:
            raise self._refused(node, f"there is no such function; there are {', '.join(FUNCTIONS)}")
        least = FUNCTIONS[name]
        if node.keywords or len(node.args) < least or (least == 1 and len(node.args) > 1):
            takes = "one value" if least == 1 else "two values or more"
            raise self._refused(node, f"{name} takes {takes}")
        for argument in node.args:
            self.read(argument, depth + 1)
        self.steps.append(Instruction(name, place=len(node.args)))

    def _column(self, node: ast.Name) -> None:
        place = self._place(node)
        # The text as it was typed, because Python normalises some letters of other scripts.
        length = len(self.parsed[node.col_offset : node.end_col_offset].decode())
        name = self.quoted[place].group(1) if place in self.quoted else self.text[place : place + length]
        if not name:
            raise self._refused(node, "a column's name is missing between the backticks")
        name = column_name(name)
        self.columns.setdefault(name, place + 1)
        self.steps.append(Instruction("column", place=list(self.columns).index(name)))

    def _number(self, node: ast.Constant) -> float:
        if type(node.value) not in (int, float):
            raise self._refused(node, f"{node.value!r} is not a number; write a column's name without quotes")
        try:
            number = float(node.value)  # type: ignore[arg-type]
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise self._refused(node, "the number is too large")
        return number

    def _check_exponent(self, node: ast.expr) -> None:
        inner = node
        while isinstance(inner, ast.UnaryOp):
            inner = inner.operand
        if isinstance(inner, ast.Constant) and abs(self._number(inner)) > LARGEST_EXPONENT:
            raise self._refused(node, f"an exponent must lie between -{LARGEST_EXPONENT:g} and {LARGEST_EXPONENT:g}")

    def _place(self, node: ast.expr) -> int:
        """The position of a part in the text; Python counts in bytes."""
        return self.start + len(self.parsed[: node.col_offset].decode())

    def _refused(self, node: ast.expr, problem: str) -> BadExpression:
        return _bad(self.text, self._place(node) + 1, problem)
