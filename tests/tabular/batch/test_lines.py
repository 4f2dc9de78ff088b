"""Records of a CSV, against Python's own reader where that is strict enough."""

import csv
import io
import random

import pytest

from tabular.batch import lines
from tabular.batch.lines import BROKEN, CsvRecords, blocks, split


def found(data: bytes, separator: str = ",", trim: bool = False) -> list[tuple[str, list[str] | None]]:
    """Raw text and cells of each record, None for a broken one."""
    records = split(data, separator, trim, is_last=True)
    return [(records.raw(n).decode(), _cells(records, n, separator)) for n in range(len(records))]


def _cells(records: CsvRecords, number: int, separator: str = ",") -> list[str] | None:
    if number in records.faults:
        return None
    [cells] = csv.reader(io.StringIO(records.text(number).decode(), newline=""), delimiter=separator, strict=True)
    assert len(cells) == records.cells[number]
    return cells


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a,b\n1,2\n", [["a", "b"], ["1", "2"]]),
        (b"a,b\r\n1,2", [["a", "b"], ["1", "2"]]),
        (b"a,b\r1,2\r", [["a", "b"], ["1", "2"]]),
        (b"\n\na,b\n\r\n\n1,2\n\n", [["a", "b"], ["1", "2"]]),
        (b'"a\nb",1\n"c, ""d""",2\n', [["a\nb", "1"], ['c, "d"', "2"]]),
        (b'"a\r\nb",1\r\n"",2\r\n', [["a\r\nb", "1"], ["", "2"]]),
        (b'5" pipe,1\n6",2\n', [['5" pipe', "1"], ['6"', "2"]]),
        (b"", []),
        (b"\n", []),
    ],
)
def test_a_text_is_split_into_records(data: bytes, expected: list[list[str]]) -> None:
    # when / then
    assert [cells for _, cells in found(data)] == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        # Only the line with the quote is lost, whether a quote follows somewhere or not.
        (b'1,2\n"3,4\n5,6\n', [["1", "2"], None, ["5", "6"]]),
        (b'1,"2\n3,"x"\n5,6\n', [None, ["3", "x"], ["5", "6"]]),
        (b'"1"2,3\n4,5\n', [None, ["4", "5"]]),
        (b'1,"2" \n3,4\n', [None, ["3", "4"]]),
        (b'1,"2', [None]),
    ],
)
def test_broken_quotes_cost_one_line(data: bytes, expected: list[list[str] | None]) -> None:
    # when / then
    assert [cells for _, cells in found(data)] == expected


def test_blanks_beside_quotes_do_not_count_where_the_file_is_trimmed() -> None:
    # when / then
    assert [cells for _, cells in found(b'1, "a, b" ,2\n', trim=True)] == [["1", "a, b", "2"]]


def test_a_quote_that_is_never_closed_costs_one_line_of_a_long_text(monkeypatch: pytest.MonkeyPatch) -> None:
    # given: far more lines than a cell may have
    monkeypatch.setattr(lines, "OPEN", 200)
    monkeypatch.setattr(lines, "BLOCK", 64)
    data = b'"a,b\n' + b"1,2\n" * 500
    # when
    parts = [part for _, part in blocks(io.BytesIO(data).read, 0, ",", False, "x.csv")]
    # then
    assert sum(map(len, parts)) == 501
    assert [fault for part in parts for fault in part.faults.values()] == [BROKEN]


def test_records_are_those_of_pythons_reader_wherever_the_blocks_end(monkeypatch: pytest.MonkeyPatch) -> None:
    # given: cells with everything that is special, well written
    draw = random.Random(7)
    pieces = ["a", "5", ",", '"', "\n", "\r\n", "ü", " ", ""]
    rows = [["x" + "".join(draw.choices(pieces, k=3)) for _ in range(3)] for _ in range(120)]
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    data = text.getvalue().encode()
    for size in (7, 64, 5000):
        monkeypatch.setattr(lines, "BLOCK", size)
        # when
        read, ends = [], []
        for base, part in blocks(io.BytesIO(data).read, 0, ",", False, "x.csv"):
            read += [_cells(part, n) for n in range(len(part))]
            ends += [base + int(end) for end in part.ends]
        # then
        assert read == rows
        assert all(data[end : end + 1] == b"\n" for end in ends)


def test_any_text_is_split_alike_by_blocks_and_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(8)
    for _ in range(100):
        # given: quotes, separators and ends of lines in any order
        data = "".join(draw.choices(["a", ",", '"', "\n", "\r"], [4, 2, 2, 2, 1], k=60)).encode()
        expected = found(data)
        monkeypatch.setattr(lines, "BLOCK", 5)
        # when
        read = []
        for _, part in blocks(io.BytesIO(data).read, 0, ",", False, "x.csv"):
            read += [(part.raw(n).decode(), _cells(part, n)) for n in range(len(part))]
        # then: and nothing but ends of lines is in no record
        assert read == expected
        assert sum(len(raw) for raw, _ in read) >= len(data) - data.count(b"\n") - data.count(b"\r")
