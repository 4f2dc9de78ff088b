"""What cannot be compiled is refused by name, and the compiled files are as small and as steady as their model."""

from typing import Any

import numpy as np
import onnxruntime
import pytest
from lightgbm import LGBMRegressor
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.pipeline import Pipeline

from tabular.bundles.making.compiling import compiled, raw_columns
from tabular.bundles.making.trees import NotCompilable, Tree, constant, to_onnx
from tests.support.fitted import fitted, table


def _sums(content: bytes, rows: Any) -> Any:
    return onnxruntime.InferenceSession(content).run(None, {"rows": rows})[0]


def test_raw_columns_are_told_apart() -> None:
    raw = raw_columns(fitted(table()))
    assert raw.numbers == ["east", "floors", "rooms", "homes", "north"]
    assert raw.categories == {"kind": ["9", "bay", "inland", "missing"], "new": ["False", "True"]}


def test_equal_models_give_equal_bytes() -> None:
    rows = table()
    assert compiled(fitted(rows, imputer="iterative")) == compiled(fitted(rows, imputer="iterative"))


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"objective": "cross_entropy"}, "cross_entropy"),
        ({"objective": "regression", "reg_sqrt": True}, "sqrt"),
        ({"boosting_type": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}, "objective or mode"),
        ({"linear_tree": True}, "linear leaves"),
        ({"zero_as_missing": True}, "zeros for missing"),
    ],
)
def test_a_lightgbm_model_of_another_kind_is_refused(parameters: dict[str, Any], said: str) -> None:
    # given: a target between 0 and 1, and in one case zeros among the inputs
    rows = table()
    rows["price"] /= rows["price"].max()
    rows.loc[::3, "rooms"] = 0.0
    model = fitted(rows, parameters={"n_estimators": 5, **parameters})
    # when / then
    with pytest.raises(NotCompilable, match=said):
        compiled(model)


@pytest.mark.parametrize("parameters", [{"booster": "dart"}, {"objective": "count:poisson"}])
def test_an_xgboost_model_of_another_kind_is_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(NotCompilable, match="XGBoost"):
        compiled(fitted(table(), "xgboost", parameters={"n_estimators": 3, **parameters}))


def test_an_estimator_that_nobody_knows_is_refused() -> None:
    # given
    rows = table()
    model = fitted(rows)
    regressor = model.named_steps["estimator"]
    regressor.regressor_ = GradientBoostingRegressor(n_estimators=2)
    # when / then
    with pytest.raises(NotCompilable, match="GradientBoostingRegressor"):
        compiled(model)


def test_an_imputer_that_clips_is_refused() -> None:
    # given
    model: Pipeline = fitted(table(), imputer="iterative")
    imputer = model.named_steps["impute"].named_transformers_["numeric"].imputer_
    imputer._min_value = np.zeros(5)
    # when / then
    with pytest.raises(NotCompilable, match="clips"):
        compiled(model)


def test_a_comparison_is_exact_in_float64_and_strict_where_asked() -> None:
    # given: a threshold that float32 cannot hold, and one that a value meets
    ends = np.array([1, -1, -1])
    tree = Tree(np.zeros(3, int), np.array([0.1, 0, 0]), ends, np.array([2, -1, -1]), np.array([0.0, 1.0, 2.0]))
    above = np.nextafter(0.1, 1)
    # when
    exact = _sums(to_onnx([tree], 1, 1), np.array([[0.1], [above]]))
    strict = _sums(to_onnx([tree], 1, 1, single=True), np.array([[0.1], [0.05]], dtype=np.float32))
    # then
    assert exact.ravel().tolist() == [1.0, 2.0]
    assert strict.ravel().tolist() == [2.0, 1.0]


def test_trees_without_splits_and_nodes_out_of_reach_are_taken() -> None:
    # given: a constant for each of two outputs, and a pruned tree whose second and third node nothing leads to
    left, right = np.array([3, -1, -1, -1, -1]), np.array([4, -1, -1, -1, -1])
    pruned = Tree(np.zeros(5, int), np.zeros(5), left, right, np.array([0.0, 9.0, 9.0, 1.0, 2.0]), 1)
    # when
    sums = _sums(to_onnx([constant(0.5), constant(7.0)._replace(output=1), pruned], 1, 2), np.array([[-1.0], [1.0]]))
    # then
    assert sums.tolist() == [[0.5, 8.0], [0.5, 9.0]]


def test_a_model_of_one_leaf_is_compiled() -> None:
    # given: too few rows for any split
    rows = table()[:30]
    rows["rooms"] = rows["rooms"].fillna(1.0)
    model = fitted(rows, parameters={"n_estimators": 2, "min_child_samples": 100})
    assert isinstance(model.named_steps["estimator"].regressor_, LGBMRegressor)
    # when / then
    assert "estimator.onnx" in compiled(model)
