"""The one look at the held-out rows, on small fitted pipelines."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    BaggingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, LabelEncoder, OneHotEncoder, StandardScaler
from xgboost import XGBClassifier, XGBRegressor

from tabular import metrics
from tabular.config.stages import EvaluationConfig, TargetConfig
from tabular.errors import UserError
from tabular.evaluation import evaluate
from tabular.reports import Evaluation, ShapSummary

PRICE = TargetConfig(column="price")
LABEL = TargetConfig(column="label", task="classification")
CONFIG = EvaluationConfig(bootstrap=100, explained_rows=60)


class Wrapped(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier behind an `estimator_`, as algorithms that take only codes need it."""

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, X: Any, y: Any) -> "Wrapped":
        codes = LabelEncoder().fit(y)
        self.classes_ = codes.classes_
        self.estimator_ = clone(self.estimator).fit(X, codes.transform(y))
        return self

    def predict(self, X: Any) -> Any:
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def predict_proba(self, X: Any) -> Any:
        return self.estimator_.predict_proba(X)


class InFittedOrder(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Refuses columns in another order than it was fitted with."""

    def fit(self, X: pd.DataFrame, y: Any = None) -> "InFittedOrder":
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        assert list(X.columns) == list(self.feature_names_in_)
        return X

    def get_feature_names_out(self, names: Any = None) -> Any:
        return self.feature_names_in_


def _rows(count: int, seed: int) -> pd.DataFrame:
    """A price made of size and town, noise that is no cause, and a label of three classes made of the price."""
    random = np.random.default_rng(seed)
    size, town = random.uniform(1, 5, count), random.choice(["east", "north", "west"], count, p=[0.6, 0.37, 0.03])
    price = 10 * size + 5 * (town == "east") + random.normal(0, 1, count)
    return pd.DataFrame(
        {
            "size": size,
            "noise": random.normal(size=count),
            "town": town,
            "price": price,
            "label": np.array(["low", "mid", "top"])[np.digitize(price, [25, 40])],
        },
        index=random.permutation(count) + 1000,
    )


TRAIN, HELD_OUT = _rows(400, seed=1), _rows(120, seed=2)
PRICED, PRICED_TRAIN = HELD_OUT.drop(columns="label"), TRAIN.drop(columns="label")
LABELLED, LABELLED_TRAIN = HELD_OUT.drop(columns="price"), TRAIN.drop(columns="price")


def _pipeline(estimator: Any, target: TargetConfig, train: pd.DataFrame) -> Pipeline:
    columns = ColumnTransformer(
        [
            ("numbers", "passthrough", ["size", "noise"]),
            ("towns", OneHotEncoder(sparse_output=False, handle_unknown="ignore"), ["town"]),
        ],
        verbose_feature_names_out=False,
    )
    single = FunctionTransformer(np.float32, feature_names_out="one-to-one")
    model = Pipeline([("order", InFittedOrder()), ("columns", columns), ("single", single), ("estimator", estimator)])
    return model.fit(train.drop(columns=target.column), train[target.column])


def _predict(model: Pipeline, rows: pd.DataFrame) -> NDArray[Any]:
    return np.asarray(model.predict(rows[["size", "noise", "town"]]))


def _ridge() -> Pipeline:
    return _pipeline(TransformedTargetRegressor(Ridge()), PRICE, PRICED_TRAIN)


def _evaluated(model: Pipeline, held_out: pd.DataFrame = PRICED, **config: Any) -> Evaluation:
    chosen = CONFIG.model_copy(update=config)
    return evaluate(model, held_out, PRICED_TRAIN, PRICE, chosen, "wmape", seed=3)


def _classified(model: Pipeline, metric: str = "accuracy", **config: Any) -> Evaluation:
    chosen = CONFIG.model_copy(update=config)
    return evaluate(model, LABELLED, LABELLED_TRAIN, LABEL, chosen, metric, seed=3)


def test_answers_stay_in_the_order_of_the_held_out_rows() -> None:
    # given rows in any order under an index that is not sorted
    model = _ridge()
    shuffled = PRICED.iloc[::-1]
    # when
    evaluation, reversed_one = _evaluated(model), _evaluated(model, shuffled)
    # then
    assert evaluation.actual == PRICED["price"].tolist()
    one_by_one = [float(_predict(model, PRICED.iloc[[i]])[0]) for i in range(len(PRICED))]
    assert evaluation.predicted == pytest.approx(one_by_one, rel=1e-6)
    assert reversed_one.predicted == pytest.approx(one_by_one[::-1], rel=1e-6)
    scores = metrics.score("regression", PRICED["price"], _predict(model, PRICED))
    assert {name: one.value for name, one in evaluation.metrics.items()} == scores


def test_the_order_of_columns_changes_nothing() -> None:
    # given
    model = _ridge()
    columns, config = ["price", "town", "noise", "size"], CONFIG.model_copy(update={"slices": ("town", "size")})
    # when
    turned = evaluate(model, PRICED[columns], PRICED_TRAIN[columns], PRICE, config, "wmape", seed=3)
    # then
    assert turned == _evaluated(model, slices=("town", "size"))


def test_the_target_of_the_held_out_rows_never_reaches_the_model() -> None:
    # given the same rows with another target
    model = _ridge()
    other = PRICED.assign(price=PRICED["price"].to_numpy()[::-1] * 2)
    # when
    evaluation, disguised = _evaluated(model), _evaluated(model, other)
    # then
    assert disguised.predicted == evaluation.predicted
    assert disguised.shap == evaluation.shap
    assert disguised.metrics != evaluation.metrics


def test_equal_inputs_give_equal_reports_and_another_seed_does_not() -> None:
    # given
    model = _pipeline(LGBMRegressor(n_estimators=20, n_jobs=1, verbose=-1), PRICE, PRICED_TRAIN)
    # when
    one, two = _evaluated(model, slices=("town",)), _evaluated(model, slices=("town",))
    other = evaluate(model, PRICED, PRICED_TRAIN, PRICE, CONFIG, "wmape", seed=4)
    # then
    assert one.model_dump_json() == two.model_dump_json()
    assert one.importances != other.importances and one.metrics != other.metrics


def test_a_regression_is_measured_against_the_training_median() -> None:
    # given / when
    evaluation = _evaluated(_ridge())
    # then
    median = np.full(len(PRICED), PRICED_TRAIN["price"].median())
    assert evaluation.baseline == metrics.score("regression", PRICED["price"], median)
    assert evaluation.classes == [] and evaluation.probabilities == []


def test_a_classification_is_measured_against_the_class_shares() -> None:
    # given
    model = _pipeline(Wrapped(XGBClassifier(n_estimators=5, n_jobs=1)), LABEL, LABELLED_TRAIN)
    # when
    evaluation = _classified(model)
    # then
    shares = LABELLED_TRAIN["label"].value_counts(normalize=True)
    assert evaluation.baseline["accuracy"] == (LABELLED["label"] == shares.idxmax()).mean()
    assert evaluation.baseline["log_loss"] == pytest.approx(-np.log(LABELLED["label"].map(shares)).mean())
    assert evaluation.baseline["roc_auc"] == 0.5
    assert evaluation.classes == ["low", "mid", "top"]
    assert np.allclose(evaluation.probabilities, model.predict_proba(LABELLED.drop(columns="label")))
    assert evaluation.predicted == _predict(model, LABELLED).tolist()


def test_integer_labels_are_held_as_text() -> None:
    # given
    codes = {"low": 0, "mid": 1, "top": 2}
    held_out, train = (rows.assign(label=rows["label"].map(codes)) for rows in (LABELLED, LABELLED_TRAIN))
    model = _pipeline(RandomForestClassifier(n_estimators=5, random_state=0), LABEL, train)
    # when
    evaluation = evaluate(model, held_out, train, LABEL, CONFIG, "f1_macro", seed=3)
    # then
    assert evaluation.actual == held_out["label"].astype(str).tolist()
    assert evaluation.classes == ["0", "1", "2"]
    assert evaluation.metrics["accuracy"].value == (_predict(model, held_out) == held_out["label"]).mean()


def test_slices_by_category_leave_out_small_ones_and_keep_holes() -> None:
    # given a town with few rows, and 15 rows without a town
    held_out = PRICED.copy()
    held_out.iloc[:15, held_out.columns.get_loc("town")] = None
    model = _ridge()
    # when
    slices = _evaluated(model, held_out, slices=("town",)).slices
    # then
    assert [part.part for part in slices] == ["east", "north", "missing"]
    east = held_out[held_out["town"] == "east"]
    assert slices[0].rows == len(east)
    assert slices[0].metrics == metrics.score("regression", east["price"], _predict(model, east))


def test_slices_by_number_are_quartiles_that_hold_every_row_once() -> None:
    # given
    held_out = PRICED.assign(size=np.repeat([1.0, 2.0, 3.5, 5.0], 30))
    # when
    quarters = _evaluated(_ridge(), PRICED, slices=("size", "price")).slices
    steps = _evaluated(_ridge(), held_out, slices=("size",)).slices
    flat = _evaluated(_ridge(), PRICED.assign(size=2.0), slices=("size",)).slices
    # then
    assert [part.rows for part in quarters] == [30] * 8
    ends = PRICED["size"].quantile([0.25, 0.5])
    assert quarters[1].part == f"over {ends[0.25]:.6g} to {ends[0.5]:.6g}"
    assert sum(part.rows for part in steps) == 120 and steps[0].part.startswith("1 to ")
    assert [(part.part, part.rows) for part in flat] == [("2", 120)]


def test_a_slice_of_one_class_leaves_out_what_is_undefined_there() -> None:
    # given
    model = _pipeline(LogisticRegression(max_iter=1000), LABEL, LABELLED_TRAIN)
    # when
    evaluation = _classified(model, slices=("label", "town"))
    # then
    by_label = [part for part in evaluation.slices if part.column == "label"]
    assert [part.part for part in by_label] == ["low", "mid", "top"]
    assert all("roc_auc" not in part.metrics and "accuracy" in part.metrics for part in by_label)
    assert Evaluation.model_validate_json(evaluation.model_dump_json()) == evaluation


def test_an_unknown_slice_is_refused_by_name() -> None:
    # given / when / then
    with pytest.raises(UserError, match="evaluation.slices: the table has no column 'twon'; choose from size, noise"):
        _evaluated(_ridge(), slices=("twon",))


@pytest.mark.parametrize("metric", ["wmape", "r2"])
def test_importances_are_positive_for_what_matters_and_zero_for_what_does_not(metric: str) -> None:
    # given a model that cannot see the noise
    model = _ridge()
    model[-1].regressor_.coef_[1] = 0
    # when
    found = evaluate(model, PRICED, PRICED_TRAIN, PRICE, CONFIG, metric, seed=3).importances
    # then
    assert [one.column for one in found] == ["size", "town", "noise"]
    assert found[0].permutation > found[1].permutation > 0
    assert found[2].permutation == found[2].std == 0


def test_an_importance_is_the_mean_loss_over_three_shuffles() -> None:
    # given the sample and the shuffles that the seed makes
    model = _ridge()
    sample = PRICED.iloc[np.random.default_rng(3).permutation(len(PRICED))[:60]]
    random = np.random.default_rng(3)
    orders = [random.permutation(60) for _ in range(3)]
    # when
    found = {one.column: one for one in _evaluated(model).importances}

    def score(rows: pd.DataFrame) -> float:
        return metrics.metric("wmape", "regression", sample["price"], _predict(model, rows))

    # then
    losses = [score(sample.assign(size=sample["size"].to_numpy()[order])) - score(sample) for order in orders]
    assert found["size"].permutation == pytest.approx(np.mean(losses))
    assert found["size"].std == pytest.approx(np.std(losses))


def test_importances_of_probabilities() -> None:
    # given
    model = _pipeline(Wrapped(XGBClassifier(n_estimators=20, n_jobs=1)), LABEL, LABELLED_TRAIN)
    # when
    found = {one.column: one.permutation for one in _classified(model, metric="log_loss").importances}
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
    model = _pipeline(TransformedTargetRegressor(estimator), PRICE, PRICED_TRAIN)
    # when
    shap = _evaluated(model).shap
    # then what is left is the same base value for every row
    assert shap is not None and len(shap.values) == 60
    assert shap.columns[0] == "size"
    rest = model[-1].predict(_inputs(shap, model)) - np.sum(shap.values, axis=1)
    np.testing.assert_allclose(rest, rest[0], atol=1e-3)
    sizes = np.abs(shap.values).mean(axis=0)
    assert (np.diff(sizes) <= 0).all()


def test_shap_values_of_a_linear_model_are_measured_from_the_training_mean() -> None:
    # given
    model = _ridge()
    # when
    shap = _evaluated(model).shap
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
    model = _pipeline(Wrapped(estimator), LABEL, LABELLED_TRAIN)
    # when
    shap = _classified(model).shap
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
    model = _pipeline(Wrapped(estimator), LABEL, train)
    # when
    shap = evaluate(model, held_out, train, LABEL, CONFIG, "accuracy", seed=3).shap
    # then
    assert shap is not None and shap.columns[0] == "size"
    size, value = np.array(shap.inputs)[:, 0], np.array(shap.values)[:, 0]
    assert value[size > 4.5].min() > 0 > value[size < 2].max()


def test_what_no_explainer_covers_has_no_shap_values() -> None:
    # given an ensemble whose `estimator_` is only an unfitted template
    model = _pipeline(BaggingRegressor(n_estimators=3, random_state=0), PRICE, PRICED_TRAIN)
    # when / then
    assert _evaluated(model).shap is None
