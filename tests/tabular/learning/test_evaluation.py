"""The one look at the held-out rows, on small fitted pipelines."""

import numpy as np
import pytest
from lightgbm import LGBMRegressor
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import classification_report
from xgboost import XGBClassifier

from tabular.errors import UserError
from tabular.learning import metrics
from tabular.learning.evaluation import evaluate
from tabular.reports.training import CrossValidation, Evaluation
from tests.support.evaluated import (
    CONFIG,
    LABELLED,
    LABELLED_TRAIN,
    PRICE,
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


def test_answers_stay_in_the_order_of_the_held_out_rows() -> None:
    # given rows in any order under an index that is not sorted
    model = ridge()
    shuffled = PRICED.iloc[::-1]
    # when
    evaluation, reversed_one = evaluated(model), evaluated(model, shuffled)
    # then
    assert evaluation.actual == PRICED["price"].tolist()
    one_by_one = [float(predict(model, PRICED.iloc[[i]])[0]) for i in range(len(PRICED))]
    assert evaluation.predicted == pytest.approx(one_by_one, rel=1e-6)
    assert reversed_one.predicted == pytest.approx(one_by_one[::-1], rel=1e-6)
    scores = metrics.score("regression", PRICED["price"], predict(model, PRICED))
    assert {name: one.value for name, one in evaluation.metrics.items()} == scores


def test_the_order_of_columns_changes_nothing() -> None:
    # given
    model = ridge()
    columns, config = ["price", "town", "noise", "size"], CONFIG.model_copy(update={"slices": ("town", "size")})
    # when
    turned = evaluate(model, PRICED[columns], PRICED_TRAIN[columns], PRICE, config, "wmape", seed=3)
    # then
    assert turned == evaluated(model, slices=("town", "size"))


def test_the_target_of_the_held_out_rows_never_reaches_the_model() -> None:
    # given the same rows with another target
    model = ridge()
    other = PRICED.assign(price=PRICED["price"].to_numpy()[::-1] * 2)
    # when
    evaluation, disguised = evaluated(model), evaluated(model, other)
    # then
    assert disguised.predicted == evaluation.predicted
    assert disguised.shap == evaluation.shap
    assert disguised.metrics != evaluation.metrics


def test_equal_inputs_give_equal_reports_and_another_seed_does_not() -> None:
    # given
    model = priced(LGBMRegressor(n_estimators=20, n_jobs=1, verbose=-1))
    # when
    one, two = evaluated(model, slices=("town",)), evaluated(model, slices=("town",))
    other = evaluate(model, PRICED, PRICED_TRAIN, PRICE, CONFIG, "wmape", seed=4)
    # then
    assert one.model_dump_json() == two.model_dump_json()
    assert one.importances != other.importances and one.metrics != other.metrics


def test_a_regression_is_measured_against_the_training_median() -> None:
    # given / when
    evaluation = evaluated(ridge())
    # then
    median = np.full(len(PRICED), PRICED_TRAIN["price"].median())
    assert evaluation.baseline == metrics.score("regression", PRICED["price"], median)
    assert evaluation.classes == [] and evaluation.probabilities == []


def test_a_classification_is_measured_against_the_class_shares() -> None:
    # given
    model = labelled(Wrapped(XGBClassifier(n_estimators=5, n_jobs=1)))
    # when
    evaluation = classified(model)
    # then
    shares = LABELLED_TRAIN["label"].value_counts(normalize=True)
    assert evaluation.baseline["accuracy"] == (LABELLED["label"] == shares.idxmax()).mean()
    assert evaluation.baseline["log_loss"] == pytest.approx(-np.log(LABELLED["label"].map(shares)).mean())
    assert evaluation.baseline["roc_auc"] == 0.5
    assert evaluation.classes == ["low", "mid", "top"]
    assert np.allclose(evaluation.probabilities, model.predict_proba(LABELLED.drop(columns="label")))
    assert evaluation.predicted == predict(model, LABELLED).tolist()


def test_a_classification_is_told_by_class() -> None:
    # given
    report = classified(labelled(Wrapped(LogisticRegression())))
    figures = classification_report(report.actual, report.predicted, output_dict=True, zero_division=0)
    # then
    assert [score.label for score in report.by_class] == report.classes
    for score in report.by_class:
        expected = figures[score.label]
        found = {"precision": score.precision, "recall": score.recall, "f1-score": score.f1, "support": score.support}
        assert found == pytest.approx(expected)


def test_a_cross_validation_stands_beside_the_figures() -> None:
    # given
    validated = CrossValidation(
        rows=320, metrics={}, temperature=1.0, log_loss_uncalibrated=None, log_loss_calibrated=None
    )
    # when
    report = evaluate(ridge(), PRICED, PRICED_TRAIN, PRICE, CONFIG, "wmape", 3, validated)
    # then
    assert report.cross_validation == validated
    assert report.by_class == []


def test_integer_labels_are_held_as_text() -> None:
    # given
    codes = {"low": 0, "mid": 1, "top": 2}
    held_out, train = (rows.assign(label=rows["label"].map(codes)) for rows in (LABELLED, LABELLED_TRAIN))
    model = labelled(RandomForestClassifier(n_estimators=5, random_state=0), train)
    # when
    evaluation = classified(model, "f1_macro", held_out, train)
    # then
    assert evaluation.actual == held_out["label"].astype(str).tolist()
    assert evaluation.classes == ["0", "1", "2"]
    assert evaluation.metrics["accuracy"].value == (predict(model, held_out) == held_out["label"]).mean()


def test_slices_by_category_leave_out_small_ones_and_keep_holes() -> None:
    # given a town with few rows, and 15 rows without a town
    held_out = PRICED.copy()
    held_out.iloc[:15, held_out.columns.get_loc("town")] = None
    model = ridge()
    # when
    slices = evaluated(model, held_out, slices=("town",)).slices
    # then
    assert [part.part for part in slices] == ["east", "north", "missing"]
    east = held_out[held_out["town"] == "east"]
    assert slices[0].rows == len(east)
    assert slices[0].metrics == metrics.score("regression", east["price"], predict(model, east))


def test_slices_by_number_are_quartiles_that_hold_every_row_once() -> None:
    # given
    held_out = PRICED.assign(size=np.repeat([1.0, 2.0, 3.5, 5.0], 30))
    # when
    quarters = evaluated(ridge(), PRICED, slices=("size", "price")).slices
    steps = evaluated(ridge(), held_out, slices=("size",)).slices
    flat = evaluated(ridge(), PRICED.assign(size=2.0), slices=("size",)).slices
    # then
    assert [part.rows for part in quarters] == [30] * 8
    ends = PRICED["size"].quantile([0.25, 0.5])
    assert quarters[1].part == f"over {ends[0.25]:.6g} to {ends[0.5]:.6g}"
    assert sum(part.rows for part in steps) == 120 and steps[0].part.startswith("1 to ")
    assert [(part.part, part.rows) for part in flat] == [("2", 120)]


def test_a_slice_of_one_class_leaves_out_what_is_undefined_there() -> None:
    # given
    model = labelled(LogisticRegression(max_iter=1000))
    # when
    evaluation = classified(model, slices=("label", "town"))
    # then
    by_label = [part for part in evaluation.slices if part.column == "label"]
    assert [part.part for part in by_label] == ["low", "mid", "top"]
    assert all("roc_auc" not in part.metrics and "accuracy" in part.metrics for part in by_label)
    assert Evaluation.model_validate_json(evaluation.model_dump_json()) == evaluation


def test_an_unknown_slice_is_refused_by_name() -> None:
    # given / when / then
    with pytest.raises(UserError, match="evaluation.slices: the table has no column 'twon'; choose from size, noise"):
        evaluated(ridge(), slices=("twon",))
