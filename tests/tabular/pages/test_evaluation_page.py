import base64
import math
from typing import Any

import pytest

from tabular.config.stages import CLASSIFICATION_METRICS, REGRESSION_METRICS
from tabular.pages import words
from tabular.pages.html_pages import evaluation_page
from tabular.reports.training import (
    ClassScore,
    CrossValidation,
    Evaluation,
    FoldFigures,
    Importance,
    Interval,
    ShapSummary,
    Slice,
)
from tests.support.html import HOSTILE, Parsed, assert_harmless


def evaluation(**changes: Any) -> Evaluation:
    given: dict[str, Any] = {
        "task": "regression",
        "rows": 4128,
        "metrics": {
            name: Interval(value=12.5 + place, low=11.0, high=14.0) for place, name in enumerate(REGRESSION_METRICS)
        },
        "baseline": dict.fromkeys(REGRESSION_METRICS, 40.0),
        "slices": [Slice(column="sea", part="near", rows=1813, metrics={"rmse": 46984.0})],
        "metric": "rmse",
        "importances": [Importance(column="a", permutation=1.0, std=0.1)],
        "shap": ShapSummary(columns=["a"], values=[[1.0], [2.0]], inputs=[[1.0], [2.0]]),
        "actual": [1.0, 2.0],
        "predicted": [1.5, 2.5],
        "classes": [],
        "probabilities": [],
    }
    return Evaluation(**{**given, **changes})


def test_every_metric_is_shown_with_its_interval_and_baseline() -> None:
    # given
    report = evaluation()
    # when
    parsed = Parsed(evaluation_page(report, "A model", {}))
    # then
    for name, interval in report.metrics.items():
        _, value, span, baseline, meaning = parsed.row(words.metric(name).label + name)
        assert value == words.value(name, interval.value)
        assert span == f"{words.value(name, 11.0)} to {words.value(name, 14.0)}"
        assert baseline == words.value(name, 40.0)
        assert words.better(name).capitalize() in meaning
    assert "On 4,128 held-out rows" in parsed.text
    assert "RMSE is 13.50, against 40.00" in parsed.text
    assert parsed.open == []


def test_only_a_metric_below_the_baseline_is_called_worse() -> None:
    # given a baseline of 40 for all: r2 and within_10pct should be larger, the others smaller
    report = evaluation()
    # when
    parsed = Parsed(evaluation_page(report, "A model", {}))
    # then
    worse = {
        name for name in report.metrics if "Worse than the baseline" in parsed.row(words.metric(name).label + name)[4]
    }
    assert worse == {"r2", "within_10pct"}


def test_a_classification_says_what_its_baseline_is() -> None:
    # given
    metrics = {name: Interval(value=0.8, low=0.7, high=0.9) for name in CLASSIFICATION_METRICS}
    report = evaluation(
        task="classification", metrics=metrics, baseline={"accuracy": 0.3}, metric="accuracy", slices=[]
    )
    # when
    parsed = Parsed(evaluation_page(report, "A model", {}))
    # then
    assert "most frequent class" in parsed.text
    assert all(parsed.row(words.metric(name).label + name) for name in CLASSIFICATION_METRICS)
    assert parsed.row("log loss")[3] == "\N{EN DASH}"
    assert "By part of the rows" not in parsed.text


def test_undefined_numbers_are_said_to_be_undefined() -> None:
    # given
    metrics = {"r2": Interval(value=math.nan, low=math.nan, high=math.nan)}
    # when
    parsed = Parsed(evaluation_page(evaluation(metrics=metrics, baseline={"r2": math.nan}, slices=[]), "A model", {}))
    # then
    assert parsed.row("R²r2")[1:4] == ["undefined", "undefined", "undefined"]
    assert "Worse" not in parsed.text
    assert "nan" not in parsed.text


def test_slices_have_a_dash_where_a_metric_is_undefined() -> None:
    # given / when
    parsed = Parsed(evaluation_page(evaluation(), "A model", {}))
    # then
    assert parsed.row("sea") == ["sea", "near", "1,813", "–", "46,984", *["–"] * 6]


def test_pictures_are_inside_the_page_in_order_with_a_caption() -> None:
    # given
    pictures = {"residuals": b"first", "importances": b"second", "something_new": b"third"}
    # when
    parsed = Parsed(evaluation_page(evaluation(), "A model", pictures))
    # then
    sources = [str(attributes["src"]) for tag, attributes in parsed.tags if tag == "img"]
    assert [base64.b64decode(source.removeprefix("data:image/png;base64,")) for source in sources] == [
        b"first",
        b"second",
        b"third",
    ]
    assert parsed.captions[0].startswith("The left part shows the error against the prediction")
    assert parsed.captions[2] == "something new"


@pytest.mark.parametrize("where", ["title", "column", "part", "metric", "picture"])
def test_hostile_text_stays_text(where: str) -> None:
    # given
    part = Slice(
        column=HOSTILE if where == "column" else "c", part=HOSTILE if where == "part" else "p", rows=1, metrics={}
    )
    metrics = {HOSTILE if where == "metric" else "r2": Interval(value=1.0, low=0.0, high=2.0)}
    # when
    html = evaluation_page(
        evaluation(slices=[part], metrics=metrics, metric=next(iter(metrics)), baseline={}),
        HOSTILE if where == "title" else "A model",
        {HOSTILE if where == "picture" else "residuals": b"x"},
    )
    # then
    assert_harmless(html)
    assert HOSTILE in Parsed(html).text


def test_the_cross_validation_and_the_classes_have_tables_of_their_own() -> None:
    # given
    figures = FoldFigures(mean=0.8123, std=0.0456, folds=[0.8, 0.82, 0.81])
    validated = CrossValidation(
        rows=320, metrics={"accuracy": figures}, temperature=1.75, log_loss_uncalibrated=0.31, log_loss_calibrated=0.22
    )
    by_class = [ClassScore(label=HOSTILE, precision=0.5, recall=0.25, f1=1 / 3, support=1234)]
    # when
    parsed = Parsed(evaluation_page(evaluation(cross_validation=validated, by_class=by_class), "A model", {}))
    # then
    assert parsed.row("accuracy") == ["accuracy", words.value("accuracy", 0.8123), words.value("accuracy", 0.0456)]
    assert "in 3 folds of 320 training rows" in parsed.text
    before, after = words.value("log_loss", 0.31), words.value("log_loss", 0.22)
    assert f"A temperature of 1.75 takes the log loss from {before} to {after}." in parsed.text
    numbers = [words.value("f1_macro", number) for number in (0.5, 0.25, 1 / 3)]
    assert parsed.row(HOSTILE) == [HOSTILE, *numbers, "1,234"]
