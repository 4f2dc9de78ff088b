"""Columns that hold no values, and columns whose names look like others."""

import io

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tabular.config.reading import ReadingConfig
from tabular.errors import UserError
from tabular.profiling.profile import profile
from tabular.table.parsing import parse


def parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


STRANGE = {
    "bytes": (pa.array([bytes([255, n]) for n in range(40)]), "bytes that are no text"),
    "large bytes": (pa.array([bytes([254, n]) for n in range(40)], pa.large_binary()), "bytes that are no text"),
    "hashes": (pa.array([bytes([200, n]) * 8 for n in range(40)], pa.binary(16)), "bytes that are no text"),
    "UUIDs": (pa.array([bytes([200, n]) * 8 for n in range(40)], pa.uuid()), "bytes that are no text"),
    "categories": (pa.array([bytes([255, n % 3]) for n in range(40)]).dictionary_encode(), "bytes that are no text"),
    "holes": (pa.array([None if n % 2 else bytes([255, n]) for n in range(40)]), "bytes that are no text"),
    "lists": (pa.array([[n] for n in range(40)]), "lists or records"),
    "records": (pa.array([{"x": n} for n in range(40)]), "lists or records"),
}


@pytest.mark.parametrize(("values", "what"), STRANGE.values(), ids=STRANGE)
def test_a_parquet_column_of_no_values_is_named_and_can_be_left_out(values: pa.Array, what: str) -> None:
    # given
    columns = {"size": [n * 1.5 for n in range(40)], "the shape": values, "price": [n * n % 17 / 4 for n in range(40)]}
    content = parquet(pa.table(columns))
    # when / then: refused in one line, and left out where that is asked for
    with pytest.raises(UserError, match=f"column 'the shape' holds {what}"):
        parse(content, "the file")
    assert list(parse(content, "the file", without=["the shape"])["size"]) == columns["size"]
    # when / then: what `init` leaves out the training can read
    found = profile(content, "the file", "price").found
    shape = next(column for column in found.columns if column.name == "the shape")
    assert shape.drop == f"it holds {what}" and "the shape" not in [column.name for column in found.inputs]
    with pytest.raises(UserError, match="column 'the shape' holds"):
        profile(content, "the file", "the shape")


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary(3)])
def test_bytes_that_are_a_text_are_read_as_text(kind: pa.DataType) -> None:
    content = parquet(pa.table({"a": [1, 2, 3], "b": pa.array([b"abc", None, b"xyz"], kind)}))
    assert parse(content, "the file")["b"].fillna("").tolist() == ["abc", "", "xyz"]


ALIKE = ["total\N{NO-BREAK SPACE}cost", "total\n cost", "total\N{THIN SPACE}cost", "to\N{ZERO WIDTH SPACE}tal cost"]


@pytest.mark.parametrize(
    "name", [*ALIKE, "\N{BYTE ORDER MARK}total cost", "total\u3000cost", "total cost\N{SOFT HYPHEN}"]
)
@pytest.mark.parametrize("kind", ["csv", "parquet", "own way"])
def test_a_column_has_the_name_that_a_person_sees(name: str, kind: str) -> None:
    # given: codes, whose zeros are kept where the name is recognised
    rows = pd.DataFrame({"a": ["1", "2"], name: ["007", "010"]})
    content = parquet(pa.Table.from_pandas(rows)) if kind == "parquet" else rows.to_csv(index=False).encode()
    for asked in ("total cost", name):
        reading = ReadingConfig(text=(asked,), thousands="," if kind == "own way" else None)
        # when
        read = parse(content, "the file", reading)
        # then
        assert list(read) == ["a", "total cost"] and list(read["total cost"]) == ["007", "010"]


def test_names_are_composed() -> None:
    assert list(parse("Cafe\u0301,b\n1,2\n".encode(), "the file")) == ["Caf\u00e9", "b"]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_two_names_that_look_the_same_are_shown_apart(kind: str) -> None:
    rows = pd.DataFrame([[1, 2, 3]], columns=["a b", "a\N{NO-BREAK SPACE}b", "c"])
    with pytest.raises(UserError, match=r"more than once: 'a b', 'a\\xa0b'; rename"):
        parse(
            parquet(pa.Table.from_pandas(rows)) if kind == "parquet" else rows.to_csv(index=False).encode(), "the file"
        )


def test_a_named_index_of_parquet_is_a_column() -> None:
    rows = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    pd.testing.assert_frame_equal(parse(parquet(pa.Table.from_pandas(rows.set_index("a"))), "the file"), rows)


def test_repeated_parquet_columns_are_named() -> None:
    with pytest.raises(UserError, match="more than once: 'a'"):
        parse(parquet(pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])), "the file")
