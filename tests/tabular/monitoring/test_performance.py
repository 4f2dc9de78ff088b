"""Predictions whose true value is known, against the held-out rows."""

import numpy as np
import pytest

from tabular.config.monitoring import PerformanceConfig
from tabular.errors import UserError
from tabular.monitoring.performance import measure, performance_finding
from tabular.prediction_log.labels import Labelled
from tabular.reports.verdicts import Level, Performance
from tests.support.watched import model

CONFIG = PerformanceConfig()
SPAN = ("2026-03-01", "2026-03-02")
HOMES = model().bundle


def measured(worse: float, rows: int = 400, metric: str | None = None) -> Performance | None:
    """Predictions that are `worse` percent too high, where held out 10 percent were wrong."""
    actual = np.random.default_rng(1).uniform(50, 150, rows)
    labelled = Labelled(np.zeros(rows), actual, actual * (1 + worse / 100), None)
    bundle = HOMES.model_copy(update={"metrics": {"wmape": 10.0, "r2": 0.9}})
    return measure(labelled, bundle, SPAN, CONFIG.model_copy(update={"metric": metric}), 42)


@pytest.mark.parametrize(("worse", "level"), [(10, "ok"), (11, "warn"), (12, "alert"), (5, "ok")])
def test_performance_is_compared_with_the_held_out_rows(worse: float, level: Level) -> None:
    # when
    judged = performance_finding(measured(worse), CONFIG)
    # then
    assert judged is not None and judged.level == level
    assert "10 held out" in judged.words


def test_a_metric_of_which_more_is_better_gets_worse_downwards() -> None:
    # given an R2 far below 0.9
    judged = performance_finding(measured(60, metric="r2"), CONFIG)
    # then
    assert judged is not None and judged.level == "alert" and judged.value > 0.15


def test_few_true_values_are_shown_and_not_judged() -> None:
    # when
    few = measured(50, rows=40)
    # then
    assert few is not None and few.rows == 40 and performance_finding(few, CONFIG) is None
    assert measured(50, rows=0) is None


def test_a_metric_of_the_other_task_is_refused() -> None:
    with pytest.raises(UserError, match="'f1_macro' is not a metric of a regression; there are r2, "):
        measured(10, metric="f1_macro")


def test_labels_are_compared_as_text() -> None:
    # given codes of classes, one of them a label that the model no longer has, and a true label that it never had
    actual = np.array(["a", "b", "c", "b"] * 50, dtype=object)
    predicted = np.array([0, 1, -1, 0] * 50)
    chances = np.full((200, 2), 0.5)
    bundle = HOMES.model_copy(update={"task": "classification", "classes": ("a", "b"), "metrics": {}})

    # when
    made = measure(Labelled(np.zeros(200), actual, predicted, chances), bundle, SPAN, CONFIG, 42)

    # then
    assert made is not None and made.metrics["accuracy"].value == 0.5 and made.metric == "f1_macro"
    assert performance_finding(made, CONFIG) is None, "nothing is known of the held-out rows"
