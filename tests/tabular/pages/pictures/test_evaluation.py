import math
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex

from tabular.config.stages import REGRESSION_METRICS
from tabular.pages.pictures import draw, png, style
from tabular.reports.report import Report
from tabular.reports.training import Importance, Interval, ShapSummary, Slice
from tests.support.drawn import FORMULA, bars, colours, legend, lengths, names, notes, scattered, title
from tests.support.reports import (
    classification,
    regression,
)


def test_regression_draws_each_row_against_the_line_of_perfect_predictions() -> None:
    # given / when
    figures = draw(regression(rows=200))
    # then
    against: Any = figures["predicted_against_actual"].axes[0]
    assert scattered(against) == 200
    assert "in the unit of the target" in against.get_xlabel()
    assert list(against.lines[0].get_xdata()) == list(against.lines[0].get_ydata())
    assert "wMAPE 12.50 %" in title(figures["predicted_against_actual"])
    residuals, histogram = figures["residuals"].axes
    assert scattered(residuals) == 200
    assert sum(lengths(histogram)) == 200


def test_many_rows_become_cells_that_hold_all_of_them() -> None:
    # given / when
    figures = draw(regression(rows=1500))
    # then
    for name in ("predicted_against_actual", "residuals"):
        cells: Any = figures[name].axes[0].collections[0].get_array()
        assert cells.sum() == 1500


def test_residuals_are_positive_where_the_model_says_too_little() -> None:
    # given / when
    figure = draw(regression(rows=2, actual=[10.0, 20.0], predicted=[7.0, 15.0]))["residuals"]
    # then
    residuals: Any = figure.axes[0]
    assert residuals.collections[0].get_offsets().tolist() == [[7.0, 3.0], [15.0, 5.0]]
    assert title(figure) == "Half of the predictions are off by less than 4.00"


def test_importances_show_the_first_fifteen_with_the_unit_of_the_metric() -> None:
    # given eighteen columns / when
    figure = draw(regression())["importances"]
    # then
    axes: Any = figure.axes[0]
    assert names(axes) == [f"c{place}" for place in range(15)]
    assert axes.get_xlabel() == "rise of wMAPE (percentage points) when the column is shuffled"
    assert (
        draw(classification(["a", "b"]))["importances"].axes[0].get_xlabel()
        == "fall of F1 (macro) when the column is shuffled"
    )


def test_slices_highlight_the_worst_part_beside_the_whole() -> None:
    # given / when
    figure = draw(regression())["slices"]
    # then
    axes: Any = figure.axes[0]
    assert names(axes) == ["near", "far"]
    assert colours(axes) == [style.QUIET, style.ACCENT]
    assert notes(axes) == ["10.00 %  (100 rows)", "20.00 %  (100 rows)"]
    assert legend(figure) == ["all held-out rows"]
    assert colours(draw(regression(metric="r2"))["slices"].axes[0]) == [style.ACCENT, style.QUIET]
    assert "slices" not in draw(regression(slices=[]))


def test_slices_keep_only_the_largest_parts_of_a_column_with_many() -> None:
    # given forty parts, and one without the metric
    parts = [Slice(column="c", part=f"p{rows}", rows=rows, metrics={"wmape": 1.0}) for rows in range(10, 50)]
    parts.append(Slice(column="d", part="undefined", rows=99, metrics={}))
    # when
    figure = draw(regression(slices=parts))["slices"]
    # then
    assert len(figure.axes) == 1
    assert names(figure.axes[0]) == [f"p{rows}" for rows in range(38, 50)]
    assert figure.axes[0].get_title(loc="left") == "c (the 12 largest of 40 parts)"


def test_shap_summary_has_a_dot_for_each_value_that_stays_in_its_row() -> None:
    # given 400 equal values in one column, and a hole among the inputs
    values = [[0.0, place / 400] for place in range(400)]
    inputs = [[math.nan if place == 0 else float(place), 1.0] for place in range(400)]
    shap = ShapSummary(columns=["same", "spread"], values=values, inputs=inputs)
    # when
    axes: Any = draw(regression(shap=shap))["shap_summary"].axes[0]
    # then
    dots = np.concatenate([np.asarray(collection.get_offsets()) for collection in axes.collections])
    assert len(dots) == 800
    assert sorted(dots[:, 0]) == sorted(np.ravel(values))
    row = dots[dots[:, 1] < 0.5]
    assert len(row) == 400
    assert len(np.unique(row[:, 1])) == 400
    assert np.abs(dots[:, 1] - np.round(dots[:, 1])).max() <= 0.4
    assert "shap_summary" not in draw(regression(shap=None))


