"""What the evaluation says of why: importances of columns, and SHAP values of single rows."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from numpy.typing import NDArray
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    BaggingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier, XGBRegressor

from tabular.learning import metrics
from tabular.reports.training import ShapSummary
from tests.support.evaluated import (
    LABELLED,
    LABELLED_TRAIN,
    PRICED,
    PRICED_TRAIN,
    Wrapped,
    classified,
    evaluated,
    labelled,
    predict,
    priced,
    ridge,
)


@pytest.mark.parametrize("metric", ["wmape", "r2"])
def test_importances_are_positive_for_what_matters_and_zero_for_what_does_not(metric: str) -> None:
    # given a model that cannot see the noise
    model = ridge()
    model[-1].regressor_.coef_[1] = 0
    # when
    found = evaluated(model, metric=metric).importances
    # then
    assert [one.column for one in found] == ["size", "town", "noise"]
    assert found[0].permutation > found[1].permutation > 0
    assert found[2].permutation == found[2].std == 0


def test_an_importance_is_the_mean_loss_over_three_shuffles() -> None:
    # given the sample and the shuffles that the seed makes
    model = ridge()
    sample = PRICED.iloc[np.random.default_rng(3).permutation(len(PRICED))[:60]]
    random = np.random.default_rng(3)
    orders = [random.permutation(60) for _ in range(3)]
    # when
    found = {one.column: one for one in evaluated(model).importances}

    def score(rows: pd.DataFrame) -> float:
        return metrics.metric("wmape", "regression", sample["price"], predict(model, rows))

    # then
    losses = [score(sample.assign(size=sample["size"].to_numpy()[order])) - score(sample) for order in orders]
    assert found["size"].permutation == pytest.approx(np.mean(losses))
    assert found["size"].std == pytest.approx(np.std(losses))


def test_importances_of_probabilities() -> None:
    # given
    model = labelled(Wrapped(XGBClassifier(n_estimators=20, n_jobs=1)))
    # when
    found = {one.column: one.permutation for one in classified(model, metric="log_loss").importances}
    # then
    assert found["size"] > found["town"] and found["size"] > 0.5


def _inputs(shap: ShapSummary, model: Pipeline) -> NDArray[np.float32]:
    """The explained rows with their columns in the estimator's order."""
    names = list(model[:-1].get_feature_names_out())
    assert sorted(shap.columns) == sorted(names)
    return np.array(shap.inputs, dtype=np.float32)[:, [shap.columns.index(name) for name in names]]


REGRESSORS = [
    LGBMRegressor(n_estimators=30, n_jobs=1, verbose=-1),
    XGBRegressor(n_estimators=30, n_jobs=1),
    RandomForestRegressor(n_estimators=5, random_state=0),
    HistGradientBoostingRegressor(max_iter=30),
    Ridge(),
    Pipeline([("scale", StandardScaler()), ("ridge", Ridge())]),
]


@pytest.mark.parametrize("estimator", REGRESSORS, ids=lambda estimator: type(estimator).__name__)
def test_shap_values_add_up_to_the_prediction(estimator: Any) -> None:
    # given
    model = priced(TransformedTargetRegressor(estimator))
    # when
    shap = evaluated(model).shap
    # then what is left is the same base value for every row
    assert shap is not None and len(shap.values) == 60
    assert shap.columns[0] == "size"
    rest = model[-1].predict(_inputs(shap, model)) - np.sum(shap.values, axis=1)
    np.testing.assert_allclose(rest, rest[0], atol=1e-3)
    sizes = np.abs(shap.values).mean(axis=0)
    assert (np.diff(sizes) <= 0).all()


def test_shap_values_of_a_linear_model_are_measured_from_the_training_mean() -> None:
    # given
    model = ridge()
    # when
    shap = evaluated(model).shap
    # then
    assert shap is not None
    slope = model[-1].regressor_.coef_[0]
    expected = slope * (np.array(shap.inputs)[:, 0] - PRICED_TRAIN["size"].mean())
    np.testing.assert_allclose(np.array(shap.values)[:, 0], expected, rtol=1e-4, atol=1e-4)


CLASSIFIERS = [
    LGBMClassifier(n_estimators=10, n_jobs=1, verbose=-1),
    XGBClassifier(n_estimators=10, n_jobs=1),
    RandomForestClassifier(n_estimators=5, random_state=0),
    HistGradientBoostingClassifier(max_iter=10),
    LogisticRegression(max_iter=1000),
]


def _raw_output(classifier: Any, rows: NDArray[np.float32]) -> NDArray[np.float64]:
    if isinstance(classifier, LGBMClassifier):
        return np.asarray(classifier.predict(rows, raw_score=True))
    if isinstance(classifier, XGBClassifier):
        return np.asarray(classifier.predict(rows, output_margin=True))
    if isinstance(classifier, RandomForestClassifier):
        return np.asarray(classifier.predict_proba(rows))
    return np.asarray(classifier.decision_function(rows))


@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=lambda estimator: type(estimator).__name__)
def test_shap_values_of_three_classes_are_those_of_the_predicted_one(estimator: Any) -> None:
    # given
    model = labelled(Wrapped(estimator))
    # when
    shap = classified(model).shap
    # then rows of one predicted class share one base value
    assert shap is not None and shap.columns[0] == "size"
    rows = _inputs(shap, model)
    codes = model[-1].predict_proba(rows).argmax(axis=1)
    rest = _raw_output(model[-1].estimator_, rows)[np.arange(len(rows)), codes] - np.sum(shap.values, axis=1)
    assert set(codes) == {0, 1, 2}
    for code in range(3):
        np.testing.assert_allclose(rest[codes == code], rest[codes == code][0], atol=1e-4)


@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=lambda estimator: type(estimator).__name__)
def test_shap_values_of_two_classes_explain_the_second(estimator: Any) -> None:
    # given large sizes as "top", the second label
    held_out, train = (
        rows.assign(label=np.where(rows["label"] == "top", "top", "low")) for rows in (LABELLED, LABELLED_TRAIN)
    )
    model = labelled(Wrapped(estimator), train)
    # when
    shap = classified(model, "accuracy", held_out, train).shap
    # then
    assert shap is not None and shap.columns[0] == "size"
    size, value = np.array(shap.inputs)[:, 0], np.array(shap.values)[:, 0]
    assert value[size > 4.5].min() > 0 > value[size < 2].max()


def test_what_no_explainer_covers_has_no_shap_values() -> None:
    # given an ensemble whose `estimator_` is only an unfitted template
    model = priced(BaggingRegressor(n_estimators=3, random_state=0))
    # when / then
    assert evaluated(model).shap is None
