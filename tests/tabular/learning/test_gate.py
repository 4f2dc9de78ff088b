"""The gate on prepared pairs of models: clearly better, clearly worse, too close to call, the same."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline

from tabular.config.stages import GateConfig, TargetConfig, Task
from tabular.errors import UserError
from tabular.learning import gate, metrics
from tabular.learning.answers import PairedAnswers, beside_baseline
from tabular.reports.training import GateDecision, Interval
from tests.support.compared import ACTUAL, ERRORS, OTHER_ERRORS, ROWS, labels, numbers


def _scores(answers: PairedAnswers, task: Task = "regression") -> dict[str, Interval]:
    """The challenger's, with intervals that the gate does not look at."""
    found = metrics.score(task, answers.actual, *answers.challenger)
    return {name: Interval(value=value, low=math.nan, high=math.nan) for name, value in found.items()}


def _decide(challenger: NDArray[np.float64], champion: NDArray[np.float64], **config: Any) -> GateDecision:
    answers = numbers(challenger, champion)
    return gate.decide(_scores(answers), "regression", GateConfig(**config), 1, [], answers)


SCORES = _scores(numbers(ERRORS, ERRORS))


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
    for decision in (better, worse, close):
        assert decision.difference is not None
        ends = [metrics.as_text(end) for end in (decision.difference.low, decision.difference.high)]
        assert f"95 % interval {ends[0]} to {ends[1]}" in decision.reasons[1]


def test_the_numbers_are_in_the_decision_and_in_its_reasons() -> None:
    # given / when
    decision = _decide(ERRORS / 2, ERRORS, limits={"r2": 0.5})
    # then
    error = 100 * np.abs(ERRORS).sum() / ACTUAL.sum()
    assert decision.champion == pytest.approx(error)
    assert decision.challenger == pytest.approx(error / 2)
    assert decision.difference is not None
    assert decision.difference.value == pytest.approx(error / 2)
    assert decision.champion_version == "7" and decision.compared_on == "400 held-out rows"
    for number in (error, error / 2, decision.difference.low, decision.difference.high):
        assert metrics.as_text(number) in " ".join(decision.reasons)
    assert "on 400 held-out rows" in decision.reasons[0]
    assert "2,000 paired resamples" in decision.reasons[1]
    assert "within its limit of 0.5" in decision.reasons[2]


def test_limits_look_at_the_own_held_out_rows_and_the_comparison_at_the_common_ones() -> None:
    # given a challenger whose own held-out rows were harder than those of the comparison
    answers = numbers(ERRORS / 2, ERRORS)
    scores = SCORES | {"wmape": Interval(value=30.0, low=29.0, high=31.0)}
    # when
    decision = gate.decide(scores, "regression", GateConfig(), 1, [], answers)
    limited = gate.decide(scores, "regression", GateConfig(limits={"wmape": 20.0}), 1, [], answers)
    # then
    assert decision.decision == "promote" and decision.champion is not None
    assert decision.challenger == pytest.approx(decision.champion / 2)
    assert limited.decision == "reject" and limited.broken_limits == {"wmape": 30.0} and limited.challenger == 30.0


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


def test_metrics_are_paired_together_as_they_are_alone() -> None:
    # given
    answers = labels(np.arange(100) % 10 != 0, np.arange(100) % 10 > 2)
    # when
    together = gate.paired(["accuracy", "log_loss"], "classification", answers, 2000, 0.9, 1)
    alone = gate.paired(["log_loss"], "classification", answers, 2000, 0.9, 1)
    # then
    assert together["log_loss"].difference == alone["log_loss"].difference
    assert [together["accuracy"].champion, together["accuracy"].challenger] == [0.7, 0.9]
    assert together["accuracy"].difference.value == pytest.approx(0.2)
    assert len(together["accuracy"].drawn) == 2000


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
    # given a model beyond one limit and within another, that is also barred and has no champion before it
    config = GateConfig(limits={"r2": 0.999, "wmape": 50.0})
    # when
    decision = gate.decide(SCORES, "regression", config, 1, ["it is of the sample"], None)
    # then
    assert decision.decision == "reject"
    assert decision.broken_limits == {"r2": SCORES["r2"].value}
    assert decision.reasons == [
        f"r2 is {metrics.as_text(SCORES['r2'].value)}; the limit is at least 0.999",
        "not promotable: it is of the sample",
    ]


