"""Two versions side by side: what is said of known pairs, in the report."""

import numpy as np
import pytest

from tabular.config.stages import GateConfig
from tabular.learning import gate, metrics
from tabular.learning.comparison import Comparison
from tabular.learning.model_config import Input
from tests.support.compared import ERRORS, GOOD, OTHER_ERRORS, POOR, classified, compared, config, labels, numbers


def test_each_metric_is_tested_as_the_gate_does() -> None:
    # given
    answers = numbers(ERRORS / 2, ERRORS)
    # when
    report = compared(answers)
    # then
    assert [test.metric for test in report.tests] == list(metrics.names("regression"))
    for test in report.tests:
        alone = gate.paired([test.metric], "regression", answers, 2000, 0.95, 42)[test.metric]
        assert test.difference == alone.difference
        assert [test.a, test.b] == [alone.champion, alone.challenger]


def test_the_test_is_said_from_the_side_of_the_better_one() -> None:
    # given
    better, worse = compared(numbers(ERRORS / 2, ERRORS)), compared(numbers(ERRORS, ERRORS / 2))
    close, same = compared(numbers(OTHER_ERRORS, ERRORS)), compared(numbers(ERRORS, ERRORS))
    # then
    found = next(test for test in better.tests if test.metric == "wmape").difference
    value, low, high = (metrics.as_text(end) for end in (found.value, found.low, found.high))
    assert better.words == f"version 8 is better than version 7 by {value} in wmape, 95 % interval {low} to {high}"
    assert worse.words == f"version 7 is better than version 8 by {value} in wmape, 95 % interval {low} to {high}"
    assert close.words.startswith("too close to call: ")
    assert same.words == "no difference in wmape in any resample: version 8 is as good as the same model"
    assert better.compared_on == "400 held-out rows"


def test_metric_tolerance_resamples_and_seed_are_those_of_the_second_version() -> None:
    # given
    judged = config().gate.model_copy(
        update={"config": GateConfig(metric="mae", tolerance=0.5, resamples=3000, confidence=0.9)}
    )
    answers = numbers(OTHER_ERRORS, ERRORS)
    # when
    report = compared(answers, gate=judged, seed=5)
    # then
    expected = gate.paired(["mae"], "regression", answers, 3000, 0.9, 5)["mae"].difference
    assert next(test.difference for test in report.tests if test.metric == "mae") == expected
    assert (report.metric, report.tolerance, report.resamples) == ("mae", 0.5, 3000)
    assert "in mae, 90 % interval" in report.words
    assert report.drawn is not None and sum(report.drawn.counts) == 3000


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ("cannot tell: only 12 rows", "cannot tell: only 12 rows"),
        (None, "their answers for the same rows were not compared"),
    ],
)
def test_without_answers_the_reason_stands_in_its_place(answers: str | None, said: str) -> None:
    # given / when
    report = compared(answers)
    # then
    assert report.words == said
    assert report.tests == [] and report.drawn is None and report.errors_a == [] and report.compared_on == ""


def test_models_of_other_targets_are_not_tested() -> None:
    # given / when
    report = compared(numbers(ERRORS, ERRORS), target="rent")
    # then
    assert report.tests == []
    assert report.words == "cannot tell: version 7 predicts 'price' (regression), version 8 'rent' (regression)"


def test_a_metric_that_needs_probabilities_is_not_told_without_them() -> None:
    # given
    answers = labels(GOOD, POOR)
    without = answers._replace(champion=answers.champion._replace(probabilities=None))
    # when
    report = classified(without, "log_loss")
    # then
    assert report.words == "cannot tell: one of the two gives no probabilities, which log_loss needs"
    assert "accuracy" in [test.metric for test in report.tests]


def test_what_was_chosen_otherwise_is_listed_and_nothing_else() -> None:
    # given
    changes = {"parameters": {"num_leaves": 63, "boosting": "dart", "depth": 3}, "algorithm": "xgboost"}
    # when
    report = compared(None, **changes)
    # then
    assert [(one.name, one.a, one.b) for one in report.parameters] == [
        ("algorithm", "lightgbm", "xgboost"),
        ("parameters.boosting", "gbdt", "dart"),
        ("parameters.depth", None, 3),
        ("parameters.extra_trees", True, None),
        ("parameters.learning_rate", 1e-05, None),
    ]
    assert compared(None).parameters == []


def test_data_and_inputs_are_told_apart() -> None:
    # given
    old = config()
    inputs = (
        Input(name="size", kind="number", dtype="int64", required=False),
        old.inputs[0].model_copy(update={"name": "age"}),
    )
    data = old.data.model_copy(update={"held_out_sha256": "99" * 32, "held_out_rows": 500})
    # when
    report = compared(None, inputs=inputs, data=data)
    # then
    assert report.data == [
        "the same table: 2,000 rows from houses.csv",
        "the same training rows: 1,600",
        "other held-out rows: version 7 has 400 (efefefefefef), version 8 500 (999999999999)",
    ]
    assert report.inputs == [
        "'size' is number, float64 for version 7 and number, int64 for version 8",
        "'town' (category, str) is an input of version 7 only",
        "'age' (number, float64) is an input of version 8 only",
    ]
    assert len(report.breaks) == 1 and "'town'" in report.breaks[0]


def test_rows_and_classes_are_counted_for_the_picture() -> None:
    # given
    regression, classification = compared(numbers(ERRORS / 2, ERRORS)), classified(labels(GOOD, POOR))
    # then
    assert regression.errors_a == pytest.approx(np.abs(ERRORS).tolist())
    assert regression.errors_b == pytest.approx(np.abs(ERRORS / 2).tolist())
    assert regression.classes == []
    assert Comparison.model_validate_json(classification.model_dump_json()) == classification
    assert [(one.label, one.rows) for one in classification.classes] == [("a", 150), ("b", 150)]
    assert sum(one.rows * one.a for one in classification.classes) == pytest.approx(POOR.sum())
    assert sum(one.rows * one.b for one in classification.classes) == pytest.approx(GOOD.sum())
