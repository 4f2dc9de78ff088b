"""The hash of a row's content: the same for one row as for many, and another one for each content."""

import numpy as np
import pyarrow as pa
import pytest

from tabular.batch import hashing


def test_a_text_has_the_same_hash_wherever_it_stands() -> None:
    # given
    data = b"1,a\n1,b\n1,a"
    # when
    found = hashing.of_texts(data, np.array([0, 4, 8]), np.array([3, 7, 11]))
    # then
    assert found[0] == found[2] != found[1]
    assert hashing.of_texts(b"1,b", np.array([0]), np.array([3]))[0] == found[1]
    assert hashing.as_hex(found).to_pylist()[1] == f"{found[1]:016x}"


@pytest.mark.parametrize("kind", [pa.int8(), pa.uint64(), pa.bool_(), pa.timestamp("us"), pa.decimal128(20)])
def test_values_of_any_type_count_and_a_missing_one_too(kind: pa.DataType) -> None:
    # given
    values = pa.array([0, 1, None], pa.int64()).cast(kind)
    # when / then
    assert len(set(hashing.of_table(pa.table({"a": values})).tolist())) == 3


def test_the_order_of_the_columns_counts() -> None:
    # when / then
    one, other = (hashing.of_table(pa.table({"a": [a], "b": [b]})) for a, b in ((1, 2), (2, 1)))
    assert one[0] != other[0]


def test_a_row_of_a_table_has_the_same_hash_in_any_company() -> None:
    # given
    table = pa.table({"a": [1.5, None, 1.5], "b": ["x", None, "x"], "c": pa.array(["u", "v", "u"]).dictionary_encode()})
    # when
    found = hashing.of_table(table)
    # then: also of text that is written otherwise in memory, and of no other row
    assert found[0] == found[2] != found[1]
    plain = table.set_column(2, "c", table["c"].cast(pa.string()))
    assert hashing.of_table(plain[1:2])[0] == found[1]
    assert hashing.of_table(table.set_column(0, "a", pa.array([1.5, 0.0, 1.5])))[1] != found[1]
