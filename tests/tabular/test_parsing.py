"""A table from bytes: every format that is read, and every file that is refused."""

import gzip
import io
import tarfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tabular.errors import UserError
from tabular.parsing import parse

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


def test_named_index_of_parquet_is_a_column() -> None:
    # when
    frame = parse(parquet(TABLE.set_index("a")), "the file")
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


def test_repeated_parquet_columns_are_named() -> None:
    # given
    buffer = io.BytesIO()
    pq.write_table(pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]), buffer)
    # when / then
    with pytest.raises(UserError, match="more than once: 'a'"):
        parse(buffer.getvalue(), "the file")
