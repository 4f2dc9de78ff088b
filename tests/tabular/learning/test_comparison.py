"""Two versions side by side: what is said of known pairs, in the report, in the picture and on the page."""

from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from tabular.config.stages import GateConfig
from tabular.learning import gate, metrics
from tabular.learning.answers import PairedAnswers
from tabular.learning.comparison import Comparison, compare
from tabular.learning.model_config import Input
from tabular.pages.comparison_page import page
from tabular.pages.pictures import png, words
from tabular.pages.pictures.comparison import draw
from tabular.reports.training import Interval
from tests.support.compared import ERRORS, OTHER_ERRORS, config, labels, numbers
from tests.tabular.pages.test_evaluation_page import HOSTILE, Parsed

GOOD, POOR = np.arange(300) % 10 != 0, np.arange(300) % 10 > 2


def _compared(answers: PairedAnswers | str | None, **changes: Any) -> Comparison:
    return compare(config(), config(version="8", **changes), answers)


def _classified(answers: PairedAnswers | str | None, metric: str = "accuracy") -> Comparison:
    scores = {name: Interval(value=0.5, low=0.4, high=0.6) for name in ("accuracy", "log_loss")}
    judged = config().gate.model_copy(update={"config": GateConfig(metric=metric)})
    one = config(task="classification", metrics=scores, gate=judged)
    return compare(one, one.model_copy(update={"version": "8"}), answers)


def test_each_metric_is_tested_as_the_gate_does() -> None:
    # given
    answers = numbers(ERRORS / 2, ERRORS)
    # when
    report = _compared(answers)
    # then
    assert [test.metric for test in report.tests] == list(metrics.names("regression"))
    for test in report.tests:
        alone = gate.paired([test.metric], "regression", answers, 2000, 0.95, 42)[test.metric]
        assert test.difference == alone.difference
        assert [test.a, test.b] == [alone.champion, alone.challenger]


def test_the_test_is_said_from_the_side_of_the_better_one() -> None:
    # given
    better, worse = _compared(numbers(ERRORS / 2, ERRORS)), _compared(numbers(ERRORS, ERRORS / 2))
    close, same = _compared(numbers(OTHER_ERRORS, ERRORS)), _compared(numbers(ERRORS, ERRORS))
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
    report = _compared(answers, gate=judged, seed=5)
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
    report = _compared(answers)
    # then
    assert report.words == said
    assert report.tests == [] and report.drawn is None and report.errors_a == [] and report.compared_on == ""


def test_models_of_other_targets_are_not_tested() -> None:
    # given / when
    report = _compared(numbers(ERRORS, ERRORS), target="rent")
    # then
    assert report.tests == []
    assert report.words == "cannot tell: version 7 predicts 'price' (regression), version 8 'rent' (regression)"


def test_a_metric_that_needs_probabilities_is_not_told_without_them() -> None:
    # given
    answers = labels(GOOD, POOR)
    without = answers._replace(champion=answers.champion._replace(probabilities=None))
    # when
    report = _classified(without, "log_loss")
    # then
    assert report.words == "cannot tell: one of the two gives no probabilities, which log_loss needs"
    assert "accuracy" in [test.metric for test in report.tests]


def test_what_was_chosen_otherwise_is_listed_and_nothing_else() -> None:
    # given
    changes = {"parameters": {"num_leaves": 63, "boosting": "dart", "depth": 3}, "algorithm": "xgboost"}
    # when
    report = _compared(None, **changes)
    # then
    assert [(one.name, one.a, one.b) for one in report.parameters] == [
        ("algorithm", "lightgbm", "xgboost"),
        ("parameters.boosting", "gbdt", "dart"),
        ("parameters.depth", None, 3),
        ("parameters.extra_trees", True, None),
        ("parameters.learning_rate", 1e-05, None),
    ]
    assert _compared(None).parameters == []


def test_data_and_inputs_are_told_apart() -> None:
    # given
    old = config()
    inputs = (
        Input(name="size", kind="number", dtype="int64", required=False),
        old.inputs[0].model_copy(update={"name": "age"}),
    )
    data = old.data.model_copy(update={"held_out_sha256": "99" * 32, "held_out_rows": 500})
    # when
    report = _compared(None, inputs=inputs, data=data)
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
    regression, classification = _compared(numbers(ERRORS / 2, ERRORS)), _classified(labels(GOOD, POOR))
    # then
    assert regression.errors_a == pytest.approx(np.abs(ERRORS).tolist())
    assert regression.errors_b == pytest.approx(np.abs(ERRORS / 2).tolist())
    assert regression.classes == []
    assert Comparison.model_validate_json(classification.model_dump_json()) == classification
    assert [(one.label, one.rows) for one in classification.classes] == [("a", 150), ("b", 150)]
    assert sum(one.rows * one.a for one in classification.classes) == pytest.approx(POOR.sum())
    assert sum(one.rows * one.b for one in classification.classes) == pytest.approx(GOOD.sum())