def test_limits_are_inclusive_and_an_undefined_metric_breaks_its_limit() -> None:
    # given
    exact = {name: SCORES[name].value for name in ("r2", "wmape")}
    undefined = SCORES["mape"].model_copy(update={"value": math.nan})
    without = SCORES | {"mape": undefined}
    # when
    broken = gate.absolute(without, "regression", GateConfig(limits={"mape": 99.0}))
    decision = gate.decide(without, "regression", GateConfig(limits={"mape": 99.0}), 1, [], None)
    # then
    assert gate.absolute(SCORES, "regression", GateConfig(limits=exact)) == {}
    assert list(broken) == ["mape"]
    assert decision.reasons == ["mape is undefined on these rows; the limit is at most 99"]


def test_every_obstacle_is_said_and_none_is_outweighed_by_a_better_score() -> None:
    # given a clearly better model with two obstacles
    answers = numbers(ERRORS / 2, ERRORS)
    obstacles = ["it was trained on the built-in sample", "the input 'town' is gone"]
    # when
    decision = gate.decide(SCORES, "regression", GateConfig(), 1, obstacles, answers)
    first = gate.decide(SCORES, "regression", GateConfig(), 1, obstacles, None)
    # then
    assert [decision.decision, first.decision] == ["keep", "keep"]
    assert decision.obstacles == obstacles
    assert decision.reasons == [f"not promotable: {obstacle}" for obstacle in obstacles]


RANDOM = np.random.default_rng(5)
SIGNAL = RANDOM.normal(size=300)
TABLE = pd.DataFrame({"x": SIGNAL, "noise": RANDOM.normal(size=300), "y": np.exp(SIGNAL + RANDOM.normal(0, 0.2, 300))})
LABELLED = TABLE.assign(y=np.where(SIGNAL + RANDOM.normal(0, 0.3, 300) > 0.5, "yes", "no"))
FIRST = [
    *[(TABLE, TransformedTargetRegressor(Ridge(), func=np.log, inverse_func=np.exp), name) for name in ("wmape", "r2")],
    *[(TABLE, TransformedTargetRegressor(Ridge(), func=np.log, inverse_func=np.exp), name) for name in ("rmse", "mae")],
    *[(LABELLED, KNeighborsClassifier(3), name) for name in ("f1_macro", "balanced_accuracy", "precision_weighted")],
    *[(LABELLED, LogisticRegression(), name) for name in ("accuracy", "log_loss", "roc_auc")],
]


@pytest.mark.parametrize(("table", "estimator", "metric"), FIRST)
def test_a_first_model_is_released_only_if_it_beats_the_baseline(table: Any, estimator: Any, metric: str) -> None:
    task: Task = "regression" if table is TABLE else "classification"
    target = TargetConfig(column="y", task=task)
    train, held_out = table[:200], table[200:].reset_index(drop=True)
    decisions = []
    for column in ("x", "noise"):
        # given: a model of what the target depends on, and one of noise
        model = Pipeline([("estimator", estimator)]).fit(train[[column]], train["y"])
        answers = beside_baseline(model, train, held_out, target, metric)
        scores = _scores(answers, task)
        # when
        decisions.append(gate.decide(scores, task, GateConfig(metric=metric), 1, [], answers))
    # then
    assert [one.decision for one in decisions] == ["promote", "keep"]
    assert all("of the baseline" in one.reasons[0] and "\n" not in one.reasons[0] for one in decisions)
    assert decisions[0].reasons[0].startswith("there is no champion yet; on 100 held-out rows")
    assert decisions[1].reasons[0].startswith("no better than an answer without a model: on 100 held-out rows")
    assert all(one.champion is None and one.champion_version is None for one in decisions)


