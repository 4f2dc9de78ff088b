"""Small fitted pipelines, as `tabular.learning.training` makes them."""

from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from tabular.config.stages import ClusterConfig, FeatureConfig, ImputationConfig, RatioConfig, TargetConfig
from tabular.learning import imputation, training
from tabular.learning.features import feature_pipeline, preprocessing
from tabular.reports.training import BestParameters, TargetTransform

RATIO = RatioConfig(numerator="rooms", denominator="homes")
FEW = {
    "linear": {},
    "random_forest": {"n_estimators": 12, "max_features": 0.5, "min_samples_leaf": 2},
    "hist_gradient_boosting": {"max_iter": 15},
    "lightgbm": {"n_estimators": 20, "min_child_samples": 5},
    "xgboost": {"n_estimators": 20, "max_depth": 4},
}
"""Few rounds of each algorithm."""


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
    return TargetConfig(column="price", task="classification" if classes else "regression")


def fitted(
    rows: pd.DataFrame,
    algorithm: str = "lightgbm",
    classes: int = 0,
    imputer: str = "median",
    encoding: Literal["similarity", "label"] = "similarity",
    transform: TargetTransform = "none",
    parameters: dict[str, Any] | None = None,
) -> Pipeline:
    """A pipeline fitted on `rows`, with a ratio and four clusters where the columns are there."""
    clusters = ClusterConfig(columns=("east", "north"), counts=(4,), encoding=encoding)
    holes = int(rows.drop(columns="price").select_dtypes("number").isna().any().sum())
    recipe = imputation.strategy(imputer, ImputationConfig(), holes, 1)
    if imputer == "iterative":
        recipe.imputer.estimator.set_params(n_estimators=15)
    numeric = {"rooms", "homes", "east", "north"} <= set(rows)
    features = FeatureConfig(
        ratios={"rooms_per_home": RATIO} if numeric else {}, clusters=clusters if numeric else None
    )
    columns = feature_pipeline(rows, "price", features, 4 if numeric else None, 1)
    way = preprocessing(rows, "price", imputation.ImputerPair(recipe.scaler, recipe.imputer), columns)
    best = BestParameters(
        algorithm=algorithm,
        target_transform=transform,
        parameters=FEW[algorithm] if parameters is None else parameters,
    )
    return training.fit(rows, target(classes), way, best, 1, 1)
