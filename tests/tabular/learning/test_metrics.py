"""The metrics against hand-computed values and scikit-learn, the fast bootstrap against a plain loop."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import balanced_accuracy_score, log_loss, roc_auc_score

from tabular.config.stages import CLASSIFICATION_METRICS, REGRESSION_METRICS
from tabular.errors import UserError
from tabular.learning import metrics

ACTUAL = [10.0, 0.0, -20.0, 40.0]
PREDICTED = [11.0, 0.0, -25.0, 30.0]
LABELS = ["a", "b", "c"]


def _classified(rows: int, seed: int) -> tuple[NDArray[np.str_], NDArray[np.str_], NDArray[np.float64]]:
    random = np.random.default_rng(seed)
    codes = random.integers(0, 3, rows)
    chances = random.dirichlet([1, 1, 1], rows).round(1) + 0.4 * np.eye(3)[codes]
    chances /= chances.sum(axis=1, keepdims=True)
    labels = np.array(LABELS)
    return labels[codes], labels[chances.argmax(axis=1)], chances


def test_regression_metrics_are_what_a_person_computes() -> None:
    # given errors of 1, 0, 5 and 10, one actual being 0
    # when
    scores = metrics.score("regression", ACTUAL, PREDICTED)
    # then
    assert tuple(scores) == REGRESSION_METRICS
    assert scores == pytest.approx(
        {
            "r2": 1 - 126 / 1875,
            "rmse": math.sqrt(126 / 4),
            "mae": 4.0,
            "mape": (10 + 25 + 25) / 3,
            "smape": (200 / 21 + 0 + 1000 / 45 + 2000 / 70) / 4,
            "wmape": 100 * 16 / 70,
            "median_ape": 25.0,
            "within_10pct": 100 / 3,
        }
    )


def test_constant_and_zero_actuals_do_not_crash() -> None:
    # given a constant that its mean differs from by rounding, and nothing but zeros
    constant = metrics.score("regression", [0.1] * 10, [0.2] * 10)
    zeros = metrics.score("regression", [0.0, 0.0], [1.0, 1.0])
    # then only what divides by zero is undefined
    assert constant["r2"] == 0.0
    assert metrics.metric("r2", "regression", [0.1] * 10, [0.1] * 10) == 1.0
    assert math.isnan(metrics.metric("r2", "regression", [1.0], [1.0]))
    assert {name for name, value in zeros.items() if math.isnan(value)} == {
        "mape",
        "wmape",
        "median_ape",
        "within_10pct",
    }
    assert zeros["smape"] == 200.0


def test_classification_metrics_are_what_a_person_computes() -> None:
    # given two of three "yes" found, and one "no" taken for "yes"
    actual, predicted = ["yes", "yes", "yes", "no", "no"], ["yes", "yes", "no", "yes", "no"]
    chances = [[0.1, 0.9], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7], [0.9, 0.1]]
    # when
    scores = metrics.score("classification", actual, predicted, chances, ["no", "yes"])
    # then
    assert tuple(scores) == CLASSIFICATION_METRICS
    assert scores == pytest.approx(
        {
            "accuracy": 3 / 5,
            "balanced_accuracy": (2 / 3 + 1 / 2) / 2,
            "precision_macro": (2 / 3 + 1 / 2) / 2,
            "recall_macro": (2 / 3 + 1 / 2) / 2,
            "f1_macro": (2 / 3 + 1 / 2) / 2,
            "precision_weighted": (3 * 2 / 3 + 2 * 1 / 2) / 5,
            "recall_weighted": 3 / 5,
            "f1_weighted": (3 * 2 / 3 + 2 * 1 / 2) / 5,
            "roc_auc": 5 / 6,
            "log_loss": -(math.log(0.9) + math.log(0.8) + math.log(0.4) + math.log(0.3) + math.log(0.9)) / 5,
        }
    )


def test_classification_metrics_agree_with_scikit_learn() -> None:
    # given
    actual, predicted, chances = _classified(200, seed=1)
    # when
    scores = metrics.score("classification", actual, predicted, chances, LABELS)
    # then
    assert scores["roc_auc"] == pytest.approx(roc_auc_score(actual, chances, multi_class="ovr", average="macro"))
    assert scores["log_loss"] == pytest.approx(log_loss(actual, chances, labels=LABELS))
    assert scores["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(actual, predicted))


def test_roc_auc_averages_over_the_classes_that_are_there() -> None:
    # given rows without any "c"
    actual, chances = ["a", "a", "b"], np.array([[0.8, 0.1, 0.1], [0.3, 0.5, 0.2], [0.4, 0.4, 0.2]])
    # when
    area = metrics.metric("roc_auc", "classification", actual, actual, chances, LABELS)
    alone = metrics.metric("roc_auc", "classification", ["a", "a"], ["a", "a"], chances[:2], LABELS)
    # then "a" ranks one of two pairs rightly, "b" likewise
    assert area == pytest.approx((0.5 + 0.5) / 2)
    assert math.isnan(alone)


def test_a_label_that_the_model_never_saw_has_probability_zero() -> None:
    # given an actual label without a column
    # when
    loss = metrics.metric("log_loss", "classification", ["a", "z"], ["a", "a"], [[1.0, 0.0], [1.0, 0.0]], ["a", "b"])
    # then
    assert loss == pytest.approx(-math.log(np.finfo(float).eps) / 2)


def test_better_knows_the_direction_of_every_metric() -> None:
    # given / when / then
    assert metrics.is_better("r2", 0.9, 0.8) and not metrics.is_better("rmse", 0.9, 0.8)
    assert not metrics.is_better("mae", 1.0, 1.0)
    assert metrics.is_better("mae", 5.0, math.nan) and not metrics.is_better("mae", math.nan, 5.0)
    assert {name for name in CLASSIFICATION_METRICS if metrics.goal(name) == "minimize"} == {"log_loss"}


@pytest.mark.parametrize("name", ["f1_macro", "nonsense"])
def test_a_metric_of_another_task_is_refused_by_name(name: str) -> None:
    # given / when / then
    with pytest.raises(UserError, match=f"'{name}' is not a metric of a regression; choose one of r2, rmse"):
        metrics.metric(name, "regression", ACTUAL, PREDICTED)


def test_bad_inputs_are_refused() -> None:
    # given / when / then
    with pytest.raises(ValueError, match="equally long"):
        metrics.metric("wmape", "regression", [1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="finite"):
        metrics.metric("wmape", "regression", [1.0, 2.0], [1.0, math.inf])
    with pytest.raises(ValueError, match="need probabilities"):
        metrics.metric("roc_auc", "classification", ["a", "b"], ["a", "b"])
    with pytest.raises(ValueError, match="not 2 rows x 2 classes"):
        metrics.metric("log_loss", "classification", ["a", "b"], ["a", "b"], [[1.0], [1.0]], ["a", "b"])


@pytest.mark.parametrize("rows", [4, 25])
def test_fast_regression_bootstrap_equals_a_plain_loop(rows: int) -> None:
    # given few rows with a zero and repeated values, so that some resamples are constant or all zero
    random = np.random.default_rng(7)
    actual = np.append(0.0, random.choice([-3.0, 5.0, 8.0], rows - 1))
    predicted = actual * random.uniform(0.8, 1.2, rows) + 0.1
    drawn = np.random.default_rng(3).integers(0, rows, size=(300, rows))
    # when
    fast = metrics.resampled(REGRESSION_METRICS, "regression", actual, predicted, None, None, 300, seed=3)
    # then
    for name in REGRESSION_METRICS:
        slow = [metrics.metric(name, "regression", actual[at], predicted[at]) for at in drawn]
        np.testing.assert_allclose(fast[name], slow, rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("rows", [4, 40])
def test_fast_classification_bootstrap_equals_a_plain_loop(rows: int) -> None:
    # given few rows with tied probabilities, so that some resamples lack a class
    actual, predicted, chances = _classified(rows, seed=5)
    drawn = np.random.default_rng(3).integers(0, rows, size=(200, rows))
    # when
    fast = metrics.resampled(CLASSIFICATION_METRICS, "classification", actual, predicted, chances, LABELS, 200, seed=3)
    # then
    for name in CLASSIFICATION_METRICS:
        slow = [metrics.metric(name, "classification", actual[at], predicted[at], chances[at], LABELS) for at in drawn]
        np.testing.assert_allclose(fast[name], slow, rtol=1e-9, err_msg=name)


def test_intervals_are_the_quantiles_of_the_resamples_around_the_value_on_all_rows() -> None:
    # given
    random = np.random.default_rng(0)
    actual = random.normal(100, 10, 300)
    predicted = actual + random.normal(0, 5, 300)
    # when
    intervals = metrics.bootstrap_intervals("regression", actual, predicted, None, None, 500, 0.9, seed=11)
    again = metrics.bootstrap_intervals("regression", actual, predicted, None, None, 500, 0.9, seed=11)
    other = metrics.bootstrap_intervals("regression", actual, predicted, None, None, 500, 0.9, seed=12)
    # then
    drawn = metrics.resampled(["mae"], "regression", actual, predicted, None, None, 500, seed=11)["mae"]
    assert (intervals["mae"].low, intervals["mae"].high) == tuple(np.quantile(drawn, [0.05, 0.95]))
    assert {name: one.value for name, one in intervals.items()} == metrics.score("regression", actual, predicted)
    assert intervals == again and intervals != other


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    # given 300 samples whose true mean absolute error is sqrt(2/pi)
    random = np.random.default_rng(1)
    covered = 0
    for sample in range(300):
        errors = random.normal(size=120)
        # when
        drawn = metrics.resampled(["mae"], "regression", np.zeros(120), errors, None, None, 300, seed=sample)
        interval = metrics.percentile_interval(float(np.abs(errors).mean()), drawn["mae"], 0.9)
        covered += interval.low <= math.sqrt(2 / math.pi) <= interval.high
    # then: 90 % of 300 with a standard error of 5
    assert 252 <= covered <= 288


def test_many_rows_are_drawn_in_chunks_without_losing_a_resample() -> None:
    # given more drawn rows than one chunk holds
    actual = np.arange(1.0, 4001.0)
    # when
    drawn = metrics.resampled(["mae", "median_ape"], "regression", actual, actual + 1, None, None, 600, seed=0)
    # then
    assert drawn["mae"].shape == (600,)
    np.testing.assert_allclose(drawn["mae"], 1.0)
    assert len(np.unique(drawn["median_ape"])) > 100


def test_an_undefined_metric_has_an_undefined_interval() -> None:
    # given / when
    intervals = metrics.bootstrap_intervals("regression", [0.0, 0.0], [1.0, 2.0], None, None, 100, 0.9, seed=0)
    # then
    assert math.isnan(intervals["wmape"].low) and math.isnan(intervals["wmape"].high)
    assert intervals["mae"].value == 1.5


@pytest.mark.parametrize(
    ("value", "text"), [(44609.4, "44,609"), (0.87123, "0.8712"), (0.0, "0"), (-118.49, "-118.5"), (1e-7, "1e-07")]
)
def test_numbers_read_well(value: float, text: str) -> None:
    # given / when / then
    assert metrics.as_text(value) == text
