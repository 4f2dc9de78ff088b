"""The gate on prepared pairs of models: clearly better, clearly worse, too close to call, the same."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tabular import gate, metrics
from tabular.config.stages import GateConfig
from tabular.errors import UserError
from tabular.gate import Rival
from tabular.reports import Evaluation, GateDecision

ROWS = 400
RANDOM = np.random.default_rng(0)
ACTUAL = RANDOM.uniform(50, 150, ROWS)
ERRORS = RANDOM.normal(0, 10, ROWS)
OTHER_ERRORS = RANDOM.normal(0, 10, ROWS)


def _evaluation(predicted: NDArray[np.float64]) -> Evaluation:
    return Evaluation(
        task="regression",
        rows=ROWS,
        metrics=metrics.bootstrap_intervals("regression", ACTUAL, predicted, None, None, 100, 0.95, seed=0),
        baseline=metrics.score("regression", ACTUAL, np.full(ROWS, np.median(ACTUAL))),
        slices=[],
        metric="wmape",
        importances=[],
        shap=None,
        actual=ACTUAL.tolist(),
        predicted=predicted.tolist(),
        classes=[],
        probabilities=[],
    )


def _classified(hits: NDArray[np.bool_]) -> Evaluation:
    """Two classes in turn; the predicted one gets probability 0.9 if it is "b" and 0.8 if it is "a"."""
    actual = np.where(np.arange(len(hits)) % 2, "a", "b").astype(object)
    predicted = np.where(hits, actual, np.where(actual == "a", "b", "a"))
    of_b = np.where(predicted == "b", 0.9, 0.2)
    chances = np.column_stack([1 - of_b, of_b])
    return Evaluation(
        task="classification",
        rows=len(hits),
        metrics=metrics.bootstrap_intervals(
            "classification", actual, predicted, chances, ["a", "b"], 100, 0.95, seed=0
        ),
        baseline={},
        slices=[],
        metric="accuracy",
        importances=[],
        shap=None,
        actual=actual.tolist(),
        predicted=predicted.tolist(),
        classes=["a", "b"],
        probabilities=chances.tolist(),
    )


def _decide(challenger: NDArray[np.float64], champion: NDArray[np.float64], **config: Any) -> GateDecision:
    rival = Rival("7", (ACTUAL + champion).tolist())
    return gate.decide(_evaluation(ACTUAL + challenger), GateConfig(**config), 1, True, None, rival)


@pytest.mark.parametrize("metric", ["wmape", "rmse", "r2", "median_ape", "within_10pct"])
def test_three_prepared_pairs_and_the_same_model(metric: str) -> None:
    # given errors of half the size, of twice the size, and of the same size but independent
    better = _decide(ERRORS / 2, ERRORS, metric=metric)
    worse = _decide(ERRORS * 2, ERRORS, metric=metric)
    close = _decide(OTHER_ERRORS, ERRORS, metric=metric)
    same = _decide(ERRORS, ERRORS, metric=metric)
    # then
    assert [better.decision, worse.decision, close.decision, same.decision] == ["promote", "reject", "keep", "keep"]
    assert better.difference is not None and 0 < better.difference.low < better.difference.value
    assert worse.difference is not None and worse.difference.high < 0
    assert close.difference is not None and close.difference.low < 0 < close.difference.high
    assert same.difference is not None and same.difference.low == same.difference.high == 0
    assert "same model" in same.reasons[0] and "too close to call" in close.reasons[0]


def test_the_numbers_are_in_the_decision_and_in_its_reasons() -> None:
    # given / when
    decision = _decide(ERRORS / 2, ERRORS, limits={"r2": 0.5})
    # then
    error = 100 * np.abs(ERRORS).sum() / ACTUAL.sum()
    assert decision.champion == pytest.approx(error)
    assert decision.challenger == pytest.approx(error / 2)
    assert decision.difference is not None
    assert decision.difference.value == pytest.approx(error / 2)
    assert decision.champion_version == "7"
    for number in (error, error / 2, decision.difference.low, decision.difference.high):
        assert metrics.as_text(number) in " ".join(decision.reasons)
    assert "2,000 paired resamples" in decision.reasons[1]
    assert "within its limit of 0.5" in decision.reasons[2]


def test_both_models_are_scored_on_the_same_drawn_rows() -> None:
    # given a challenger that is better by exactly 1 on every row, under noise far larger than that
    noise = 20 + np.abs(ERRORS)
    # when
    decision = _decide(noise - 1, noise, metric="mae")
    # then only a paired bootstrap sees a difference of 1 in each resample
    assert decision.decision == "promote"
    assert decision.difference is not None
    assert decision.difference.low == pytest.approx(1) and decision.difference.high == pytest.approx(1)


def test_the_interval_is_that_of_a_plain_loop() -> None:
    # given
    drawn = np.random.default_rng(1).integers(0, ROWS, size=(2000, ROWS))
    # when
    decision = _decide(OTHER_ERRORS, ERRORS, metric="mae")
    # then
    loop = [np.abs(ERRORS[at]).mean() - np.abs(OTHER_ERRORS[at]).mean() for at in drawn]
    assert decision.difference is not None
    expected = np.quantile(loop, [0.025, 0.975])
    assert [decision.difference.low, decision.difference.high] == pytest.approx(expected.tolist())


def test_tolerance_lets_a_slightly_worse_model_in_but_not_the_same_one() -> None:
    # given a challenger that is worse by 1 on every row
    noise = 20 + np.abs(ERRORS)
    # when
    strict = _decide(noise + 1, noise, metric="mae", tolerance=0.0)
    mild = _decide(noise + 1, noise, metric="mae", tolerance=2.0)
    same = _decide(noise, noise, metric="mae", tolerance=2.0)
    # then
    assert [strict.decision, mild.decision, same.decision] == ["reject", "promote", "keep"]
    assert "within the tolerance" in mild.reasons[0]


def test_a_broken_limit_rejects_before_anything_else() -> None:
    # given a model beyond one limit and within another, without a champion
    config = GateConfig(limits={"r2": 0.999, "wmape": 50.0})
    evaluation = _evaluation(ACTUAL + ERRORS)
    # when
    decision = gate.decide(evaluation, config, 1, False, "built-in sample", None)
    # then
    assert decision.decision == "reject"
    assert decision.broken_limits == {"r2": evaluation.metrics["r2"].value}
    assert decision.reasons == [f"r2 is {metrics.as_text(evaluation.metrics['r2'].value)}; the limit is at least 0.999"]


def test_limits_are_inclusive_and_an_undefined_metric_breaks_its_limit() -> None:
    # given
    evaluation = _evaluation(ACTUAL + ERRORS)
    exact = {name: evaluation.metrics[name].value for name in ("r2", "wmape")}
    undefined = evaluation.metrics["mape"].model_copy(update={"value": math.nan})
    without = evaluation.model_copy(update={"metrics": evaluation.metrics | {"mape": undefined}})
    # when / then
    assert gate.absolute(evaluation, GateConfig(limits=exact)) == {}
    assert gate.absolute(evaluation, GateConfig(limits={"wmape": exact["wmape"] * 0.99})).keys() == {"wmape"}
    assert gate.absolute(without, GateConfig(limits={"mape": 1e9})).keys() == {"mape"}


def test_without_a_comparison() -> None:
    # given
    evaluation = _evaluation(ACTUAL + ERRORS)
    # when
    sample = gate.decide(evaluation, GateConfig(), 1, False, "trained on the built-in sample", None)
    first = gate.decide(evaluation, GateConfig(), 1, True, None, None)
    unfair = gate.decide(evaluation, GateConfig(), 1, True, None, "champion was trained on other data: cannot tell")
    # then
    assert [sample.decision, first.decision, unfair.decision] == ["keep", "promote", "keep"]
    assert "built-in sample" in sample.reasons[0]
    assert "no champion" in first.reasons[0]
    assert "trained on other data" in unfair.reasons[0]
    assert unfair.champion is None and unfair.difference is None and unfair.champion_version is None


@pytest.mark.parametrize("metric", ["accuracy", "f1_macro", "roc_auc", "log_loss"])
def test_classifiers_are_compared_by_any_metric(metric: str) -> None:
    # given one that hits 90 % and one that hits 70 %
    good, poor = _classified(np.arange(300) % 10 != 0), _classified(np.arange(300) % 10 > 2)
    config = GateConfig(metric=metric)
    # when
    up = gate.decide(good, config, 1, True, None, Rival("1", poor.predicted, poor.probabilities))
    down = gate.decide(poor, config, 1, True, None, Rival("1", good.predicted, good.probabilities))
    # then
    assert [up.decision, down.decision] == ["promote", "reject"]


def test_a_champion_without_probabilities_cannot_be_compared_by_them() -> None:
    # given
    evaluation = _classified(np.arange(100) % 10 != 0)
    # when
    decision = gate.decide(evaluation, GateConfig(metric="log_loss"), 1, True, None, Rival("1", evaluation.predicted))
    # then
    assert decision.decision == "keep" and "no probabilities" in decision.reasons[0]


def test_numeric_labels_of_a_champion_are_compared_as_text() -> None:
    # given labels that the evaluation holds as text and the champion's model answers as integers
    evaluation = _classified(np.arange(100) % 10 != 0)
    digits = {"a": "0", "b": "1"}
    evaluation = evaluation.model_copy(
        update={
            "actual": [digits[str(label)] for label in evaluation.actual],
            "predicted": [digits[str(label)] for label in evaluation.predicted],
            "classes": ["0", "1"],
        }
    )
    # when
    rival = Rival("1", [int(label) for label in evaluation.predicted])
    decision = gate.decide(evaluation, GateConfig(metric="accuracy"), 1, True, None, rival)
    # then
    assert decision.decision == "keep" and "same model" in decision.reasons[0]


def test_answers_for_other_rows_and_unknown_metrics_are_refused() -> None:
    # given
    evaluation = _evaluation(ACTUAL + ERRORS)
    # when / then
    with pytest.raises(ValueError, match="equally long"):
        gate.decide(evaluation, GateConfig(), 1, True, None, Rival("1", [1.0, 2.0]))
    with pytest.raises(UserError, match=r"gate.metric: 'accuracy' is no metric of a regression; choose one of r2"):
        gate.decide(evaluation, GateConfig(metric="accuracy"), 1, True, None, None)
    with pytest.raises(UserError, match=r"gate.limits.f1_macro"):
        gate.absolute(evaluation, GateConfig(limits={"f1_macro": 0.5}))


def test_equal_inputs_give_equal_decisions() -> None:
    # given / when / then
    assert _decide(OTHER_ERRORS, ERRORS) == _decide(OTHER_ERRORS, ERRORS)
