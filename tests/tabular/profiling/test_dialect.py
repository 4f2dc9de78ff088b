"""Encodings and separators, told from the bytes."""

import pytest

from tabular.profiling.dialect import encoding, separator


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("naïve, 5 €".encode(), "utf-8"),
        ("naïve, 5 €".encode("utf-8-sig"), "utf-8"),
        ("naïve, 5 €".encode("cp1252"), "cp1252"),
        ("naïve\x81".encode("latin-1"), "latin-1"),
        ("a,b\n1,2".encode("utf-16"), "utf-16"),
        ("a,b\n1,2".encode("utf-16-le"), "utf-16-le"),
        ("a,b\n1,2".encode("utf-16-be"), "utf-16-be"),
    ],
)
def test_the_encoding_is_the_strictest_that_fits(content: bytes, expected: str) -> None:
    assert encoding(content) == expected
    assert content.decode(expected).removeprefix("\ufeff")[:1] in "na"


SEPARATED = {
    "a,b\n1,2\n": ",",
    "a;b;c\n1,5;2,5;3,5\n": ";",
    "size, m;b\n1,5;2\n2;3\n": ";",
    "a\tb\n1,5\t2;3\n": "\t",
    'a|b\n"x|y, z"|2\n': "|",
    "words\nand more\n": ",",
    "": ",",
}


@pytest.mark.parametrize("text", SEPARATED)
def test_the_separator_is_what_every_line_agrees_on(text: str) -> None:
    assert separator(text, True) == SEPARATED[text]


def test_a_last_line_that_was_cut_off_does_not_count() -> None:
    assert separator("a;b;c\n1;2;3\n4;5", False) == ";"
