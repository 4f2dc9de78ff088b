"""The generator of samples, and the descriptions of those that are shipped."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from pydantic import ValidationError
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

from tabular.config.training import TrainingFile
from tabular.table.sample import SampleSpec, make_sample
from tabular.table.tables import categorical_columns
from tabular.table.validation import validate
from tests.support.project import ROOT

CALIFORNIA = ROOT / "configs" / "samples" / "california.yaml"

LIMITS = {
    "longitude": (-125, -114),
    "latitude": (32, 42.5),
    "housing_median_age": (1, 52),
    "total_rooms": (1, 1e5),
    "total_bedrooms": (1, 1e5),
    "population": (1, 1e5),
    "households": (1, 1e5),
    "median_income": (0.4999, 15.0001),
    "median_house_value": (14999, 500001),
}


def small(**changes: Any) -> SampleSpec:
    spec = {
        "rows": 2000,
        "places": [
            {"category": "town", "weight": 3, "effect": 1.0, "spread": 0.5, "centre": {"x": 10.0}},
            {"category": "island", "rows": 7, "effect": 0.0, "spread": 0.5, "centre": {"x": -10.0}},
        ],
        "columns": {
            "x": {"distribution": "place"},
            "size": {"distribution": "lognormal", "mean": 2.0, "std": 0.5, "decimals": 3, "missing": 0.1},
            "price": {
                "distribution": "normal",
                "mean": 5.0,
                "std": 2.0,
                "of": {"size": 3.0},
                "max": 8.0,
                "decimals": 3,
            },
            "where": {"distribution": "category"},
        },
    }
    return SampleSpec.model_validate(spec | changes)


@pytest.fixture(scope="module")
def california() -> pd.DataFrame:
    return make_sample(SampleSpec.model_validate(yaml.safe_load(CALIFORNIA.read_bytes())), 42)


def test_equal_seeds_give_equal_tables() -> None:
    # when
    one, same, other = make_sample(small(), 1), make_sample(small(), 1), make_sample(small(), 2)
    # then
    pd.testing.assert_frame_equal(one, same, check_exact=True)
    assert not one.equals(other)


def test_table_follows_its_description() -> None:
    # when
    frame = make_sample(small(), 1)
    # then
    assert list(frame.columns) == ["x", "size", "price", "where"]
    assert frame["where"].value_counts().to_dict() == {"town": 1993, "island": 7}
    assert (frame.loc[frame["where"] == "island", "x"] < 0).all()
    assert frame["size"].isna().sum() == 200
    assert np.log(frame["size"]).mean() == pytest.approx(2.0, abs=0.05)
    assert frame["price"].max() == 8.0
    assert frame["price"].median() == pytest.approx(5.0, abs=0.2)
    assert np.log(frame["size"]).corr(frame["price"]) > 0.85


def test_place_effect_reaches_a_column() -> None:
    # given
    places = [
        {"category": name, "weight": 1, "effect": effect, "spread": 1.0, "centre": {}}
        for name, effect in (("dear", 1.0), ("cheap", -1.0))
    ]
    columns = {"price": {"distribution": "normal", "place": 2.0}, "where": {"distribution": "category"}}
    # when
    frame = make_sample(small(places=places, columns=columns), 1)
    means = frame.groupby("where")["price"].mean()
    # then
    assert means["dear"] - means["cheap"] > 1.0


def test_a_choice_follows_its_shares_and_other_columns() -> None:
    # given
    columns = {
        "x": {"distribution": "place"},
        "size": {"distribution": "lognormal"},
        "class": {
            "distribution": "choice",
            "of": {"size": 1.0},
            "noise": 0.1,
            "shares": {"small": 1, "medium": 2, "large": 1},
            "missing": 0.1,
        },
        "weight": {"distribution": "normal", "of": {"class": 1.0}, "noise": 0.1, "decimals": 3},
    }
    # when
    frame = make_sample(small(columns=columns), 1)
    known = frame.dropna()
    # then
    assert frame["class"].isna().sum() == 200
    assert known["class"].value_counts(normalize=True).to_dict() == pytest.approx(
        {"small": 0.25, "medium": 0.5, "large": 0.25}, abs=0.03
    )
    means = known.groupby("class")[["size", "weight"]].mean()
    assert (means.loc[["small", "medium", "large"]].diff().dropna() > 0).all(axis=None)


@pytest.mark.parametrize(("name", "rows", "best"), [("obesity", 2100, 0.85), ("boston", 506, 0.7)])
def test_the_other_samples_satisfy_their_configs_and_can_be_learned(name: str, rows: int, best: float) -> None:
    # given
    config = TrainingFile.model_validate(yaml.safe_load((ROOT / "configs" / f"{name}.yaml").read_bytes())).parameters
    assert config.data.sample is not None
    spec = SampleSpec.model_validate(yaml.safe_load((ROOT / config.data.sample).read_bytes()))
    # when
    frame = make_sample(spec, config.seed)
    # then
    assert list(frame) == list(config.validation.columns)
    assert len(frame) == rows
    assert validate(frame, config.target, config.validation).failures == []
    # and a model learns from some of the rows what the others are
    inputs = frame.drop(columns=config.target.column)
    inputs = inputs.astype(dict.fromkeys(categorical_columns(frame, config.target.column), "category"))
    parts = train_test_split(inputs, frame[config.target.column], test_size=0.2, random_state=0)
    kind = HistGradientBoostingRegressor if config.target.task == "regression" else HistGradientBoostingClassifier
    with threadpool_limits(1):
        model = kind(max_iter=50, categorical_features="from_dtype", random_state=0).fit(parts[0], parts[2])
    assert model.score(parts[1], parts[3]) > best


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"columns": {"x": {"distribution": "choice"}}}, "a choice needs them"),
        ({"columns": {"x": {"distribution": "normal", "shares": {"a": 1}}}}, "'shares' are for a choice"),
        ({"columns": {"price": {"distribution": "normal"}}}, "must give a value for each of"),
        ({"columns": {"x": {"distribution": "place", "of": {"later": 1.0}}}}, "'later' is not an earlier column"),
        ({"rows": 6}, "must not exceed 'rows'"),
        ({"rows": 1}, "greater than or equal to 2"),
        ({"places": []}, "at least 1 item"),
    ],
)
def test_description_that_does_not_fit_together_is_refused(changes: dict[str, Any], said: str) -> None:
    # when / then
    with pytest.raises(ValidationError, match=said):
        small(**changes)


def test_california_has_the_columns_and_ranges(california: pd.DataFrame) -> None:
    # then
    assert list(california.columns) == [*LIMITS, "ocean_proximity"]
    assert len(california) == 20640
    for name, (low, high) in LIMITS.items():
        assert california[name].dtype == np.float64
        assert california[name].dropna().between(low, high).all(), name
    assert (california["total_bedrooms"].dropna() % 1 == 0).all()


def test_california_has_the_same_kinds_of_trouble(california: pd.DataFrame) -> None:
    # when
    missing = california.isna().mean()
    categories = california["ocean_proximity"].value_counts()
    counts = california[["total_rooms", "total_bedrooms", "population", "households"]].corr()
    # then
    assert missing.pop("total_bedrooms") == pytest.approx(0.01, abs=0.001)
    assert (missing == 0).all()
    assert 0.04 <= (california["median_house_value"] == 500001).mean() <= 0.05
    assert set(categories.index) == {"<1H OCEAN", "INLAND", "NEAR OCEAN", "NEAR BAY", "ISLAND"}
    assert 5 <= categories["ISLAND"] < 20
    assert counts.to_numpy().min() > 0.75
    assert not california.duplicated().any()


def test_california_is_learnable_and_honest(california: pd.DataFrame) -> None:
    # given
    california = california.head(6000)
    features = california.drop(columns="median_house_value").astype({"ocean_proximity": "category"})
    parts = train_test_split(features, california["median_house_value"], test_size=0.2, random_state=0)
    # when
    with threadpool_limits(1):  # threads that wait for each other on a busy machine take minutes
        score = HistGradientBoostingRegressor(random_state=0).fit(parts[0], parts[2]).score(parts[1], parts[3])
    # then
    assert 0.70 < score < 0.90
