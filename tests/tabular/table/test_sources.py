"""Where the table comes from: local files, remote stores and the sample."""

import hashlib
from pathlib import Path
from typing import Any

import fsspec
import pytest

from tabular.config.reading import ReadingConfig
from tabular.config.stages import ColumnConfig, DataConfig
from tabular.errors import UserError
from tabular.table.sources import TableSource, locate, read_table

CSV = b"a,b\n1,2\n3,4\n3,4\n"
SHA256 = hashlib.sha256(CSV).hexdigest()
NOWHERE = "http://127.0.0.1:9/table.csv"
SAMPLE = """
rows: 40
places: [{category: here, weight: 1, spread: 1.0, centre: {}}]
columns:
  a: {distribution: normal}
  b: {distribution: normal, of: {a: 1.0}, decimals: 2}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "sample.yaml").write_text(SAMPLE)
    return tmp_path


def test_local_file_is_found_and_read(root: Path) -> None:
    # given
    file = root / "table.csv"
    file.write_bytes(CSV)
    # when
    source = locate(DataConfig(path=str(file), sha256=SHA256), root / "cache", root)
    frame, provenance = read_table(source, "b", True, 0)
    # then
    assert frame.to_dict("list") == {"a": [1, 3], "b": [2, 4]}
    assert source.fingerprint == provenance.sha256 == SHA256
    assert (provenance.data_source, provenance.location) == ("path", str(file))
    assert (provenance.rows, provenance.columns, provenance.duplicates_dropped) == (2, ["a", "b"], 1)


def test_duplicates_stay_unless_dropping_is_asked_for(root: Path) -> None:
    # given
    (root / "table.csv").write_bytes(CSV)
    # when
    source = locate(DataConfig(path=str(root / "table.csv")), root / "cache", root)
    frame, provenance = read_table(source, "b", False, 0)
    # then
    assert (len(frame), provenance.duplicates_dropped) == (3, 0)


def test_columns_are_set_aside_and_unknown_ones_refused(root: Path) -> None:
    # given
    (root / "table.csv").write_bytes(b"a,b,empty\n1,2,\n3,4,\n")
    source = locate(DataConfig(path=str(root / "table.csv")), root / "cache", root)
    # when
    frame, provenance = read_table(source, "b", False, 0, ("empty",))
    # then
    assert list(frame.columns) == provenance.columns == ["a", "b"]
    with pytest.raises(UserError, match=r"data\.drop_columns: .* has no column 'emty'"):
        read_table(source, "b", False, 0, ("emty",))


def test_missing_file_is_refused_before_reading(root: Path) -> None:
    # when / then
    with pytest.raises(UserError, match=r"data\.path: .*nowhere\.csv does not exist"):
        locate(DataConfig(path=str(root / "nowhere.csv")), root / "cache", root)
    with pytest.raises(UserError, match="is a folder"):
        locate(DataConfig(path=str(root)), root / "cache", root)


def test_wrong_sha256_of_a_local_file_names_both(root: Path) -> None:
    # given
    (root / "table.csv").write_bytes(CSV)
    # when / then
    with pytest.raises(UserError, match=rf"wrong sha256 .*expected {'0' * 64}, got {SHA256}.*data\.sha256"):
        locate(DataConfig(path=str(root / "table.csv"), sha256="0" * 64), root / "cache", root)


def test_file_that_changes_after_it_was_located_is_refused(root: Path) -> None:
    # given
    file = root / "table.csv"
    file.write_bytes(CSV)
    source = locate(DataConfig(path=str(file)), root / "cache", root)
    # when
    file.write_bytes(CSV + b"5,6\n")
    # then
    with pytest.raises(UserError, match="wrong sha256"):
        read_table(source, "b", False, 0)


def test_remote_store_is_read(root: Path) -> None:
    # given
    store = fsspec.filesystem("memory")
    store.pipe_file("/stackhouse/table.csv", CSV)
    # when
    source = locate(DataConfig(path="memory://stackhouse/table.csv"), root / "cache", root)
    frame, provenance = read_table(source, "b", False, 0)
    # then
    assert source.sha256 is None
    assert (len(frame), provenance.sha256) == (3, SHA256)
    store.rm("/stackhouse", recursive=True)


def test_remote_sha256_is_checked_before_any_work(root: Path) -> None:
    # given
    store = fsspec.filesystem("memory")
    store.pipe_file("/checked/table.csv", CSV)
    # when / then
    right = locate(DataConfig(path="memory://checked/table.csv", sha256=SHA256), root / "cache", root)
    assert right.fingerprint == SHA256
    with pytest.raises(UserError, match="wrong sha256"):
        locate(DataConfig(path="memory://checked/table.csv", sha256="0" * 64), root / "cache", root)
    store.rm("/checked", recursive=True)


def test_no_network_makes_the_sample_and_says_why(root: Path) -> None:
    # when
    source = locate(DataConfig(url=NOWHERE, url_sha256=SHA256, sample="sample.yaml"), root / "cache", root)
    frame, provenance = read_table(source, "b", False, 7)
    same, same_provenance = read_table(source, "b", False, 7)
    other, other_provenance = read_table(source, "b", False, 8)
    # then
    assert (source.kind, source.location) == ("sample", "sample.yaml")
    assert source.why.startswith("no network: could not reach http://127.0.0.1:9/table.csv")
    assert provenance.data_source == "sample"
    assert provenance.sha256 == hashlib.sha256(frame.to_csv(index=False).encode()).hexdigest()
    assert frame.equals(same) and provenance == same_provenance
    assert not frame.equals(other) and provenance.sha256 != other_provenance.sha256


@pytest.mark.parametrize(("allowed", "sample"), [(False, "sample.yaml"), (True, None)])
def test_no_network_and_no_sample_names_the_ways_out(root: Path, allowed: bool, sample: str | None) -> None:
    # given
    config = DataConfig(url=NOWHERE, url_sha256=SHA256, offline_sample=allowed, sample=sample)
    # when / then
    with pytest.raises(UserError, match=r"could not reach.*data\.path.*data\.offline_sample"):
        locate(config, root / "cache", root)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot read"),
        ("rows: [", "is not YAML"),
        (SAMPLE.replace("rows:", "row:"), "unknown key 'row'; the nearest known key is 'rows'"),
        ("", "sample.yaml"),
    ],
)
def test_sample_file_that_cannot_be_used_is_refused(root: Path, text: str | None, said: str) -> None:
    # given
    (root / "sample.yaml").unlink()
    if text is not None:
        (root / "sample.yaml").write_text(text)
    # when / then
    with pytest.raises(UserError, match=said) as caught:
        locate(DataConfig(sample="sample.yaml"), root / "cache", root)
    assert "data.sample" in str(caught.value) and "\n" not in str(caught.value)


def test_source_survives_json(root: Path) -> None:
    # given
    (root / "table.csv").write_bytes(CSV)
    configs = (
        DataConfig(path=str(root / "table.csv")),
        DataConfig(sample="sample.yaml"),
    )
    # when / then
    for config in configs:
        source = locate(config, root / "cache", root)
        assert TableSource.model_validate_json(source.model_dump_json()) == source
        assert TableSource.model_validate(source.model_dump(mode="json")) == source
    download = TableSource(
        kind="url", location=NOWHERE, sha256=SHA256, fingerprint=SHA256, cache=str(root), why="data.url"
    )
    assert TableSource.model_validate_json(download.model_dump_json()) == download


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,bb\n1,2\n3,4\n", "has no column 'b'; the nearest is 'bb'"),
        (b"a,b\n1,2\n", r"has 1 row\(s\); a table needs at least 2 rows"),
        (b"a,b\n", r"has 0 row\(s\); a table needs at least 2 rows"),
        (b"a,b,c\n1,2,\n3,4,NA\n", "has no value at all in 'c'; drop the column"),
    ],
)
def test_table_with_nothing_to_learn_from_is_refused(root: Path, content: bytes, said: str) -> None:
    # given
    (root / "table.csv").write_bytes(content)
    source = locate(DataConfig(path=str(root / "table.csv")), root / "cache", root)
    # when / then
    with pytest.raises(UserError, match=said):
        read_table(source, "b", False, 0)


@pytest.mark.parametrize(
    ("values", "expected"),
    [(["1", "", "0"], [1, 0]), (["1.5", "", "2"], [1.5, 2.0]), (["True", "", "False"], [True, False])],
    ids=["codes", "numbers", "booleans"],
)
def test_rows_without_a_target_are_dropped_where_asked(root: Path, values: list[str], expected: list[Any]) -> None:
    # given
    (root / "table.csv").write_text("a,b\n" + "".join(f"{n},{value}\n" for n, value in enumerate(values)))
    data = DataConfig(path=str(root / "table.csv"))
    kept = data.model_copy(update={"reading": ReadingConfig(target_missing="drop")})
    # when
    all_rows, before = read_table(locate(data, root, root), "b", False, 0)
    rows, after = read_table(locate(kept, root, root), "b", False, 0)
    # then
    assert (len(all_rows), before.without_target_dropped) == (3, 0)
    assert (rows["a"].tolist(), after.rows, after.without_target_dropped) == ([0, 2], 2, 1)
    assert [(type(value), value) for value in rows["b"].tolist()] == [(type(value), value) for value in expected]
    assert list(rows.index) == [0, 1]


def test_a_target_of_holes_is_refused_when_rows_are_dropped(root: Path) -> None:
    # given
    (root / "table.csv").write_bytes(b"a,b\n1,\n2,\n")
    data = DataConfig(path=str(root / "table.csv"), reading=ReadingConfig(target_missing="drop"))
    # when / then
    with pytest.raises(UserError, match="no value at all in 'b'"):
        read_table(locate(data, root, root), "b", False, 0)


def test_rules_of_the_validation_decide_what_is_text_and_what_a_date(root: Path) -> None:
    # given
    (root / "table.csv").write_bytes(b"code,day,number,label\n1,2024-02-01,1,1\n2,2024-02-02,2,2\n")
    columns = {
        "code": ColumnConfig(kind="category"),
        "day": ColumnConfig(kind="date"),
        "number": ColumnConfig(kind="number"),
        "label": ColumnConfig(kind="category"),
        "absent": ColumnConfig(kind="category"),
    }
    # when
    source = locate(DataConfig(path=str(root / "table.csv")), root, root, columns)
    rows, _ = read_table(TableSource.model_validate_json(source.model_dump_json()), "label", False, 0)
    # then: the target's labels stay what they are
    kinds = rows.dtypes.astype(str).to_dict()
    assert kinds == {"code": "str", "day": "datetime64[us]", "number": "int64", "label": "int64"}


def test_reading_belongs_to_the_source(root: Path) -> None:
    # given
    (root / "table.csv").write_bytes(b"a;b\n1,5;2\n2,5;3\n")
    data = DataConfig(path=str(root / "table.csv"), reading=ReadingConfig(separator=";", decimal=","))
    # when
    source = TableSource.model_validate_json(locate(data, root, root).model_dump_json())
    # then
    assert read_table(source, "b", False, 0)[0].to_dict("list") == {"a": [1.5, 2.5], "b": [2, 3]}