def _titles(figure: Figure) -> list[str]:
    return [axes.get_title(loc="left") for axes in figure.axes if axes.get_title(loc="left")]


def test_the_picture_shows_metrics_difference_and_rows() -> None:
    # given
    judged = config().gate.model_copy(update={"config": GateConfig(tolerance=0.5)})
    report = _compared(numbers(ERRORS / 2, ERRORS), gate=judged)
    # when
    figure = draw(report)["comparison"]
    # then
    *scores, difference, errors = _titles(figure)
    assert [title.split(",")[0] for title in scores] == ["R²", "wMAPE (%)"]
    assert difference == "The difference in 2,000 paired resamples"
    assert errors.startswith("version 8 is closer on 100 % of the rows")
    histogram = next(axes for axes in figure.axes if axes.get_title(loc="left") == difference)
    assert [line.get_xdata()[0] for line in histogram.lines if line.get_linestyle() == "--"] == [-0.5]
    assert sum(patch.get_height() for patch in histogram.patches) == 2000
    assert "version 8 is better" in histogram.get_xlabel()
    assert figure.get_suptitle().replace("\n", " ").startswith("Version 8 is better than version 7 by")
    assert png(figure) == png(draw(report)["comparison"])


def test_the_picture_leaves_out_what_there_is_nothing_of() -> None:
    # given / when
    alone, same = draw(_compared("cannot tell"))["comparison"], draw(_compared(numbers(ERRORS, ERRORS)))["comparison"]
    classes = draw(_classified(labels(GOOD, POOR)))["comparison"]
    # then
    assert len(_titles(alone)) == len(_titles(same)) == 2
    assert _titles(classes)[-1] == "Share right by class; in brackets its rows"
    assert [label.get_text() for label in classes.axes[-1].get_yticklabels()] == ["a (150)", "b (150)"]


def test_an_undefined_metric_is_drawn_as_a_word() -> None:
    # given
    undefined = {"wmape": Interval(value=float("nan"), low=float("nan"), high=float("nan"))}
    # when
    figure = draw(_compared(None, metrics=undefined))["comparison"]
    # then
    assert "undefined" in [text.get_text() for axes in figure.axes for text in axes.texts]
    assert png(figure).startswith(b"\x89PNG")


def test_the_page_holds_the_numbers_of_the_report() -> None:
    # given
    report = _compared(numbers(ERRORS / 2, ERRORS), clusters=None, inputs=config().inputs[:1])
    # when
    html = page(report, "housing", {"comparison": b"png"})
    parsed = Parsed(html)
    # then
    _, a, b, gain = parsed.row("wMAPE")
    test = next(test for test in report.tests if test.metric == "wmape")
    assert a == b == "0.3000 %0.2500 % to 0.3500 %"
    ends = [words.plain(end) for end in (test.difference.value, test.difference.low, test.difference.high)]
    assert gain == f"+{ends[0]} points+{ends[1]} to +{ends[2]}"
    assert parsed.row("clusters") == ["clusters", "50", "\N{EN DASH}"]
    for sentence in [report.words[1:], *(said[1:] for said in (*report.data, *report.inputs, *report.breaks))]:
        assert sentence in parsed.text
    assert [tag for tag, _ in parsed.tags].count("img") == 1
    assert not any(tag in ("script", "link", "iframe") for tag, _ in parsed.tags)
    assert parsed.open == []


def test_a_worse_second_version_is_marked_and_equal_ones_are_said_to_be() -> None:
    # given / when
    worse = page(_compared(numbers(ERRORS, ERRORS / 2)), "housing", {})
    untested = Parsed(page(_compared(None), "housing", {}))
    # then
    assert worse.count('class="bad"') == 2
    assert untested.row("wMAPE")[3] == "\N{EN DASH}"
    assert "Both were made in the same way." in untested.text and "Both take the same inputs." in untested.text


def test_text_of_the_data_is_not_markup() -> None:
    # given
    strange = Input(name=HOSTILE, kind="number", dtype="float64", required=False)
    scores = {HOSTILE: Interval(value=1.0, low=0.5, high=1.5)}
    report = _compared(HOSTILE, algorithm=HOSTILE, inputs=(strange,), parameters={HOSTILE: HOSTILE}, metrics=scores)
    # when
    parsed = Parsed(page(report, HOSTILE, {}))
    # then
    assert "script" not in [tag for tag, _ in parsed.tags]
    assert parsed.text.count(HOSTILE) >= 5
    assert png(draw(report)["comparison"]).startswith(b"\x89PNG")
