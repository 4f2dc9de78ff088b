"""Held-out rows: drawn before anything is fitted, once, and alike where it was asked for."""

import numpy as np
import pandas as pd
import pytest

from tabular.config.stages import SplitConfig, TargetConfig
from tabular.errors import UserError
from tabular.table.splitting import split, tuning_rows

PRICE = TargetConfig(column="price")
LABEL = TargetConfig(column="label", task="classification")


def _rows(count: int = 400) -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "number": np.arange(count),
            "income": random.lognormal(size=count),
            "price": random.uniform(1, 2, count),
            "label": random.choice(["common", "rare"], count, p=[0.9, 0.1]),
        }
    )


def test_every_row_is_in_one_part_and_the_index_is_fresh() -> None:
    # given / when
    train, held_out = split(_rows(), PRICE, SplitConfig(held_out=0.25), 42)
    # then
    assert sorted([*train["number"], *held_out["number"]]) == list(range(400))
    assert len(held_out) == 100
    assert list(train.index) == list(range(300)) and list(held_out.index) == list(range(100))


def test_the_seed_alone_decides() -> None:
    # given / when
    first, again, other = (split(_rows(), PRICE, SplitConfig(), seed)[1] for seed in (42, 42, 43))
    # then
    pd.testing.assert_frame_equal(first, again)
    assert list(first["number"]) != list(other["number"])


def test_what_the_rows_hold_does_not_move_them() -> None:
    # given the same table with other values in every held-out row
    rows = _rows()
    train, held_out = split(rows, PRICE, SplitConfig(), 42)
    changed = rows.copy()
    changed.loc[held_out["number"], ["income", "price"]] = 1e9
    # when / then
    pd.testing.assert_frame_equal(split(changed, PRICE, SplitConfig(), 42)[0], train)


@pytest.mark.parametrize("usual", [0.0, -1.0, 7.5])
@pytest.mark.parametrize("others", [2, 5, 9, 60, 190])
@pytest.mark.parametrize("seed", range(5))
def test_a_target_that_is_mostly_one_value_keeps_its_share(usual: float, others: int, seed: int) -> None:
    # given claims of which most are 0, the others all different
    price = pd.Series([usual] * (400 - others) + [*range(100, 100 + others)])
    rows = _rows().assign(price=price.sample(frac=1, random_state=1).to_numpy())
    # when
    train, held_out = split(rows, PRICE, SplitConfig(held_out=0.2), seed)
    # then
    assert len(held_out) == 80
    assert (held_out["price"] != usual).sum() == pytest.approx(others * 0.2, abs=0.61)
    assert (train["price"] != usual).sum() + (held_out["price"] != usual).sum() == others


@pytest.mark.parametrize("price", [[0] * 400, [0] * 399 + [1], [*range(100, 301), *[9] * 199]])
def test_any_other_number_is_split_as_without_a_target(price: list[int]) -> None:
    # given
    rows = _rows()
    expected = split(rows, PRICE, SplitConfig(), 3)[1]["number"]
    # when / then
    assert list(split(rows.assign(price=price), PRICE, SplitConfig(), 3)[1]["number"]) == list(expected)


@pytest.mark.parametrize("count", [2, 3, 4, 6])
def test_a_tiny_table_that_is_mostly_one_value_is_split(count: int) -> None:
    rows = _rows(count).assign(price=[0.0] * (count - 1) + [1.0])
    train, held_out = split(rows, PRICE, SplitConfig(), 3)
    assert len(train) + len(held_out) == count


def test_a_classification_keeps_the_shares_of_its_classes() -> None:
    # given / when
    train, held_out = split(_rows(), LABEL, SplitConfig(held_out=0.1), 1)
    # then the 10 % class has its 10 % in both, to within the rounding of a row
    share = (_rows()["label"] == "rare").mean()
    assert (held_out["label"] == "rare").sum() == round(share * len(held_out))
    assert (train["label"] == "rare").mean() == pytest.approx(share, abs=1 / len(train))


def test_many_numeric_classes_are_kept_apart_rather_than_binned() -> None:
    # given twenty classes with numbers for names, five rows each
    rows = pd.DataFrame({"x": range(100), "label": np.repeat(np.arange(20), 5)})
    # when
    _, held_out = split(rows, LABEL, SplitConfig(held_out=0.2), 3)
    # then each has one row held out
    assert list(held_out["label"].value_counts()) == [1] * 20


def test_a_number_is_stratified_in_ten_quantile_bins() -> None:
    # given
    rows = _rows()
    bins = pd.qcut(rows["income"], 10, labels=False)
    # when
    _, held_out = split(rows, PRICE, SplitConfig(stratify="income"), 42)
    # then each tenth gives a tenth of the held-out rows
    assert list(bins[held_out["number"]].value_counts()) == [8] * 10


def test_missing_values_of_the_column_to_stratify_by_are_a_stratum() -> None:
    # given
    rows = _rows()
    rows.loc[:39, "income"] = np.nan
    # when
    _, held_out = split(rows, PRICE, SplitConfig(stratify="income"), 42)
    # then
    assert held_out["income"].isna().sum() == 8


def test_an_unknown_column_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UserError, match=r"split.stratify: there is no column 'incme'; the table has number, income"):
        split(_rows(), PRICE, SplitConfig(stratify="incme"), 42)


def test_a_stratum_of_one_row_and_a_table_of_one_row_are_refused_in_one_line() -> None:
    # given
    lonely = _rows().assign(label=lambda rows: ["only"] + ["other"] * (len(rows) - 1))
    # when / then
    with pytest.raises(UserError, match=r"^split: 400 rows cannot be split alike in 'label'.*split\.stratify.*$"):
        split(lonely, LABEL, SplitConfig(), 42)
    with pytest.raises(UserError, match=r"^split: 1 rows cannot be split: .*$"):
        split(_rows(1), PRICE, SplitConfig(), 42)


def test_a_small_table_is_tuned_on_all_of_its_training_rows() -> None:
    # given
    rows = pd.DataFrame({"size": range(100), "price": range(100)})

    # then
    assert tuning_rows(rows, TargetConfig(column="price"), SplitConfig(tuning_rows=100), 42) is rows
    assert tuning_rows(rows, TargetConfig(column="price"), SplitConfig(tuning_rows=None), 42) is rows


def test_a_large_table_is_tuned_on_a_draw_of_its_training_rows() -> None:
    # given
    rows = pd.DataFrame({"size": range(1000), "price": range(1000)})

    # when
    drawn, again, other = (
        tuning_rows(rows, TargetConfig(column="price"), SplitConfig(tuning_rows=200), seed) for seed in (42, 42, 43)
    )

    # then: without replacement, in their order, the same for the same seed, and spread over the whole table
    assert len(drawn) == 200 and drawn["size"].is_monotonic_increasing and drawn["size"].is_unique
    assert drawn.equals(again) and not drawn.equals(other)
    assert list(drawn.index) == list(range(200)) and 400 < drawn["size"].mean() < 600


def test_rare_classes_keep_rows_to_be_tuned_on() -> None:
    # given: one class in a hundred, and one of three rows
    kinds = ["often"] * 9900 + ["seldom"] * 97 + ["hardly"] * 3
    rows = pd.DataFrame({"size": range(10_000), "kind": kinds})
    target = TargetConfig(column="kind", task="classification")

    # when
    drawn = tuning_rows(rows, target, SplitConfig(tuning_rows=1000), 42)

    # then
    assert drawn["kind"].value_counts().to_dict() == {"often": 990, "seldom": 50, "hardly": 3}
