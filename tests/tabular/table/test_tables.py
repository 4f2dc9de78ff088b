"""Which columns are numbers and which are categories."""

import pandas as pd

from tabular.table.tables import categorical_columns, date_columns, numeric_columns

ROWS = pd.DataFrame(
    {
        "word": ["x", "y"],
        "whole": [1, 2],
        "target": [1.0, 2.0],
        "flag": [True, False],
        "real": [0.5, None],
        "mixed_flag": [True, None],
        "nullable": pd.array([1, None], dtype="Int64"),
        "coded": pd.Categorical(["a", "b"]),
        "day": pd.to_datetime(["2024-02-29", None]),
        "moment": pd.to_datetime(["2024-02-29", None], utc=True),
        "written": ["2024-02-29", "2024-03-01"],
    }
)


def test_numbers_and_categories_in_the_tables_order_without_the_target() -> None:
    # given / when
    numeric, categorical = numeric_columns(ROWS, "target"), categorical_columns(ROWS, "target")
    # then booleans are categories, and every other column is in exactly one list
    assert numeric == ["whole", "real", "nullable"]
    assert categorical == ["word", "flag", "mixed_flag", "coded", "written"]
    assert date_columns(ROWS, "target") == ["day", "moment"]


def test_a_target_of_any_kind_is_in_no_list() -> None:
    # given / when / then
    for target in ROWS.columns:
        kinds = (numeric_columns, categorical_columns, date_columns)
        assert sorted(name for kind in kinds for name in kind(ROWS, target)) == sorted(set(ROWS.columns) - {target})
