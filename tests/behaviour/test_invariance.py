"""Invariance: what must not matter does not, or as little as it should."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.learned import Learned, learn, read

SWITCHED = {"yes": "no", "no": "yes"}


def same(found: NDArray[Any], expected: NDArray[Any]) -> None:
    """Labels are equal, numbers to the precision of the float32 that the trees work in."""
    if expected.dtype.kind == "f":
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    else:
        np.testing.assert_array_equal(found, expected)


def test_the_order_of_the_columns_does_not_matter(anything: Learned) -> None:
    # when
    turned = anything.model.predict(anything.held_out[anything.held_out.columns[::-1]])
    # then
    same(turned, anything.predict())


def test_a_column_that_the_model_does_not_know_does_not_matter(anything: Learned) -> None:
    # when
    rows = anything.held_out.copy()
    rows.insert(0, "comment", "none")
    rows["number"] = np.arange(len(rows))
    # then
    same(anything.model.predict(rows), anything.predict())


def test_the_order_and_the_index_of_the_rows_do_not_matter(anything: Learned) -> None:
    # given
    order = np.random.default_rng(0).permutation(len(anything.held_out))
    rows = anything.held_out.iloc[order].set_index(np.repeat(["twice"], len(order)))
    # then
    same(anything.model.predict(rows), anything.predict()[order])


@pytest.mark.parametrize("kind", ["int64", "Int64", "float64", "object"])
def test_whole_numbers_are_the_same_in_any_dtype(kind: str, anything: Learned) -> None:
    # given numbers without decimals
    names = anything.held_out.select_dtypes("number").columns
    whole = {name: anything.held_out[name].round().fillna(0.0) for name in names}
    # when
    typed = {name: column.astype(kind) for name, column in whole.items()}
    # then
    assert len(names) >= 8
    same(anything.predict(**typed), anything.predict(**whole))


@pytest.mark.parametrize("hole", ["None", "NaN", "NA"])
def test_every_kind_of_hole_is_the_same(hole: str, anything: Learned) -> None:
    # given a third of all cells empty
    known = anything.held_out.mask(np.random.default_rng(1).random(anything.held_out.shape) < 1 / 3)
    # when
    as_object = known.astype(object)
    rows = {
        "None": as_object.where(known.notna(), None),
        "NaN": as_object.where(known.notna(), np.nan),
        "NA": known.convert_dtypes(),
    }[hole]
    # then
    assert rows.isna().sum().sum() == known.isna().sum().sum() > 0
    same(anything.model.predict(rows), anything.model.predict(known))


def test_true_is_true_however_it_is_spelled() -> None:
    # given a model whose yes and no were true and false, with holes among them
    rows = read("obesity.yaml", None)
    names = [name for name in rows if set(rows[name]) == set(SWITCHED)]
    holes = np.random.default_rng(2).random(len(rows)) < 0.1
    model = learn("obesity.yaml", rows.assign(**{name: (rows[name] == "yes").mask(holes) for name in names}))
    given = {name: model.held_out[name].astype("boolean") for name in names}
    # then
    assert len(names) == 4 and all(column.isna().any() for column in given.values())
    for spelled in ("str", "object", "boolean"):
        same(model.predict(**{name: column.astype(spelled) for name, column in given.items()}), model.predict())
    # and what is spelled does matter: the other way round it is another person
    turned = {name: (~column).astype("str") for name, column in given.items()}
    assert (model.predict(**turned) != model.predict()).any()


def test_a_hundred_metres_hardly_change_a_price(california: Learned) -> None:
    # given
    rows = california.held_out
    # when
    near, far = (
        np.abs(california.relative_change(longitude=rows["longitude"] + by, latitude=rows["latitude"] - by))
        for by in (0.001, 0.5)
    )
    # then: 0.3 % in the mean, and more than 5 % for 1.3 % of the districts, with the worst of eight seeds
    assert near.mean() < 0.006
    assert (near > 0.05).mean() < 0.03
    # and fifty kilometres do: 8 % to 18 %
    assert far.mean() > 0.05


def test_a_larger_district_of_the_same_kind_has_the_same_price(california: Learned) -> None:
    # given a tenth more of everything that is counted, so that rooms and people in each home stay what they are
    counted = ("total_rooms", "total_bedrooms", "population", "households")
    # when
    change = np.abs(california.relative_change(**{name: california.held_out[name] * 1.1 for name in counted}))
    # then: 0.7 % to 1.7 % in the mean; with a shuffled target 3.4 %, and a quarter of the rows by more than 5 %
    assert change.mean() < 0.025
    assert (change > 0.05).mean() < 0.08


# Of the real table at most 0.2 % and 0.7 % of the people change their level with any of eight seeds, of the sample
# 1 % and 1.4 %; with a shuffled target it is 18 % and more.
@pytest.mark.parametrize(("habit", "limit"), [("SMOKE", 0.02), ("SCC", 0.03)])
def test_a_habit_that_says_little_of_weight_seldom_changes_a_level(habit: str, limit: float, obesity: Learned) -> None:
    # when
    switched = obesity.predict(**{habit: obesity.held_out[habit].map(SWITCHED)})
    # then
    assert (switched != obesity.predict()).mean() <= limit


def test_an_error_of_measurement_hardly_changes_the_value_of_a_home(boston: Learned) -> None:
    # when
    rows = boston.held_out
    little, much = (np.abs(boston.relative_change(**{name: rows[name] * by for name in rows})) for by in (1.001, 1.2))
    # then: at most 0.34 % in the mean, more than 5 % for 3 of 102 homes with the worst seed
    assert little.mean() < 0.007
    assert (little > 0.05).mean() < 0.06
    # and large ones do: 7 % to 20 %
    assert much.mean() > 0.03


def test_a_model_that_learned_nothing_is_found_out(nothing: tuple[str, Learned]) -> None:
    # given a model whose target was dealt out to other rows, so that every column matters as much as any other
    config, model = nothing
    rows = model.held_out
    # then
    if config == "obesity.yaml":
        for habit in ("SMOKE", "SCC"):
            assert (model.predict(**{habit: rows[habit].map(SWITCHED)}) != model.predict()).mean() > 0.03
    if config == "train.yaml":
        counted = ("total_rooms", "total_bedrooms", "population", "households")
        change = np.abs(model.relative_change(**{name: rows[name] * 1.1 for name in counted}))
        assert (change > 0.05).mean() > 0.08
