"""Small fitted pipelines, as `tabular.learning.training` makes them."""

from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from tabular.config.stages import ClusterConfig, FeatureConfig, ImputationConfig, TargetConfig
from tabular.learning import imputation, training
from tabular.learning.features import preprocessing
from tabular.reports.training import BestParameters, TargetTransform

FEW = {
    "linear": {},
    "random_forest": {"n_estimators": 12, "max_features": 0.5, "min_samples_leaf": 2},
    "hist_gradient_boosting": {"max_iter": 15},
    "lightgbm": {"n_estimators": 20, "min_child_samples": 5},
    "xgboost": {"n_estimators": 20, "max_depth": 4},
}
"""Parameters with few rounds, by algorithm."""


def table(count: int = 260, classes: int = 0) -> pd.DataFrame:
    """Rows with holes in two number columns and a text column, and a target: a price, or one of `classes` labels."""
    random = np.random.default_rng(5)
    rows = pd.DataFrame(random.uniform(1, 9, size=(count, 4)), columns=["east", "rooms", "homes", "north"])
    rows.insert(0, "kind", random.choice(["bay", "inland", "9"], count))
    rows.insert(2, "floors", random.integers(0, 5, count))
    rows["new"] = random.random(count) > 0.5
    price = rows["rooms"] * (1 + rows["new"]) * 1e4 + 3e4 * (rows["kind"] == "bay") + random.uniform(0, 1e3, count)
    rows.loc[::9, "rooms"] = np.nan
    rows.loc[3::17, "north"] = np.nan
    rows.loc[::11, "kind"] = None
    rows["price"] = price if not classes else pd.qcut(price, classes, labels=[f"class {i}" for i in range(classes)])
    if classes:
        rows["price"] = rows["price"].astype(object)
    return rows


def target(classes: int = 0) -> TargetConfig:
    """The target config of `table`."""
    return TargetConfig(column="price", task="classification" if classes else "regression")


def unfitted(
    rows: pd.DataFrame,
    target: TargetConfig,
    config: FeatureConfig | None = None,
    clusters: int | None = None,
    strategy: Literal["median", "mean", "knn", "iterative"] = "median",
) -> Pipeline:
    """The unfitted preprocessing of a table, with one strategy for missing values."""
    pair, _ = imputation.compare(rows, target.column, ImputationConfig(strategies=(strategy,)), 1)
    return preprocessing(rows, target, pair, config or FeatureConfig(), clusters, 5)


def fitted(
    rows: pd.DataFrame,
    algorithm: str = "lightgbm",
    classes: int = 0,
    imputer: str = "median",
    encoding: Literal["similarity", "label"] = "similarity",
    transform: TargetTransform = "none",
    parameters: dict[str, Any] | None = None,
) -> Pipeline:
    """A pipeline fitted on `rows`; where the columns exist, it has a ratio and four clusters."""
    clusters = ClusterConfig(columns=("east", "north"), counts=(4,), encoding=encoding)
    holes = int(rows.drop(columns="price").select_dtypes("number").isna().any().sum())
    recipe = imputation.strategy(imputer, ImputationConfig(), holes, 1)
    if imputer == "iterative":
        recipe.imputer.estimator.set_params(n_estimators=15)
    numeric = {"rooms", "homes", "east", "north"} <= set(rows)
    derived = FeatureConfig(expressions={"rooms_per_home": "rooms / homes"}, clusters=clusters)
    pair = imputation.ImputerPair(recipe.scaler, recipe.imputer)
    kind = target(classes)
    way = preprocessing(rows, kind, pair, derived if numeric else FeatureConfig(), 4 if numeric else None, 1)
    best = BestParameters(
        algorithm=algorithm,
        target_transform=transform,
        parameters=FEW[algorithm] if parameters is None else parameters,
    )
    return training.fit(rows, kind, way, best, 1, 1)
