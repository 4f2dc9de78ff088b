"""A table from bytes: every format that is read, and every file that is refused."""

import datetime
import gzip
import io
import lzma
import tarfile
import tracemalloc
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from tabular.config.reading import ReadingConfig
from tabular.errors import UserError
from tabular.table.parsing import parse

CSV = b"a,b\n1,x\n2,y\n"
TABLE = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})


def parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


def tgz(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        CSV,
        b"\xef\xbb\xbf" + CSV,
        CSV.replace(b"\n", b"\r\n"),
        gzip.compress(CSV),
        parquet(TABLE),
        tgz({"table.csv": CSV}),
        tgz({"folder/table.parquet": parquet(TABLE), "README.md": b"words", "folder/._table.csv": b"\0"}),
    ],
    ids=["csv", "byte order mark", "crlf", "csv.gz", "parquet", "tgz of csv", "tgz of parquet"],
)
def test_every_format_gives_the_same_table(content: bytes) -> None:
    # when
    frame = parse(content, "the file")
    # then
    pd.testing.assert_frame_equal(frame, TABLE)


def test_archive_path_that_leads_outside_touches_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    inside = tmp_path / "inside"
    inside.mkdir()
    monkeypatch.chdir(inside)
    # when
    frames = [parse(tgz({name: CSV}), "the file") for name in ("../outside.csv", str(tmp_path / "absolute.csv"))]
    # then
    assert [len(frame) for frame in frames] == [2, 2]
    assert list(tmp_path.rglob("*.csv")) == []


def test_link_in_an_archive_is_not_followed(tmp_path: Path) -> None:
    # given
    (tmp_path / "secret.csv").write_bytes(CSV)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo("table.csv")
        member.type, member.linkname = tarfile.SYMTYPE, str(tmp_path / "secret.csv")
        archive.addfile(member)
    # when / then
    with pytest.raises(UserError, match="exactly one CSV or Parquet file, found: none"):
        parse(buffer.getvalue(), "the file")


