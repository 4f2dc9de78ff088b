"""The whole way of the data in small: nothing of the held-out rows is in the fitted model."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from tabular.config.stages import (
    ClusterConfig,
    FeatureConfig,
    ImputationConfig,
    SelectionConfig,
    SplitConfig,
    TargetConfig,
)
from tabular.learning import cluster_choice, imputation, selection, training
from tabular.learning.algorithms import estimator
from tabular.learning.folds import fit_and_score, fold_rows, prepare
from tabular.reports.training import BestParameters
from tabular.storage.persistence import to_bytes
from tabular.table import splitting

PRICE = TargetConfig(column="price")
FEATURES = FeatureConfig(
    expressions={"per_home": "rooms / homes"},
    clusters=ClusterConfig(columns=("east", "north"), counts=(4,)),
)


def _rows(count: int = 200) -> pd.DataFrame:
    random = np.random.default_rng(0)
    rows = pd.DataFrame(random.uniform(1, 9, size=(count, 4)), columns=["east", "rooms", "homes", "north"])
    rows["kind"] = random.choice(["bay", "inland"], count)
    rows["new"] = random.random(count) > 0.5
    rows["price"] = rows["rooms"] * (1 + rows["new"]) + random.uniform(0, 0.1, count)
    rows.loc[::9, "rooms"] = np.nan
    rows.loc[::11, "kind"] = None
    return rows


def _way(rows: pd.DataFrame) -> Pipeline:
    pair, _ = imputation.compare(rows, "price", ImputationConfig(), 1)
    return cluster_choice.choose(rows, PRICE, pair, FEATURES, "rmse", 1, 1)[0]


def _model(table: pd.DataFrame) -> tuple[Pipeline, pd.DataFrame]:
    """Split, impute, choose, select and fit, as the pipeline does."""
    rows, held_out = splitting.split(table, PRICE, SplitConfig(), 42)
    way = _way(rows)
    config = SelectionConfig(algorithms=("linear", "lightgbm"), metric="rmse")
    winner = selection.select(rows, PRICE, way, config, 1, 1).winner
    best = BestParameters(
        algorithm=winner.algorithm, target_transform=winner.target_transform, parameters=winner.parameters
    )
    return training.fit(rows, PRICE, way, best, 1, 1), held_out


def test_the_held_out_rows_leave_no_trace_in_the_model() -> None:
    # given a table, and the same with absurd values in every row that is held out
    table = _rows()
    train, held_out = splitting.split(table.assign(number=range(len(table))), PRICE, SplitConfig(), 42)
    absurd = table.copy()
    at = held_out["number"].to_numpy()
    absurd.loc[at, ["east", "north", "rooms", "homes"]] = np.random.default_rng(1).uniform(1e3, 1e6, (len(at), 4))
    absurd.loc[at, "kind"] = "unseen"
    absurd.loc[at, "price"] = -1e9
    # when
    (model, _), (other, _) = _model(table), _model(absurd)
    # then the model is the same, byte for byte
    assert to_bytes(model) == to_bytes(other)
    # and a training row would not have gone unnoticed
    seen = table.copy()
    seen.loc[train["number"].iloc[0], "rooms"] += 1
    assert to_bytes(_model(seen)[0]) != to_bytes(model)


def test_the_model_goes_from_raw_columns_to_a_prediction_with_anything_missing() -> None:
    # given
    model, held_out = _model(_rows())
    inputs = held_out.drop(columns="price")
    # when
    whole = model.predict(inputs)
    # then
    assert list(model.named_steps)[-3:] == ["impute", "features", "estimator"]
    assert np.corrcoef(whole, held_out["price"])[0, 1] > 0.9
    for column in inputs:
        assert np.isfinite(model.predict(inputs.assign(**{column: None}))).all()
        assert np.isfinite(model.predict(inputs.drop(columns=column))).all()
    # and one row at a time is answered as all at once, to the precision of float32
    np.testing.assert_allclose([model.predict(inputs.iloc[[i]])[0] for i in range(5)], whole[:5], rtol=1e-5)


def test_the_input_rows_are_left_as_they_are() -> None:
    # given
    table = _rows()
    before = table.copy()
    # when
    model, held_out = _model(table)
    model.predict(held_out.drop(columns="price"))
    # then
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize("name", ["hist_gradient_boosting", "lightgbm", "random_forest"])
def test_a_fit_is_that_of_the_best_parameters_whatever_the_threads(name: str) -> None:
    # given enough rows for threads to share
    rows = pd.concat([_rows()] * 30, ignore_index=True)
    rounds: dict[str, Any] = {"max_iter" if name == "hist_gradient_boosting" else "n_estimators": 3}
    best = BestParameters(algorithm=name, target_transform="log", parameters=rounds)
    way = _way(_rows())
    # when
    one, two = (training.fit(rows, PRICE, way, best, 1, threads) for threads in (1, 2))
    # then
    inputs = rows.drop(columns="price").head(50)
    np.testing.assert_array_equal(one.predict(inputs), two.predict(inputs))
    assert rounds.items() <= one["estimator"].regressor_.get_params().items()


def test_labels_come_back_as_they_were() -> None:
    # given
    rows = _rows().assign(price=lambda frame: np.where(frame["price"] > 8, "dear", "cheap"))
    target = TargetConfig(column="price", task="classification")
    best = BestParameters(algorithm="xgboost", target_transform="none", parameters={"n_estimators": 5})
    # when
    model = training.fit(rows, target, _way(_rows()), best, 1, 1)
    # then
    assert list(model.classes_) == ["cheap", "dear"]
    assert set(model.predict(rows.drop(columns="price"))) == {"cheap", "dear"}


def test_the_final_model_is_cross_validated_on_the_training_rows() -> None:
    # given
    rows = _rows()
    best = BestParameters(algorithm="linear", target_transform="none", parameters={"alpha": 1.0})
    # when
    found = training.cross_validate(rows, PRICE, _way(rows), best, 4, 1, 1)
    # then the figures are those of the folds, computed by hand
    folds = [prepare(parts, "price", _way(rows)) for parts in fold_rows(rows, PRICE, 4, 1)]
    ridge = estimator("linear", "regression", {"alpha": 1.0}, "none", 1, 1)
    expected = [fit_and_score(ridge, fold, PRICE, "r2")[0] for fold in folds]
    assert found.metrics["r2"].folds == expected
    assert found.metrics["r2"].mean == pytest.approx(np.mean(expected))
    assert found.metrics["r2"].std == pytest.approx(np.std(expected))
    assert (found.temperature, found.log_loss_uncalibrated, found.log_loss_calibrated) == (1.0, None, None)


def test_a_classification_that_is_too_sure_of_itself_is_calibrated() -> None:
    # given labels that are half chance, and trees that learn them by heart
    rows, random = _rows(), np.random.default_rng(1)
    chance = random.choice(["a", "b", "c"], len(rows))
    rows["price"] = np.where(random.random(len(rows)) < 0.5, chance, np.where(rows["rooms"] > 5, "a", "b"))
    target = TargetConfig(column="price", task="classification")
    best = BestParameters(algorithm="lightgbm", target_transform="none", parameters={"n_estimators": 60})
    way = _way(_rows())
    # when
    found = training.cross_validate(rows, target, way, best, 3, 1, 1)
    model = training.fit(rows, target, way, best, 1, 1, found.temperature)
    off = training.cross_validate(rows, target.model_copy(update={"calibrate": False}), way, best, 3, 1, 1)
    # then
    assert found.temperature > 1.5
    assert found.log_loss_calibrated is not None and found.log_loss_uncalibrated is not None
    assert found.log_loss_calibrated < 0.9 * found.log_loss_uncalibrated
    assert found.metrics["log_loss"].mean == pytest.approx(found.log_loss_calibrated, rel=0.02)
    assert off.temperature == 1.0
    assert off.metrics["accuracy"] == found.metrics["accuracy"]
    # and the model's own answers are less sure by that temperature
    inputs = rows.drop(columns="price")
    plain = training.fit(rows, target, way, best, 1, 1)
    np.testing.assert_array_equal(model.predict(inputs), plain.predict(inputs))
    assert model.predict_proba(inputs).max(axis=1).mean() < plain.predict_proba(inputs).max(axis=1).mean() - 0.05


@pytest.mark.parametrize("labels", [(False, True), (0, 1), ("no", "yes")])
def test_two_labels_of_any_kind_are_cross_validated(labels: tuple[Any, Any]) -> None:
    # given
    rows = _rows()
    rows["price"] = [labels[int(dear)] for dear in rows["price"] > 8]
    target = TargetConfig(column="price", task="classification", class_weight="balanced")
    best = BestParameters(algorithm="xgboost", target_transform="none", parameters={"n_estimators": 5})
    # when
    found = training.cross_validate(rows, target, _way(_rows()), best, 3, 1, 1)
    # then
    assert found.metrics["accuracy"].mean > 0.8
    assert found.metrics["roc_auc"].mean > 0.8


def test_a_class_of_two_rows_is_fitted_with_target_means_and_no_warning() -> None:
    # given warnings that are errors, as everywhere in these tests
    rows = _rows().drop(columns="price").assign(label=["odd"] * 2 + ["usual", "other"] * 99)
    label = TargetConfig(column="label", task="classification")
    config = FeatureConfig(target_encoding=("kind",))
    pair, _ = imputation.compare(rows, "label", ImputationConfig(strategies=("median",)), 1)
    # when
    way, _ = cluster_choice.choose(rows, label, pair, config, "f1_macro", 1, 1)
    best = BestParameters(algorithm="linear", target_transform="none", parameters={})
    model = training.fit(rows, label, way, best, 1, 1)
    # then
    assert list(model.classes_) == ["odd", "other", "usual"]
