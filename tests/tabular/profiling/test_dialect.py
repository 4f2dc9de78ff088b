"""Encodings and separators, told from the bytes."""

import re
from typing import Any

import pytest

from tabular.errors import UserError
from tabular.profiling.dialect import encoding, separator
from tabular.profiling.profile import profile
from tabular.table.parsing import parse


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


ROWS = "\n".join(f"{number * 1.5},{number % 7},x" for number in range(60)) + "\n"
OTHERS = [
    ("cp949", "합계"), ("gbk", "价格"), ("big5", "價格"), ("shift_jis", "価格"), ("euc_jp", "価格"), ("cp1251", "цена"),
    ("koi8_r", "цена"), ("cp1250", "částka"), ("cp1253", "τιμή"), ("cp1256", "سعر"), ("cp850", "Größe"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "target"), OTHERS, ids=[name for name, _ in OTHERS])
def test_the_encoding_in_which_the_target_is_there_is_named_and_can_be_given(written: str, target: str) -> None:
    # given
    content = f"size,{target},kind\n{ROWS}".encode(written)
    # when
    with pytest.raises(UserError) as caught:
        profile(content, "the file", target)
    # then: the name as it was typed, and an encoding that reads it
    named = re.fullmatch(
        r"the file is not UTF-8; read as \S+ it has .* '(.+)': give --encoding (\S+)", str(caught.value)
    )
    assert named is not None and named[1] == target
    for given in (written, named[2]):
        found = profile(content, "the file", target, encoding=given).found
        assert (found.target.column, found.reading.encoding) == (target, given)
        assert not any("UTF-8" in finding.text for finding in found.findings)


TITLES = {
    "a comment": "# exported 2024\n",
    "a comment with commas": "# a, b, c, d, e\r\n",
    "a title and an empty line": "Report of the year\n\n",
    "padded by a spreadsheet": "Report,,\n,,\n",
    "a quote that is never closed": '5" pipes\n',
    "carriage returns": "a title\rof two lines\r",
    "many lines": "# line\n" * 20,
}


@pytest.mark.parametrize("title", TITLES.values(), ids=TITLES)
@pytest.mark.parametrize("given", [None, "cp1251"])
def test_the_number_of_lines_above_the_header_is_named_and_can_be_given(title: str, given: str | None) -> None:
    # given
    content = f"{title}size,цена,kind\n{ROWS}".encode(given or "utf-8-sig")
    # when
    with pytest.raises(UserError) as caught:
        profile(content, "the file", "цена", encoding=given)
    lines = int(str(caught.value).rpartition("give --skip ")[2])
    found = profile(content, "the file", "цена", encoding=given, skip=lines).found
    # then: as the training reads it
    assert [column.name for column in found.columns] == ["size", "цена", "kind"] and found.rows == 60
    assert list(parse(content, "the file", found.reading)) == ["size", "цена", "kind"]


@pytest.mark.parametrize(
    ("content", "given", "said"),
    [
        (f"a,b,c\n{ROWS}".encode(), {"encoding": "latin-99"}, "--encoding: 'latin-99' is not a text encoding"),
        (f"a,b,c\n{ROWS}".encode(), {"skip": 99}, "has fewer lines than the 99"),
        (f"a,b,c\n{ROWS}".encode(), {"encoding": "utf-16"}, "read as utf-8 it has the column 'b'"),
        (f"a,ц,c\n{ROWS}".encode("cp1251"), {}, "no column 'b'; the nearest is 'ö'; the file is not UTF-8: where"),
        (f"# title\na,B,c\n{ROWS}".encode(), {}, "the header seems to be line 2: give --skip 1"),
        (f"a,B,c\n{ROWS}".encode(), {}, "has no column 'b'; the nearest is 'B'"),
        (f"a,b,c\n1,2\n{ROWS}".encode(), {}, "line 2 has 2 value"),
        (f"# t\na,b,c\n1,2\n{ROWS}".encode(), {"skip": 1}, "line 3 has 2 value"),
        (f"a,b,\xe9\n1,2\n{ROWS}".encode("latin-1"), {}, "line 2 has 2 value"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line(content: bytes, given: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=re.escape(said)) as caught:
        profile(content, "the file", "b", **given)
    assert "\n" not in str(caught.value)


def test_a_wider_unicode_with_a_mark_is_recognised() -> None:
    assert encoding("a,b\n1,2".encode("utf-32")) == "utf-32"


def test_a_target_that_no_encoding_shows_is_named_as_it_was_typed() -> None:
    with pytest.raises(UserError, match="is not UTF-8, and read as cp1252 it has no column 'дом'; say with --encoding"):
        profile(f"a,цена,c\n{ROWS}".encode("cp1251"), "the file", "дом")
