"""Derived columns: what is read, what is refused and where, and what comes out."""

import numpy as np
import pytest

from tabular.arithmetic.expressions import evaluate
from tabular.config.expression import DEEPEST, LONGEST, BadExpression, parse, unknown_column


def _value(text: str, **columns: float) -> float:
    program = parse(text)
    return float(evaluate(program, [np.array([columns[name]]) for name in program.columns])[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a / b ** 2", 0.5),
        ("a - b - 1", 5.0),
        ("-b ** 2", -16.0),
        ("2 ** -b", 0.0625),
        ("(a + b) * .5", 7.0),
        ("max(a, b, 9) - min(a, b)", 6.0),
        ("abs(b - a) + sqrt(b)", 8.0),
        ("log(exp(a)) + log1p(b - b)", 10.0),
        (" a\n + b ", 14.0),
    ],
)
def test_arithmetic_is_that_of_the_textbook(text: str, expected: float) -> None:
    # given a = 10 (8 in the first) and b = 4
    a = 8.0 if text.startswith("a /") else 10.0
    # when / then
    assert _value(text, a=a, b=4.0) == pytest.approx(expected, rel=1e-15)


def test_columns_may_have_any_name_in_backticks() -> None:
    # given
    program = parse("`rooms (all)` / \u00e9 + `\u00e9` * `a-b`")
    # then each is there once, with the place where it first appears
    assert program.columns == ("rooms (all)", "\u00e9", "a-b")
    assert program.positions == (1, 17, 27)
    # when / then
    assert evaluate(program, [np.array([6.0]), np.array([2.0]), np.array([5.0])]).tolist() == [13.0]


def test_a_letter_that_python_spells_otherwise_keeps_its_spelling() -> None:
    assert parse("\ufb01 + 1").columns == ("\ufb01",)


def test_a_blank_of_any_kind_does_not_move_the_names_after_it() -> None:
    assert parse("a\u2003- rooms").columns == ("a", "rooms")


def test_what_is_not_finite_is_zero_and_a_division_by_zero_is_zero_where_it_happens() -> None:
    # given
    values = np.array([0.0, -1.0, 1e300])
    # when / then
    assert evaluate(parse("1 + 1 / a"), [values]).tolist() == [1.0, 0.0, 1.0]
    assert evaluate(parse("log(a)"), [values[:2]]).tolist() == [0.0, 0.0]
    assert evaluate(parse("sqrt(a)"), [values[:2]]).tolist() == [0.0, 0.0]
    assert evaluate(parse("a * a"), [values]).tolist() == [0.0, 1.0, 0.0]


def test_a_row_alone_has_the_bits_that_it_has_among_others() -> None:
    # given
    random = np.random.default_rng(1)
    columns = [random.lognormal(size=1003) for _ in range(2)]
    program = parse("log1p(a) * exp(-b) + a ** 2.5 / sqrt(b) - a ** b")
    # when
    together = evaluate(program, columns)
    apart = np.column_stack(columns)  # rows that lie one after the other in memory
    alone = [evaluate(program, [apart[i : i + 1, 0], apart[i : i + 1, 1]])[0] for i in range(len(apart))]
    # then
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("__import__('os').system('x')", "character 1: there is no such function"),
        ("a.real", "character 1: this is not arithmetic"),
        ("a[0]", "character 1: this is not arithmetic"),
        ("a + (lambda: 1)()", "character 5: there is no such function"),
        ("[x for x in a]", "this is not arithmetic"),
        ("a + 'b'", "character 5: 'b' is not a number; write a column's name without quotes"),
        ("a + True", "character 5: True is not a number"),
        ("a if b else c", "this is not arithmetic"),
        ("a // b", "this is not arithmetic"),
        ("a ** 17", "character 6: an exponent must lie between -16 and 16"),
        ("a ** - - 17", "an exponent must lie between"),
        ("a * 1e999", "character 5: the number is too large"),
        ("a * 1" + "0" * 400, "character 5: the number is too large"),
        ("log(a, b)", "log takes one value"),
        ("max(a)", "max takes two values or more"),
        ("log(a, base=2)", "log takes one value"),
        ("`a`(b)", "there is no such function"),
        ("`` + a", "character 1: a column's name is missing"),
        ("a + ", "cannot be read from here on"),
        ("a b", "character 3: cannot be read from here on"),
        ("a\0b", "cannot be read"),
        ("2 * 3", "does not name a column"),
        ("", "cannot be read"),
        ("a" * (LONGEST + 1), f"has {LONGEST + 1} characters; at most {LONGEST}"),
        ("-" * (DEEPEST + 1) + "a", f"more than {DEEPEST} operations"),
        ("(" * 220 + "a" + ")" * 220, "cannot be read"),
    ],
)
def test_everything_else_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(BadExpression) as caught:
        parse(text)
    assert said in str(caught.value)


def test_an_unknown_column_is_named_with_the_nearest() -> None:
    said = unknown_column("Wieght", 1, "Wieght / 2", ["Height", "Weight"])
    assert said == "'Wieght / 2', character 1: 'Wieght' is not a numeric input column; the nearest is 'Weight'"
