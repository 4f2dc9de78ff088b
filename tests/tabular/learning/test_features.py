"""From raw columns to the estimator's matrix."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from tabular.config.stages import ClusterConfig, FeatureConfig, ImputationConfig, TargetConfig
from tabular.errors import UserError
from tabular.learning.features import Categories, Float32, preprocessing
from tabular.learning.imputation import compare
from tabular.storage.persistence import to_bytes
from tests.support.fitted import unfitted

PRICE = TargetConfig(column="price")
RATIO = {"per_home": "rooms / homes"}
PLACES = ClusterConfig(columns=("east", "north"), counts=(3,))


def _rows(count: int = 120) -> pd.DataFrame:
    random = np.random.default_rng(0)
    rows = pd.DataFrame(
        {
            "rooms": random.uniform(1, 9, count),
            "kind": random.choice(["inland", "bay"], count),
            "homes": random.integers(0, 4, count),
            "east": random.normal(size=count),
            "north": random.normal(size=count),
            "sold": random.random(count) > 0.5,
            "price": random.uniform(1, 2, count),
        }
    )
    rows.loc[::7, "rooms"] = np.nan
    return rows


def _fitted(rows: pd.DataFrame, config: FeatureConfig, clusters: int | None = None, target: str = "price") -> Pipeline:
    return unfitted(rows, TargetConfig(column=target), config, clusters).fit(rows.drop(columns=target))


def _matrix(way: Pipeline, rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(way.transform(rows), columns=way.get_feature_names_out())


def test_the_matrix_is_float32_with_numbers_expressions_clusters_and_categories() -> None:
    # given
    rows = _rows()
    way = _fitted(rows, FeatureConfig(expressions=RATIO, clusters=PLACES), 3)
    # when
    matrix = _matrix(way, rows)
    # then
    numbers = ["rooms", "homes", "east", "north", "per_home"]
    onehot = ["kind_bay", "kind_inland", "sold_False", "sold_True"]
    assert list(matrix) == [*numbers, "cluster_0", "cluster_1", "cluster_2", *onehot]
    assert set(matrix.dtypes) == {np.dtype("float32")}
    filled = rows["rooms"].fillna(rows["rooms"].median())
    expected = np.where(rows["homes"] == 0, 0, filled / rows["homes"].replace(0, 1))
    np.testing.assert_array_equal(matrix["per_home"], expected.astype(np.float32))
    np.testing.assert_array_equal(matrix["sold_True"], rows["sold"].astype(np.float32))


def test_clusters_are_left_out_without_a_number_or_without_a_config() -> None:
    for config, clusters in ((FeatureConfig(clusters=PLACES), None), (FeatureConfig(), 3)):
        assert not [name for name in _fitted(_rows(), config, clusters).get_feature_names_out() if "cluster" in name]


def test_an_unknown_category_is_all_zeros() -> None:
    # given
    way = _fitted(_rows(), FeatureConfig())
    # when
    served = _matrix(way, _rows().head(2).assign(kind=["moon", None]))
    # then so is a missing one that training never saw
    assert (served[["kind_bay", "kind_inland"]] == 0).all(axis=None)


def test_a_missing_category_is_a_category_where_training_had_holes() -> None:
    # given text and booleans with holes
    rows = _rows()
    rows["sold"] = rows["sold"].astype(object)
    rows.loc[::5, ["kind", "sold"]] = None
    way = _fitted(rows, FeatureConfig())
    # when
    served = _matrix(way, rows.head(2))
    # then
    assert [name for name in served if name.endswith("missing")] == ["kind_missing", "sold_missing"]
    assert list(served["kind_missing"]) == list(served["sold_missing"]) == [1.0, 0.0]


def test_a_category_column_that_is_empty_in_a_fold_is_no_mistake() -> None:
    # given
    rows = _rows().assign(kind=pd.Series([None] * 120, dtype=object))
    # when
    matrix = _matrix(_fitted(rows, FeatureConfig()), rows)
    # then
    assert (matrix["kind_missing"] == 1).all()


def test_a_boolean_is_spelled_alike_as_a_boolean_an_object_and_text() -> None:
    # given
    way = _fitted(_rows(), FeatureConfig())
    columns = ["sold_False", "sold_True"]
    # when
    spelled = [
        _matrix(way, _rows().head(1).assign(sold=pd.Series([True], dtype=dtype)))[columns]
        for dtype in ("bool", "object", "boolean", "str")
    ]
    # then
    assert all(list(one.loc[0]) == [0.0, 1.0] for one in spelled)


def test_categories_become_text_and_holes_a_category() -> None:
    # given
    frame = pd.DataFrame({"a": pd.Series([True, None, "x"], dtype=object), "b": pd.Categorical(["u", None, "v"])})
    # when
    text = Categories().fit_transform(frame)
    # then
    assert text.tolist() == [["True", "u"], ["missing", "missing"], ["x", "v"]]


def test_float32_keeps_within_its_range() -> None:
    # given / when
    cast = Float32().fit_transform([[1e300, -1e300, 0.1]])
    # then
    limit = np.finfo(np.float32).max
    assert cast.dtype == np.float32
    assert cast.tolist() == [[limit, -limit, np.float32(0.1)]]


def test_the_target_is_no_input_of_the_imputer_or_the_features() -> None:
    # given the same rows with another target
    rows = _rows()
    config = FeatureConfig(expressions=RATIO, clusters=PLACES)
    # when
    way, other = _fitted(rows, config, 3), _fitted(rows.assign(price=rows["rooms"] * 1000), config, 3)
    # then
    assert to_bytes(way) == to_bytes(other)
    assert "price" not in way.feature_names_in_
    assert not [name for name in way.get_feature_names_out() if "price" in name]


def test_a_fitted_imputation_is_only_a_recipe() -> None:
    # given an imputation that was fitted on other rows
    rows = _rows()
    pair, _ = compare(rows.head(60), "price", ImputationConfig(strategies=("median",)), 1)
    before = to_bytes(pair.imputer)
    # when
    anew = preprocessing(rows, PRICE, pair, FeatureConfig(clusters=PLACES), 3, 5).fit(rows.drop(columns="price"))
    # then it is left as it is, and an unfitted copy of it is fitted on the rows at hand
    assert to_bytes(pair.imputer) == before
    assert to_bytes(anew) == to_bytes(_fitted(rows, FeatureConfig(clusters=PLACES), 3))


def _sales() -> pd.DataFrame:
    """With a date that has holes, and a category of very many values that says much of the price."""
    rows, random = _rows(300), np.random.default_rng(4)
    rows["sold on"] = pd.Timestamp("2023-01-31") + pd.to_timedelta(random.integers(0, 400, 300), unit="D")
    rows.loc[::9, "sold on"] = pd.NaT
    city = random.integers(0, 40, 300)
    return rows.assign(city=[f"city {number}" for number in city], price=rows["price"] + city)


def test_expressions_are_columns_between_the_numbers_and_the_clusters() -> None:
    # given
    rows = _rows().fillna({"rooms": 2.0})
    config = FeatureConfig(expressions=RATIO | {"space": "rooms * log1p(homes) / east"}, clusters=PLACES)
    # when
    matrix = _matrix(_fitted(rows, config, 3), rows)
    # then
    assert list(matrix)[4:7] == ["per_home", "space", "cluster_0"]
    expected = rows["rooms"] * np.log1p(rows["homes"]) / rows["east"]
    np.testing.assert_allclose(matrix["space"], expected, rtol=1e-6)


def test_a_date_becomes_its_parts_and_counts_from_the_latest_training_date() -> None:
    # given
    rows = _sales()
    way = _fitted(rows, FeatureConfig(dates=("year", "month", "age")))
    later = rows.head(3).assign(**{"sold on": pd.Timestamp("2025-06-01")})
    # when
    matrix, served = _matrix(way, rows), _matrix(way, later)
    # then
    names = [f"sold on_{part}" for part in ("year", "month", "age")]
    assert [name for name in matrix if name.startswith("sold on")] == names
    known = rows["sold on"].notna()
    np.testing.assert_array_equal(matrix.loc[known, names[0]], rows.loc[known, "sold on"].dt.year)
    np.testing.assert_array_equal(matrix.loc[known, names[1]], rows.loc[known, "sold on"].dt.month)
    ages = (rows["sold on"].max() - rows["sold on"]).dt.days
    np.testing.assert_array_equal(matrix.loc[known, names[2]], ages[known])
    # and a hole is filled by the median
    np.testing.assert_array_equal(matrix.loc[~known, names[2]], np.float32(ages.median()))
    # and a date after all of them has a negative age
    assert set(served[names[2]]) == {(rows["sold on"].max() - pd.Timestamp("2025-06-01")).days}


def test_a_date_may_come_as_text_or_with_a_zone_when_serving() -> None:
    # given
    rows = _sales()
    way = _fitted(rows, FeatureConfig())
    stamps = rows["sold on"]
    text = stamps.map(lambda stamp: None if pd.isna(stamp) else stamp.isoformat()).astype(object)
    # when / then
    for other in (text, stamps.dt.tz_localize("UTC"), stamps.dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo")):
        np.testing.assert_array_equal(way.transform(rows.assign(**{"sold on": other})), way.transform(rows))
    with pytest.raises(ValueError, match="'sold on' is a date"):
        way.transform(rows.assign(**{"sold on": 5.0}))


def test_a_date_that_is_hardly_ever_there_is_refused() -> None:
    rows = _sales()
    rows.loc[15:, "sold on"] = pd.NaT
    with pytest.raises(UserError, match=r"'sold on' has .* known dates in the 300 training rows, too few"):
        unfitted(rows, PRICE)


@pytest.mark.parametrize("task", ["regression", "binary", "classes"])
def test_target_means_are_cross_fitted_on_the_training_rows(task: str) -> None:
    # given
    rows = _sales()
    if task != "regression":
        noisy = rows["price"] + np.random.default_rng(1).normal(0, 20, len(rows))
        rows["price"] = pd.qcut(noisy, 2 if task == "binary" else 3, labels=False).map({0: "a", 1: "b", 2: "c"})
    kind: Any = "regression" if task == "regression" else "classification"
    way = unfitted(rows, TargetConfig(column="price", task=kind), FeatureConfig(target_encoding=("city",)))
    inputs, target = rows.drop(columns="price"), rows["price"].to_numpy()
    # when
    fitted_on = way.fit_transform(inputs, target)
    served = way.transform(inputs)
    # then a training row is given what the others say, and when serving what all say
    names = [str(name) for name in way.get_feature_names_out()]
    columns = [at for at, name in enumerate(names) if name == "city" or name.startswith("city_")]
    assert len(columns) == (3 if task == "classes" else 1)
    assert (fitted_on[:, columns] != served[:, columns]).any(axis=1).mean() > 0.9
    others = [at for at in range(len(names)) if at not in columns]
    np.testing.assert_array_equal(fitted_on[:, others], served[:, others])
    # and an unknown category the mean of the target
    unknown = way.transform(inputs.head(1).assign(city="nowhere"))[0, columns]
    labels = sorted(set(target))
    means = [np.mean(target)] if kind == "regression" else [np.mean(target == label) for label in labels]
    np.testing.assert_allclose(unknown, means[1:] if task == "binary" else means, rtol=1e-6)


def test_a_table_of_numbers_alone_and_one_of_categories_alone() -> None:
    # given / when / then
    numbers = _fitted(_rows()[["rooms", "homes", "price"]], FeatureConfig())
    words = _fitted(_rows()[["kind", "price"]], FeatureConfig())
    assert list(numbers.get_feature_names_out()) == ["rooms", "homes"]
    assert list(words.get_feature_names_out()) == ["kind_bay", "kind_inland"]


@pytest.mark.parametrize("column", ["rooms", "homes", "kind", "sold"])
def test_a_column_that_is_absent_when_serving_is_missing(column: str) -> None:
    # given
    way = _fitted(_rows(), FeatureConfig(expressions=RATIO))
    served = _rows().drop(columns="price")
    # when / then
    np.testing.assert_array_equal(
        way.transform(served.drop(columns=column)), way.transform(served.assign(**{column: np.nan}))
    )


def test_more_columns_than_in_training_change_nothing() -> None:
    # given
    way = _fitted(_rows(), FeatureConfig(expressions=RATIO))
    served = _rows().drop(columns="price")
    # when / then, in whatever order
    np.testing.assert_array_equal(
        way.transform(served), way.transform(served.assign(id=1)[["id", *served.columns[::-1]]])
    )


@pytest.mark.parametrize("name", ["clusters", "numeric", "a__b", "per home"])
def test_an_expression_may_have_any_name_that_is_free(name: str) -> None:
    way = _fitted(_rows(), FeatureConfig(expressions={name: RATIO["per_home"]}, clusters=PLACES), 3)
    assert name in way.get_feature_names_out()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"expressions": {"e": "homes / rooom"}},
            r"features.expressions.e: 'homes / rooom', character 9: 'rooom' is not .*; the nearest is 'rooms'",
        ),
        ({"expressions": {"e": "homes + kind"}}, r"character 9: 'kind' is not a numeric input column"),
        ({"expressions": {"rooms": "homes + 1"}}, r"would be called 'rooms'"),
        ({"target_encoding": ["rooms"]}, r"features.target_encoding: 'rooms' is not a category column; there are kind"),
        (
            {"clusters": {"columns": ["east", "sold"], "counts": [3]}},
            r"features.clusters.columns: 'sold' is not a numeric",
        ),
        ({"expressions": {"kind_bay": "homes + 1"}}, r"would be called 'kind_bay'"),
        ({"expressions": {"e": "price / homes"}}, r"'price' is not a numeric input column"),
    ],
)
def test_a_config_that_does_not_fit_the_table_is_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        unfitted(_rows(), PRICE, FeatureConfig.model_validate(config), 3)