def sparse_tgz(size: int) -> bytes:
    """A .tgz archive with a table that says it is `size` bytes long, of which the archive stores none."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("table.csv")
        member.pax_headers = {"GNU.sparse.size": str(size), "GNU.sparse.map": f"{size},0"}
        archive.addfile(member)
    return buffer.getvalue()


LARGE = b"a,b\n" + b"1,2\n" * 10_000_000


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(LARGE, 1),
        gzip.compress(LARGE[:20], 1) + gzip.compress(LARGE, 1),
        tgz({"table.csv": LARGE}),
        tgz({"notes.txt": LARGE, "table.csv": CSV}),
        sparse_tgz(10**12),
        parquet(pd.DataFrame({"a": range(1_000_000), "b": 1.0})),
        parquet(pd.DataFrame({"a": [1] * 1_000_000, "b": 1.0})),
    ],
    ids=["gzip", "gzip in parts", "tgz", "tgz with another file", "sparse file", "parquet", "parquet of one value"],
)
def test_content_that_is_larger_than_allowed_is_refused_before_it_takes_memory(content: bytes) -> None:
    # given
    tracemalloc.start()
    try:
        # when
        with pytest.raises(UserError, match=r"the file.* holds more than 3,000,000 bytes.* data\.max_bytes") as caught:
            parse(content, "the file", max_bytes=3_000_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # then
    assert peak < 20_000_000
    assert "\n" not in str(caught.value)


def test_limit_on_the_size_can_be_raised_and_is_one_for_the_whole_file() -> None:
    # given
    content, size = gzip.compress(CSV), len(CSV)
    # when
    frame = parse(content, "the file", max_bytes=size)
    # then
    pd.testing.assert_frame_equal(frame, TABLE)
    with pytest.raises(UserError, match="holds more than"):
        parse(content, "the file", max_bytes=size - 1)


def test_archive_in_an_archive_is_not_unpacked_a_second_time() -> None:
    # given
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("table.csv")
        member.size = len(CSV)
        archive.addfile(member, io.BytesIO(CSV))
    # when / then
    with pytest.raises(UserError, match="NUL bytes"):
        parse(gzip.compress(lzma.compress(buffer.getvalue())), "the file")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (gzip.compress(b""), "is empty"),
        (b"\x89PNG\r\n\0\0\0", "NUL bytes"),
        (b"a,b\n1,caf\xe9\n", "not a CSV in UTF-8: byte 9 is 0xe9"),
        (b"\n<!DOCTYPE html><html><p>a,b</p></html>", "looks like a web page"),
        (b'{"a": 1, "b": 2}', "looks like JSON"),
        (b"a;b\n1;2\n", "one column, 'a;b'; separate by commas"),
        (b"Dear reader\nthis, that\n", "one column, 'Dear reader'"),
        (b"a,b\n1,2\n1,2,3\n", r"line 3 has 3 value\(s\) where the header names 2 columns"),
        (b"a,b\n1,2,3\n1,2,3\n", r"line 2 has 3 value\(s\)"),
        (b"a,b,c\n1,2,3\n1,2", r"line 3 has 2 value\(s\)"),
        (b'a,b\n1,"2\n', "is not a CSV that can be read"),
        (b"a,b,a,c,b\n1,2,3,4,5\n", "more than once: 'a', 'b'"),
        (tgz({}), "found: none"),
        (tgz({"notes.txt": b"words"}), "found: none"),
        (tgz({"a.csv": CSV, "b.parquet": b""}), "found: 'a.csv', 'b.parquet'"),
        (tgz({"a.csv": b""}), r"the file \('a\.csv'\) is empty"),
        (tgz({"a.csv": CSV})[:-20], "damaged archive"),
        (b"\x1f\x8bjunk", "damaged archive"),
        (parquet(TABLE)[:40], "damaged Parquet"),
        (parquet(pd.DataFrame({"a": [[1], [2]]})), "column 'a' holds lists"),
    ],
    # The bytes of an archive hold the time, and both workers of a test run must collect the same names.
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_table_is_refused_in_one_line(content: bytes, said: str) -> None:
    # when / then
    with pytest.raises(UserError, match=said) as caught:
        parse(content, "the file")
    assert str(caught.value).startswith("the file") and "\n" not in str(caught.value)


AS_WRITTEN = "Größe;Tag;Code;Ja;Menge\n1.234,5;31.12.2023;007;true;3\n?;01.02.2024;;false;\n"
GERMAN = ReadingConfig(
    separator=";", encoding="cp1252", decimal=",", thousands=".", missing=("?",), text=("Code",), dates=("Tag",)
)


def test_a_file_is_read_as_it_is_written() -> None:
    # when
    frame = parse(AS_WRITTEN.encode("cp1252"), "the file", GERMAN)
    # then
    days = pd.Series(pd.to_datetime(["2023-12-31", "2024-02-01"])).astype("datetime64[us]")
    expected = pd.DataFrame(
        {"Größe": [1234.5, None], "Tag": days, "Code": ["007", None], "Ja": [True, False], "Menge": [3.0, None]}
    )
    pd.testing.assert_frame_equal(frame, expected)


@pytest.mark.parametrize("reading", [ReadingConfig(), ReadingConfig(thousands=" ")], ids=["as pandas", "as written"])
def test_both_ways_of_reading_agree(reading: ReadingConfig) -> None:
    # given: the second way is taken for any file with a notation of its own
    content = b"whole,holed,tenth,flag,half,word,mixed\n1,1,0.1,True,True,a,1\n2,,1e-3,FALSE,NA,NA,x\n"
    # when
    frame = parse(content, "the file", reading)
    # then
    expected = pd.DataFrame(
        {
            "whole": [1, 2],
            "holed": [1.0, None],
            "tenth": [0.1, 0.001],
            "flag": [True, False],
            "half": pd.Series([True, None], dtype=object).where([True, False], float("nan")),
            "word": ["a", None],
            "mixed": ["1", "x"],
        }
    )
    pd.testing.assert_frame_equal(frame, expected)


def test_listed_spellings_are_the_only_holes() -> None:
    # when
    frame = parse(b"a,b\nNone,1\nx,-\n,2\n", "the file", ReadingConfig(missing=("-",)))
    # then
    pd.testing.assert_frame_equal(frame, pd.DataFrame({"a": ["None", "x", None], "b": [1.0, None, 2.0]}))


@pytest.mark.parametrize("content", [b"code,b\n3,1\n,2\n", b"code,b\n3.0,1\n,2\n"], ids=["whole", "with decimals"])
def test_codes_are_text_by_either_rule(content: bytes) -> None:
    # when
    by_reading = parse(content, "the file", ReadingConfig(text=("code",)))
    by_kind = parse(content, "the file", kinds={"code": "text", "absent": "text"})
    # then
    pd.testing.assert_frame_equal(by_reading, pd.DataFrame({"code": ["3", None], "b": [1, 2]}))
    pd.testing.assert_frame_equal(by_kind, by_reading)


def test_blanks_are_cut_where_asked() -> None:
    # when
    frame = parse(b"a, b \n 1,  x \n  ,y\n", "the file", ReadingConfig(trim=True))
    # then
    pd.testing.assert_frame_equal(frame, pd.DataFrame({"a": [1.0, None], "b": ["x", "y"]}))


@pytest.mark.parametrize(
    ("written", "day_first", "expected"),
    [
        ("2024-02-01", True, "2024-02-01"),
        ("2024-02-01T10:30:00Z", False, "2024-02-01 10:30"),
        ("2024-02-01 10:30:00+02:00", False, "2024-02-01 08:30"),
        ("1.2.2024", False, "2024-02-01"),
        ("02/01/2024", False, "2024-02-01"),
        ("01/02/2024", True, "2024-02-01"),
        ("13/02/2024", False, "2024-02-13"),
        ("20240201", False, "2024-02-01"),
        ("1 Feb 2024", False, "2024-02-01"),
        ("2024/02/01 10:30", False, "2024-02-01 10:30"),
    ],
)
def test_dates_are_read_in_the_usual_forms(written: str, day_first: bool, expected: str) -> None:
    # when
    frame = parse(f"d,a\n{written},1\n,2\n".encode(), "the file", ReadingConfig(dates=("d",), day_first=day_first))
    # then
    assert frame["d"].dtype == "datetime64[us]"
    assert frame["d"].tolist() == [pd.Timestamp(expected), pd.NaT]


def test_parquet_gives_the_same_few_types() -> None:
    # given
    rows = pd.DataFrame(
        {
            "small": pd.array([1, 2], dtype="int8"),
            "holed": pd.array([1, None], dtype="Int64"),
            "single": pd.array([0.5, 1.5], dtype="float32"),
            "money": [Decimal("1.50"), None],
            "label": pd.Categorical(["x", "y"]),
            "zoned": pd.to_datetime(["2024-02-01 10:00", None]).tz_localize("Europe/Berlin"),
            "day": [datetime.date(2024, 2, 1), None],
            "flag": pd.array([True, None], dtype="boolean"),
            "code": [3.0, None],
        }
    )
    # when
    frame = parse(parquet(rows), "the file", ReadingConfig(text=("code",)))
    # then
    assert frame.dtypes.astype(str).to_dict() == {
        "small": "int64",
        "holed": "float64",
        "single": "float64",
        "money": "float64",
        "label": "str",
        "zoned": "datetime64[us]",
        "day": "datetime64[us]",
        "flag": "object",
        "code": "str",
    }
    assert frame.loc[0, ["small", "holed", "single", "money", "flag"]].tolist() == [1, 1.0, 0.5, 1.5, True]
    assert (frame["zoned"][0], frame["code"][0]) == (pd.Timestamp("2024-02-01 09:00"), "3")


@pytest.mark.parametrize(
    ("content", "reading", "said"),
    [
        (
            b"d,a\n2024-02-01,1\nsoon,2\n",
            ReadingConfig(dates=("d",)),
            "column 'd' is to be a date, but 'soon' is not a date",
        ),
        (b"d,a\n2024-02-01,1\n1.2.2024,2\n", ReadingConfig(dates=("d",)), "written in several ways"),
        (
            b"day,a\n2024-02-01,1\n",
            ReadingConfig(dates=("days",)),
            r"data\.reading\.dates: .* 'days'; the nearest is 'day'",
        ),
        (b"a;b\n1;2\n", ReadingConfig(separator="|"), "separate by bars, or set data.reading.separator"),
        (b"a,b\n1,\x81\n", ReadingConfig(encoding="cp1252"), "not a CSV in cp1252: byte 6 is 0x81"),
        (b"PK\x03\x04junk", ReadingConfig(), "ZIP archive or an Excel workbook"),
    ],
    ids=["no date", "two forms", "no such column", "separator", "encoding", "workbook"],
)
def test_what_is_not_as_configured_is_refused(content: bytes, reading: ReadingConfig, said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        parse(content, "the file", reading)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"encoding": "utf-99"}, "is not a text encoding"),
        ({"encoding": "hex"}, "is not a text encoding"),
        ({"decimal": ",", "thousands": ","}, "must differ"),
        ({"text": ["a"], "dates": ["a"]}, "'a' is in 'text' and in 'dates'"),
    ],
)
def test_reading_that_contradicts_itself_is_refused(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        ReadingConfig(**keys)