def test_a_first_model_whose_metric_is_undefined_is_kept() -> None:
    # given: a weighted error of rows that are all 0
    answers = numbers(ERRORS, ERRORS)._replace(champion_version=None, actual=np.zeros(ROWS))
    # when
    decision = gate.decide(SCORES, "regression", GateConfig(), 1, [], answers)
    # then
    assert decision.decision == "keep" and "wmape is undefined on 400 held-out rows" in decision.reasons[0]


def test_a_first_model_without_rows_is_promoted_and_an_unfair_comparison_keeps() -> None:
    # given / when
    first = gate.decide(SCORES, "regression", GateConfig(), 1, [], None)
    unfair = gate.decide(SCORES, "regression", GateConfig(), 1, [], "cannot tell: only 12 rows")
    # then
    assert [first.decision, unfair.decision] == ["promote", "keep"]
    assert "no champion" in first.reasons[0] and metrics.as_text(SCORES["wmape"].value) in first.reasons[0]
    assert unfair.reasons == ["cannot tell: only 12 rows"]
    assert unfair.champion is None and unfair.difference is None and unfair.champion_version is None
    assert unfair.compared_on == ""


@pytest.mark.parametrize("metric", ["accuracy", "f1_macro", "roc_auc", "log_loss"])
def test_classifiers_are_compared_by_any_metric(metric: str) -> None:
    # given one that hits 90 % and one that hits 70 %
    good, poor = np.arange(300) % 10 != 0, np.arange(300) % 10 > 2
    up, down = labels(good, poor), labels(poor, good)
    # when
    verdicts = [
        gate.decide(_scores(it, "classification"), "classification", GateConfig(metric=metric), 1, [], it).decision
        for it in (up, down)
    ]
    # then
    assert verdicts == ["promote", "reject"]


def test_a_model_without_probabilities_cannot_be_compared_by_them() -> None:
    # given
    hits = np.arange(100) % 10 != 0
    answers = labels(hits, hits)
    scores = _scores(answers, "classification")
    without = answers._replace(champion=answers.champion._replace(probabilities=None))
    # when
    by_probability = gate.decide(scores, "classification", GateConfig(metric="log_loss"), 1, [], without)
    by_label = gate.decide(scores, "classification", GateConfig(metric="accuracy"), 1, [], without)
    # then
    assert by_probability.decision == "keep" and "champion version 7 gives no prob" in by_probability.reasons[0]
    assert "same model" in by_label.reasons[0]


def test_a_metric_that_is_undefined_on_the_rows_keeps() -> None:
    # given rows of one class only, on which there is nothing to rank
    answers = labels(np.arange(100) % 10 != 0, np.arange(100) % 10 > 2)
    scores = _scores(answers, "classification")
    of_one_class = answers._replace(actual=np.array(["a"] * 100, dtype=object))
    # when
    decision = gate.decide(scores, "classification", GateConfig(metric="roc_auc"), 1, [], of_one_class)
    # then
    assert decision.decision == "keep" and "undefined on held-out rows" in decision.reasons[0]
    assert decision.difference is None


def test_answers_for_other_rows_and_unknown_metrics_are_refused() -> None:
    # given
    answers = numbers(ERRORS, ERRORS)
    short = answers._replace(champion=answers.champion._replace(predicted=ACTUAL[:2]))
    # when / then
    with pytest.raises(ValueError, match="equally long"):
        gate.decide(SCORES, "regression", GateConfig(), 1, [], short)
    with pytest.raises(UserError, match=r"gate.metric: 'accuracy' is not a metric of a regression; choose one of r2"):
        gate.decide(SCORES, "regression", GateConfig(metric="accuracy"), 1, [], None)
    with pytest.raises(UserError, match=r"gate.limits.f1_macro"):
        gate.absolute(SCORES, "regression", GateConfig(limits={"f1_macro": 0.5}))


def test_equal_inputs_give_equal_decisions() -> None:
    # given / when / then
    assert _decide(OTHER_ERRORS, ERRORS) == _decide(OTHER_ERRORS, ERRORS)
