"""Columns that a table holds itself beside those that are derived of it, and labels that are fractions."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tabular.config.stages import FeatureConfig, TargetConfig
from tabular.errors import UserError
from tests.support.fitted import unfitted

PRICE = TargetConfig(column="price")
DATES = ("year", "age")


def _rows(count: int = 60) -> pd.DataFrame:
    """A date with its year beside it, and a category with one of its values as a number beside it."""
    random = np.random.default_rng(3)
    sold = pd.Timestamp("2001-01-01") + pd.to_timedelta(random.integers(0, 3000, count), unit="D")
    return pd.DataFrame(
        {
            "sold": sold,
            "sold_year": np.asarray(sold.year) + 0.5,
            "kind": random.choice(["bay", "inland"], count),
            "kind_bay": random.normal(size=count),
            "town": random.choice(["a", "b", "c"], count),
            "price": random.uniform(1, 2, count),
        }
    )


def _matrix(rows: pd.DataFrame, config: FeatureConfig) -> pd.DataFrame:
    inputs = rows.drop(columns="price")
    fitted = unfitted(rows, PRICE, config).fit(inputs, rows["price"].to_numpy())
    return pd.DataFrame(fitted.transform(inputs), columns=fitted.get_feature_names_out())


def test_a_column_beside_a_derived_one_of_its_name_is_kept_and_told_apart() -> None:
    # given
    rows = _rows()
    # when
    matrix = _matrix(rows, FeatureConfig(dates=DATES, target_encoding=("town",)))
    # then
    assert matrix.columns.is_unique
    np.testing.assert_array_equal(matrix["numeric__sold_year"], rows["sold_year"].astype("float32"))
    np.testing.assert_array_equal(matrix["date_0__sold_year"], rows["sold"].dt.year.astype("float32"))
    np.testing.assert_array_equal(matrix["numeric__kind_bay"], rows["kind_bay"].astype("float32"))
    np.testing.assert_array_equal(matrix["categories__kind_bay"], (rows["kind"] == "bay").astype("float32"))


@pytest.mark.parametrize(
    ("columns", "shared"),
    [
        ({"has": ["pool", "garden_True"], "has_garden": [True, False]}, "has_garden_True"),
        ({"a": ["b_c", "d"], "a_b": ["c", "e"], "z": ["f", "g"]}, "a_b_c"),
        ({"a": ["b_missing", "d"], "a_b": ["c", None]}, "a_b_missing"),
        ({"x": ["y_z_1", "y"], "x_y": ["z_1", "z"], "x_y_z": ["1", "2"]}, "x_y_z_1"),
    ],
    ids=["boolean", "text", "hole", "three"],
)
def test_categories_that_make_one_name_are_told_apart(columns: dict[str, list[Any]], shared: str) -> None:
    # given
    random = np.random.default_rng(1)
    drawn = {name: pd.Series(random.choice(np.array(values, dtype=object), 80)) for name, values in columns.items()}
    rows = pd.DataFrame(drawn | {"size": random.normal(size=80)})
    rows["price"] = rows["size"] + (rows.iloc[:, 0] == rows.iloc[0, 0]) + 2.0
    inputs = rows.drop(columns="price")
    # when
    matrix = _matrix(rows, FeatureConfig())
    # then: each name says which column made it
    assert matrix.columns.is_unique
    assert sum(name.endswith(f"__{shared}") for name in matrix) >= 2
    for number, name in enumerate(columns):
        for value in inputs[name].fillna("missing").unique():
            has_it = (inputs[name].fillna("missing") == value).astype("float32")
            np.testing.assert_array_equal(matrix[f"categories_{number}__{name}_{value}"], has_it)


def test_names_that_differ_stay_plain() -> None:
    # given
    rows = _rows().drop(columns=["sold_year", "kind_bay"])
    # when
    matrix = _matrix(rows, FeatureConfig(dates=DATES, target_encoding=("town",)))
    # then
    assert list(matrix) == ["sold_year", "sold_age", "kind_bay", "kind_inland", "town"]


@pytest.mark.parametrize("name", ["sold_year", "sold_age", "kind_inland", "town"])
def test_a_column_that_the_config_asks_for_may_not_be_called_as_another(name: str) -> None:
    config = FeatureConfig(dates=DATES, target_encoding=("town",), expressions={name: "kind_bay + 1"})
    with pytest.raises(UserError, match=f"two columns would be called '{name}'; rename"):
        unfitted(_rows(), PRICE, config)


def test_target_means_of_labels_that_are_fractions_are_cross_fitted() -> None:
    # given: labels that scikit-learn takes for the numbers of a regression
    rows = _rows().assign(label=np.tile([0.5, 1.5], 30))[["kind", "town", "label"]]
    label = TargetConfig(column="label", task="classification")
    way = unfitted(rows, label, FeatureConfig(target_encoding=("town",)))
    # when
    means = way.fit_transform(rows.drop(columns="label"), rows["label"].to_numpy())[:, -1]
    # then
    assert ((means > 0.5) & (means < 1.5)).all()
