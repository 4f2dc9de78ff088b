"""The table of the config with logged rows at its end."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tabular.config.stages import ColumnConfig
from tabular.errors import UserError
from tabular.monitoring.feedback_table import to_parquet, with_feedback


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "size": [1.5, 2.5, np.nan],
            "rooms": [1, 2, 3],
            "kind": ["flat", "house", None],
            "lift": [True, False, True],
            "built": pd.to_datetime(["2001-01-31", "2002-02-28", None]),
            "code": ["007", "1", "2"],
            "price": [10.0, 20.0, 30.0],
        }
    )


def sent(**values: Any) -> dict[str, Any]:
    """What a client sends for a row."""
    return {"size": 4, "rooms": 5, "kind": "flat", "lift": "true", "built": "2024-05-06", "code": "007"} | values


def test_logged_rows_come_below_in_the_dtypes_of_the_table(table: pd.DataFrame) -> None:
    # when
    rows, added, refused = with_feedback(
        table, [(sent(), 99), (sent(kind="castle", size=None), 77.5)], "price", "regression", {}
    )

    # then
    assert (added, refused) == (2, 0)
    pd.testing.assert_frame_equal(rows.iloc[:3], table, check_dtype=False)
    assert rows.dtypes[["size", "rooms", "price"]].map(lambda dtype: dtype.kind in "fi").all()
    assert rows["kind"].tolist()[3:] == ["flat", "castle"]
    assert rows["lift"].tolist()[3:] == [True, True]
    assert rows["built"].tolist()[3:] == [pd.Timestamp("2024-05-06")] * 2
    assert rows["code"].tolist()[3:] == ["007", "007"]
    assert rows["price"].tolist()[3:] == [99.0, 77.5] and np.isnan(rows["size"][4])


def test_labels_are_spelled_as_in_the_table(table: pd.DataFrame) -> None:
    # given classes that are numbers, which clients send as text
    # when
    rows, _, _ = with_feedback(table, [(sent(), "2")], "rooms", "classification", {})

    # then
    assert rows["rooms"].tolist() == [1, 2, 3, 2]


def test_what_breaks_a_rule_is_left_out_and_counted(table: pd.DataFrame) -> None:
    # given
    rules = {
        "size": ColumnConfig(kind="number", min=1, max=9),
        "kind": ColumnConfig(kind="category", categories=("flat", "house")),
        "built": ColumnConfig(kind="date", latest="2024-12-31"),
    }
    logged = [
        (sent(), 1.0),
        (sent(size=0.5), 2.0),
        (sent(size=10), 3.0),
        (sent(kind="castle"), 4.0),
        (sent(built="2025-01-01"), 5.0),
        (sent(built="2024-12-31T23:00:00"), 6.0),
        (sent(size=None, kind=None, built=None), 7.0),
    ]

    # when
    rows, _, refused = with_feedback(table, logged, "price", "regression", rules)

    # then
    assert rows["price"].tolist()[3:] == [1.0, 6.0, 7.0] and refused == 4


def test_a_row_is_added_once(table: pd.DataFrame) -> None:
    # given rows that the table has, or that were logged before; what repeats in the table itself stays
    repeated = pd.concat([table, table.iloc[:1]], ignore_index=True)
    known = sent(size=1.5, rooms=1, built="2001-01-31")

    # when
    rows, added, _ = with_feedback(
        repeated, [(known, 10), (sent(), 5), (sent(), 5), (sent(), 6)], "price", "regression", {}
    )

    # then
    assert rows["price"].tolist() == [10, 20, 30, 10, 5, 6] and added == 2


def test_equal_rows_make_equal_bytes(table: pd.DataFrame) -> None:
    # when / then
    logged = [(sent(), 5.0)]
    one, other = (to_parquet(with_feedback(table, logged, "price", "regression", {})[0]) for _ in range(2))
    assert one == other


def test_nothing_to_add_is_one_line(table: pd.DataFrame) -> None:
    with pytest.raises(UserError, match="no logged prediction has a true value yet"):
        with_feedback(table, [], "price", "regression", {})
