"""Columns that a table holds itself beside those that are derived of it, and labels that are fractions."""

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
