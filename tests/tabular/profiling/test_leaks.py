"""Columns that give the target away, and honest ones that do not."""

import numpy as np
import pandas as pd

from tabular.profiling.leaks import find

ROWS = 400


def levels(rows: pd.DataFrame, target: str, task: str) -> dict[str | None, str]:
    columns = [str(column) for column in rows.columns if column != target]
    return {
        f.column: f.level
        for f in find(rows, columns, target, "regression" if task == "regression" else "classification")
    }


def test_copies_and_transforms_of_a_number_are_leaks() -> None:
    # given
    random = np.random.default_rng(0)
    price = pd.Series(random.lognormal(size=ROWS))
    rows = pd.DataFrame(
        {
            "price": price,
            "copy": price,
            "logarithm": np.log(price),
            "falling": 1 / price,
            "holed": price.mask(random.random(ROWS) < 0.3),
            "nearly": price * (1 + 0.001 * random.normal(size=ROWS)),
            "close": price * (1 + 0.08 * random.normal(size=ROWS)),
            "honest": price + random.normal(size=ROWS),
            "noise": random.normal(size=ROWS),
            "label": random.choice(["a", "b"], ROWS),
        }
    )
    # when
    found = levels(rows, "price", "regression")
    # then
    assert {name for name, level in found.items() if level == "loud"} == {
        "copy", "logarithm", "falling", "holed", "nearly",
    }  # fmt: skip
    assert [f.text for f in find(rows[["price", "falling"]], ["falling"], "price", "regression")] == [
        "LEAK: it falls as the target rises, value for value (a transform of it); left out"
    ]
    assert "honest" not in found and "noise" not in found and "label" not in found


def test_other_names_of_a_class_and_what_separates_it_are_leaks() -> None:
    # given: yes is rare, and one column is filled only there
    random = np.random.default_rng(1)
    left = random.random(ROWS) < 0.2
    rows = pd.DataFrame(
        {
            "left": np.where(left, "yes", "no"),
            "code": left.astype(int),
            "apart": left * 10 + random.normal(size=ROWS),
            "left_on": pd.Series(pd.date_range("2020-01-01", periods=ROWS)).where(left),
            "honest": left + random.normal(size=ROWS),
            "colour": random.choice(["red", "blue"], ROWS),
        }
    )
    # when / then
    assert levels(rows, "left", "classification") == {"code": "loud", "apart": "loud", "left_on": "loud"}


def test_a_few_rows_say_nothing() -> None:
    rows = pd.DataFrame({"price": np.arange(20.0), "copy": np.arange(20.0)})
    assert levels(rows, "price", "regression") == {}
