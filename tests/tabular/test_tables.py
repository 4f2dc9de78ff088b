"""Which columns are numbers and which are categories."""

import pandas as pd

from tabular.tables import categorical_columns, numeric_columns

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
    }
)


def test_numbers_and_categories_in_the_tables_order_without_the_target() -> None:
    # given / when
    numeric, categorical = numeric_columns(ROWS, "target"), categorical_columns(ROWS, "target")
    # then booleans are categories, and every other column is in exactly one list
    assert numeric == ["whole", "real", "nullable"]
    assert categorical == ["word", "flag", "mixed_flag", "coded"]


def test_a_target_of_either_kind_is_in_neither_list() -> None:
    # given / when / then
    for target in ROWS.columns:
        assert target not in numeric_columns(ROWS, target) + categorical_columns(ROWS, target)
