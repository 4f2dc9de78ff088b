"""Columns that give the target away, and honest ones that do not."""

import numpy as np
import pandas as pd
import pytest

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


def _coded(kind: str, known: int) -> pd.DataFrame:
    """Rows whose code tells the target, a tenth of whose codes occur once; the codes' order says nothing of it."""
    random = np.random.default_rng(5)
    group, left = random.integers(0, known, 3 * ROWS), random.random(3 * ROWS) < 0.3
    group[:: 2 * 5] = 1000 + np.arange(3 * ROWS // 10)
    codes: dict[str, list[object]] = {
        "year and answer": [f"{g}{'FAIL' if y else 'PASS'}" for g, y in zip(group, left, strict=True)],
        "hash": [f"{(g * 2 + y) * 2654435761 % 2**32:08x}" for g, y in zip(group, left, strict=True)],
        "number": [int((g * 2 + y) * 2654435761 % 2**31) for g, y in zip(group, left, strict=True)],
    }
    number = np.array([hash_of * 2654435761 % 10_007 for hash_of in group * 2 + left])
    return pd.DataFrame({"code": codes[kind], "left": np.where(left, "yes", "no"), "cost": number / 7})


@pytest.mark.parametrize("known", [5, 90, 250])
@pytest.mark.parametrize("kind", ["year and answer", "hash", "number"])
@pytest.mark.parametrize("target", ["left", "cost"])
def test_a_code_that_gives_the_target_away_is_a_leak_whatever_its_order(kind: str, known: int, target: str) -> None:
    rows = _coded(kind, known)[["code", target]]
    assert levels(rows, target, "classification" if target == "left" else "regression") == {"code": "loud"}


@pytest.mark.parametrize("honest", [0.02, 0.1])
def test_a_code_that_is_wrong_now_and_then_is_no_leak(honest: float) -> None:
    # given
    rows = _coded("hash", 90)
    changed = np.random.default_rng(6).random(len(rows)) < honest
    rows["left"] = rows["left"].where(~changed, rows["left"].map({"yes": "no", "no": "yes"}))
    # when / then
    assert levels(rows[["code", "left"]], "left", "classification").get("code") != "loud"


@pytest.mark.parametrize("share", [0.5, 0.05])
def test_a_code_of_few_rows_each_that_says_nothing_is_no_leak(share: float) -> None:
    random = np.random.default_rng(7)
    pairs = pd.Series(np.repeat(np.arange(ROWS), 2)).map("pair {}".format)
    rows = pd.DataFrame({"pair": pairs, "left": np.where(random.random(2 * ROWS) < share, "yes", "no")})
    assert levels(rows.assign(cost=random.normal(size=2 * ROWS)), "left", "classification") == {}
    assert levels(rows.assign(cost=random.normal(size=2 * ROWS))[["pair", "cost"]], "cost", "regression") == {}
