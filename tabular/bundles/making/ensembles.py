"""Reads the trees of fitted ensembles of each library."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from xgboost import XGBClassifier, XGBRegressor

from tabular.bundles.making.trees import NotCompilable, Tree, constant

LIGHTGBM_LINKS = {
    **dict.fromkeys(("regression", "regression_l1", "huber", "fair", "quantile", "mape"), "identity"),
    **dict.fromkeys(("poisson", "gamma", "tweedie"), "exp"),
    "binary": "sigmoid",
    "multiclass": "softmax",
}
XGBOOST_LINKS = {
    "reg:squarederror": "identity",
    "reg:absoluteerror": "identity",
    "reg:pseudohubererror": "identity",
    "binary:logistic": "sigmoid",
    "multi:softprob": "softmax",
}
HISTOGRAM_LINKS = {"IdentityLink": "identity", "LogLink": "exp", "LogitLink": "sigmoid", "MultinomialLogit": "softmax"}


class Forest(NamedTuple):
    """An ensemble; its raw output is base + sum of its trees / divisor, and `link` turns it into a prediction."""

    trees: list[Tree]
    outputs: int
    link: str
    base: list[float]
    divisor: float = 1.0
    single: bool = False
    """Whether it compares and sums in float32; the base is then the first tree of each output."""


def forest(estimator: Any) -> Forest | None:
    """The trees of a fitted estimator; None if it is not an ensemble of trees.

    Raises:
        NotCompilable: the ensemble is of a kind that cannot be compiled.
    """
    for kinds, reader in READERS:
        if isinstance(estimator, kinds):
            return reader(estimator)
    return None


def _random_forest(model: Any) -> Forest:
    classes = model.n_classes_ if isinstance(model, RandomForestClassifier) else 0
    # The share of the first of two classes is the remainder. A leaf has one output in ONNX, so each further class
    # repeats the trees.
    outputs = [0] if not classes else [1] if classes == 2 else list(range(classes))
    trees = [
        Tree(t.feature, t.threshold, t.children_left, t.children_right, t.value[:, 0, output], place)
        for place, output in enumerate(outputs)
        for t in (one.tree_ for one in model.estimators_)
    ]
    link = "share" if classes else "identity"
    return Forest(trees, len(outputs), link, [0.0] * len(outputs), float(len(model.estimators_)))


def _histogram(model: Any) -> Forest:
    link = HISTOGRAM_LINKS.get(type(model._loss.link).__name__)
    if link is None:
        raise NotCompilable(f"its boosting has the link {type(model._loss.link).__name__}")
    trees = []
    for iteration in model._predictors:
        for output, predictor in enumerate(iteration):
            nodes = predictor.nodes
            if nodes["is_categorical"].any():
                raise NotCompilable("its trees split by sets of categories")
            ends = nodes["is_leaf"].astype(bool)
            left, right = (np.where(ends, -1, nodes[side].astype(np.int64)) for side in ("left", "right"))
            trees.append(Tree(nodes["feature_idx"], nodes["num_threshold"], left, right, nodes["value"], output))
    base = [float(value) for value in np.ravel(model._baseline_prediction)]
    return Forest(trees, len(base), link, base)


def _lightgbm(model: Any) -> Forest:
    header, *blocks = model.booster_.model_to_string(importance_type="split").split("end of trees")[0].split("\nTree=")
    lines = header.splitlines()
    fields = dict(line.split("=", 1) for line in lines if "=" in line)
    objective = fields.get("objective", "none").split()
    link = LIGHTGBM_LINKS.get(objective[0])
    if link is None or "sqrt" in objective or "average_output" in lines:
        raise NotCompilable(f"its LightGBM model has the objective or mode '{' '.join(objective)}', which is not known")
    if link == "sigmoid" and "sigmoid:1" not in objective:
        raise NotCompilable("its LightGBM model scales the sigmoid")
    outputs = int(fields["num_tree_per_iteration"])
    trees = [_lightgbm_tree(block, number % outputs) for number, block in enumerate(blocks)]
    return Forest(trees, outputs, link, [0.0] * outputs)


def _lightgbm_tree(block: str, output: int) -> Tree:
    fields = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
    if fields["num_cat"] != "0" or fields.get("is_linear", "0") != "0":
        raise NotCompilable("its LightGBM trees have categorical splits or linear leaves")

    def array(name: str, dtype: type) -> Any:
        return np.array(fields.get(name, "").split(), dtype=dtype)

    leaves = array("leaf_value", np.float64)
    if int(fields["num_leaves"]) == 1:
        return constant(leaves[0])._replace(output=output)
    # LightGBM sends missing values to one side. The imputer leaves none, but zeros may be treated as missing.
    if np.any(array("decision_type", np.int64) & 0b1100 == 0b0100):
        raise NotCompilable("its LightGBM trees take zeros for missing values")
    inner, ends = len(leaves) - 1, np.full(len(leaves), -1)
    children = (array(f"{side}_child", np.int64) for side in ("left", "right"))
    left, right = (np.concatenate([np.where(side < 0, inner + ~side, side), ends]) for side in children)
    return Tree(
        np.concatenate([array("split_feature", np.int64), ends]),
        np.concatenate([array("threshold", np.float64), np.zeros(len(leaves))]),
        left,
        right,
        np.concatenate([np.zeros(inner), leaves]),
        output,
    )


def _xgboost(model: Any) -> Forest:
    learner = json.loads(model.get_booster().save_raw("json"))["learner"]
    objective, booster = learner["objective"]["name"], learner["gradient_booster"]
    link = XGBOOST_LINKS.get(objective)
    if link is None or booster["name"] != "gbtree":
        raise NotCompilable(f"its XGBoost model is a {booster['name']} of objective {objective}, which is not known")
    base = np.array(json.loads(learner["learner_model_param"]["base_score"]), dtype=np.float32).ravel()
    outputs = max(1, int(learner["learner_model_param"]["num_class"]))
    if link == "sigmoid":
        base = -np.log(np.float32(1) / base - np.float32(1))
    base = np.broadcast_to(base, outputs)
    # XGBoost starts with the base and adds the trees in float32, and the order of additions decides the last digits.
    trees = [constant(value)._replace(output=output) for output, value in enumerate(base)]
    for tree, output in zip(booster["model"]["trees"], booster["model"]["tree_info"], strict=True):
        if any(tree["split_type"]) or tree["tree_param"]["size_leaf_vector"] not in ("0", "1"):
            raise NotCompilable("its XGBoost trees have categorical splits or several outputs")
        conditions = np.array(tree["split_conditions"], dtype=np.float32)
        left, right = (np.array(tree[f"{side}_children"], dtype=np.int64) for side in ("left", "right"))
        trees.append(Tree(np.array(tree["split_indices"]), conditions, left, right, conditions, output))
    return Forest(trees, outputs, link, [0.0] * outputs, single=True)


READERS: tuple[tuple[tuple[type, ...], Callable[[Any], Forest]], ...] = (
    ((RandomForestRegressor, RandomForestClassifier), _random_forest),
    ((HistGradientBoostingRegressor, HistGradientBoostingClassifier), _histogram),
    ((LGBMRegressor, LGBMClassifier), _lightgbm),
    ((XGBRegressor, XGBClassifier), _xgboost),
)