def test_confusion_matrix_counts_actual_labels_by_row() -> None:
    # given three classes, and an actual label that the model does not know
    report = classification(["a", "b"], rows=4, actual=["a", "a", "b", "z"], predicted=["a", "b", "b", "a"])
    report = report.model_copy(update={"probabilities": [[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.7, 0.3]]})
    # when
    figure = draw(report)["confusion_matrix"]
    # then
    axes: Any = figure.axes[0]
    assert names(axes) == ["a", "b", "z"]
    assert [int(note) for note in notes(axes)] == [1, 1, 0, 0, 1, 0, 1, 0, 0]
    assert axes.images[0].get_array().tolist() == [[0.5, 0.5, 0], [0, 1, 0], [1, 0, 0]]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted label", "actual label")
    assert title(figure) == "2 of 4 held-out rows get the right label"


def test_curves_are_one_for_each_label_but_one_for_two_labels() -> None:
    # given / when
    two, three = draw(classification(["no", "yes"])), draw(classification(["a", "b", "c"]))
    # then
    assert [entry.split(" (")[0] for entry in legend(two["roc"])] == ["yes", "chance"]
    assert [entry.split(" (")[0] for entry in legend(three["roc"])] == ["a", "b", "c", "chance"]
    assert [entry.split(" (")[0] for entry in legend(three["precision_recall"])] == ["a", "b", "c"]
    assert title(two["roc"]).startswith("ROC of 'yes': area 0.")
    looks = {(to_hex(line.get_color()), line.get_linestyle()) for line in three["roc"].axes[0].lines}
    assert len(looks) == 4


def test_many_labels_get_no_curves_and_a_folded_matrix() -> None:
    # given forty classes / when
    figures = draw(classification([f"label {place}" for place in range(40)], rows=600))
    # then
    assert set(figures) == {"confusion_matrix", "calibration", "importances"}
    axes: Any = figures["confusion_matrix"].axes[0]
    assert len(names(axes)) == 30
    assert names(axes)[-1] == "the other 11"


def test_calibration_compares_expected_with_observed_shares() -> None:
    # given probabilities of 0.25 and 0.85 for the second class that come true in half and in all of the cases
    report = classification(
        ["no", "yes"],
        rows=4,
        actual=["no", "yes", "yes", "yes"],
        predicted=["no", "no", "yes", "yes"],
        probabilities=[[0.75, 0.25], [0.75, 0.25], [0.15, 0.85], [0.15, 0.85]],
    )
    # when
    figure = draw(report)["calibration"]
    # then
    dots = np.asarray(figure.axes[0].collections[0].get_offsets())
    assert dots.ravel().tolist() == pytest.approx([0.25, 0.5, 0.85, 1.0])
    assert title(figure) == "Probabilities are off by 20.0 percentage points on average"
    assert [bar.get_height() for bar in bars(figure.axes[1])] == [0, 0, 2, 0, 0, 0, 0, 0, 2, 0]


def test_hostile_names_are_drawn_as_they_are() -> None:
    # given names with formulas, markup and great length everywhere
    reports: list[Report] = [
        regression(
            importances=[Importance(column=FORMULA, permutation=1.0, std=0.1)],
            slices=[Slice(column=FORMULA, part=FORMULA, rows=10, metrics={"wmape": 1.0})],
            shap=ShapSummary(columns=[FORMULA], values=[[1.0]], inputs=[[1.0]]),
        ),
        classification([FORMULA, "$b$", r"\$"]),
    ]
    # when / then each can be written
    figures = [figure for report in reports for figure in draw(report).values()]
    assert all(png(figure) for figure in figures)
    axes: Any = draw(classification(["$a$", "$b$"]))["confusion_matrix"].axes[0]
    assert names(axes) == [r"\$a\$", r"\$b\$"]


def test_a_figure_written_twice_stays_the_same() -> None:
    # given
    figures = [*draw(regression()).values(), *draw(classification(["a", "b", "c"])).values()]
    # when / then
    assert [png(figure) for figure in figures] == [png(figure) for figure in figures]


def test_degenerate_evaluations_can_be_drawn() -> None:
    # given one row, equal rows and undefined numbers
    undefined = {name: Interval(value=math.nan, low=math.nan, high=math.nan) for name in REGRESSION_METRICS}
    reports = [
        regression(rows=1, metrics=undefined, shap=ShapSummary(columns=["a"], values=[[0.0]], inputs=[[math.nan]])),
        regression(rows=1500, actual=[5.0] * 1500, predicted=[5.0] * 1500),
        regression(importances=[Importance(column="a", permutation=math.nan, std=math.nan)], slices=[]),
        classification(["a", "b"], rows=3, actual=["b"] * 3, predicted=["a"] * 3, probabilities=[[1.0, 0.0]] * 3),
        classification(["only"], rows=2),
    ]
    # when / then
    for report in reports:
        figures = draw(report)
        assert all(png(figure) for figure in figures.values())
    assert "roc" not in draw(reports[3])
    assert "undefined" in title(draw(reports[0])["predicted_against_actual"])
