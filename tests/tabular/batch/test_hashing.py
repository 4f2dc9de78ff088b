"""The hash of a row's content: published, stable, and the same for one row as for many."""

import random

import numpy as np
import pyarrow as pa

from tabular.batch import hashing

FACTOR, MASK = 0xC6A4A7935BD1E995, 2**64 - 1


def murmur(content: bytes) -> int:
    """MurmurHash64A as it is published, byte by byte."""
    found = len(content) * FACTOR & MASK
    for at in range(0, len(content) // 8 * 8, 8):
        word = int.from_bytes(content[at : at + 8], "little") * FACTOR & MASK
        found = (found ^ (word ^ word >> 47) * FACTOR & MASK) * FACTOR & MASK
    if tail := content[len(content) // 8 * 8 :]:
        found = (found ^ int.from_bytes(tail, "little")) * FACTOR & MASK
    found = (found ^ found >> 47) * FACTOR & MASK
    return found ^ found >> 47


def test_texts_have_the_published_hash() -> None:
    # given
    draw = random.Random(1)
    texts = [b"hello", b"", *(draw.randbytes(draw.randrange(70)) for _ in range(200))]
    ends = np.cumsum([len(text) for text in texts])
    starts = ends - [len(text) for text in texts]
    # when
    found = hashing.of_texts(b"".join(texts), starts, ends)
    # then
    assert found.tolist() == [murmur(text) for text in texts]
    assert hashing.as_hex(found).to_pylist()[0] == "1e68d17c457bf117"


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
