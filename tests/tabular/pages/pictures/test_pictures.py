import math
import threading
from typing import Any

import pytest
from matplotlib import _pylab_helpers, rcParams
from matplotlib.colors import to_hex
from matplotlib.container import BarContainer
from matplotlib.figure import Figure

from tabular.config.stages import CLASSIFICATION_METRICS, REGRESSION_METRICS
from tabular.pages.pictures import draw, png, style, words
from tabular.reports.report import Report
from tabular.reports.training import (
    ClusterScore,
    ColumnProfile,
    FeatureReport,
    ImputationReport,
    Provenance,
    StrategyScore,
    ValidationReport,
)

HOSTILE = r"<script>$\frac{$ & a_very_long_name_that_goes_on_and_on_$x^2$"


def bars(axes: Any) -> Any:
    return next(container for container in axes.containers if isinstance(container, BarContainer))


def colours(axes: Any) -> list[str]:
    return [to_hex(bar.get_facecolor()) for bar in bars(axes)]


def lengths(axes: Any) -> list[float]:
    return [bar.get_width() for bar in bars(axes)]


def names(axes: Any) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]


def notes(axes: Any) -> list[str]:
    return [note.get_text() for note in axes.texts]


def title(figure: Figure) -> str:
    return figure.get_suptitle().replace("\n", " ")


def line(axes: Any, label: str) -> Any:
    return next(found for found in axes.lines if found.get_label() == label)


def imputation(columns: tuple[str, ...] = ("rooms",)) -> ImputationReport:
    rmse = {"median": 450.5, "iterative": 61.1, "knn": 48.2}
    return ImputationReport(
        best="knn",
        scores=[
            StrategyScore(column=column, strategy=name, rmse=value, nrmse=value / 500, masked=1234)
            for name, value in rmse.items()
            for column in columns
        ],
        mean_nrmse={name: value / 500 for name, value in rmse.items()},
        seconds=dict.fromkeys(rmse, 1.0),
        missing=dict.fromkeys(columns, 7),
    )


def features(chosen: int | None = 20, counts: tuple[int, ...] = (5, 20, 100), metric: str = "wmape") -> FeatureReport:
    return FeatureReport(
        columns=["a"],
        metric=metric,
        clusters=chosen,
        scores=[
            ClusterScore(count=n, error=14 - n / 50, error_std=0.2, silhouette=0.4, davies_bouldin=0.8, inertia=1e5 / n)
            for n in counts
        ],
        error_without=15.5,
        silhouette_rows=2000,
    )


def validation(missing: list[int]) -> ValidationReport:
    return ValidationReport(
        rows=1000,
        duplicates=0,
        columns=[
            ColumnProfile(
                name=f"c{place}", dtype="float64", missing=count, distinct=2, minimum=0, mean=1, maximum=2, top=[]
            )
            for place, count in enumerate(missing)
        ],
        failures=[],
    )


@pytest.mark.parametrize(
    "report", [validation([0, 10, 250]), imputation(), features()], ids=lambda report: type(report).__name__
)
def test_equal_reports_give_equal_png_files(report: Report) -> None:
    # given a report, and a copy of it that went through JSON
    copy = type(report).model_validate_json(report.model_dump_json())
    # when both are drawn
    first = {name: png(figure) for name, figure in draw(report).items()}
    second = {name: png(figure) for name, figure in draw(copy).items()}
    # then every picture is the same PNG, with nothing in it that says when or by what it was made
    assert first
    assert first == second
    for data in first.values():
        assert data.startswith(b"\x89PNG\r\n\x1a\n")
        assert b"tEXt" not in data
        assert int.from_bytes(data[16:20]) >= 600


def test_drawing_leaves_no_global_state_and_works_in_threads() -> None:
    # given the pictures as one thread makes them, and the settings of matplotlib
    report = features()
    settings = dict(rcParams)
    expected = {name: png(figure) for name, figure in draw(report).items()}
    results: list[dict[str, bytes]] = []
    # when four threads draw at once
    threads = [
        threading.Thread(target=lambda: results.append({name: png(it) for name, it in draw(report).items()}))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # then they draw the same, pyplot knows no figure, and no setting has changed
    assert results == [expected] * 4
    assert _pylab_helpers.Gcf.get_all_fig_managers() == []
    assert dict(rcParams) == settings


def test_a_report_without_a_picture_gives_none() -> None:
    # given reports with nothing to draw
    provenance = Provenance(
        data_source="sample", location="x", sha256="0" * 64, rows=1, columns=["a"], duplicates_dropped=0
    )
    empty: list[Report] = [
        provenance,
        validation([0, 0]),
        imputation().model_copy(update={"scores": [], "mean_nrmse": {}}),
        features().model_copy(update={"scores": [], "clusters": None, "error_without": None}),
    ]
    # when / then
    assert [draw(report) for report in empty] == [{}] * len(empty)


def test_missing_values_show_the_worst_column_first_as_shares() -> None:
    # given a column of three without holes / when
    axes = draw(validation([10, 0, 250]))["missing"].axes[0]
    # then
    assert names(axes) == ["c2", "c0"]
    assert lengths(axes) == [25.0, 1.0]
    assert notes(axes) == ["25.0 % (250)", "1.00 % (10)"]
    assert "1,000 rows" in axes.get_xlabel()


def test_imputation_highlights_the_winner_and_gives_rmse_for_one_column() -> None:
    # given one column with holes / when
    figure = draw(imputation())["imputation"]
    # then the best stands on top, alone in the accent colour
    axes = figure.axes[0]
    assert names(axes) == ["knn", "iterative", "median"]
    assert lengths(axes) == pytest.approx([0.0964, 0.1222, 0.901])
    assert colours(axes) == [style.ACCENT, style.QUIET, style.QUIET]
    assert notes(axes)[0] == "0.0964  (RMSE 48.2)"
    assert title(figure) == "'knn' fills holes best: tried on 1,234 masked values of rooms"
    assert "standard deviations" in axes.get_xlabel()


def test_imputation_of_several_columns_gives_no_rmse_because_units_differ() -> None:
    # given / when
    figure = draw(imputation(("rooms", "age")))["imputation"]
    # then
    assert "RMSE" not in "".join(notes(figure.axes[0]))
    assert title(figure).endswith("2,468 masked values of 2 columns")


def test_clusters_mark_the_chosen_count_in_all_four_panels() -> None:
    # given / when
    figure = draw(features(chosen=20))["clusters"]
    # then
    assert len(figure.axes) == 4
    for axes in figure.axes:
        assert list(line(axes, "chosen").get_xdata()) == [20]
        assert axes.get_shared_x_axes().joined(axes, figure.axes[0])
    assert figure.axes[0].get_title(loc="left") == "wMAPE (%): smaller is better"
    assert line(figure.axes[0], "error without clusters").get_ydata() == [15.5, 15.5]
    assert figure.axes[0].get_xscale() == "log"
    assert title(figure) == "20 clusters were chosen: cross-validated wMAPE 13.60 % (15.50 % without)"
    assert figure.axes[2].get_xlabel() == "number of clusters"


def test_clusters_that_lost_are_drawn_without_a_mark() -> None:
    # given / when
    figure = draw(features(chosen=None, counts=(2, 3, 4), metric="accuracy"))["clusters"]
    # then
    assert title(figure).startswith("No clusters were chosen")
    assert all(found.get_label() != "chosen" for axes in figure.axes for found in axes.lines)
    assert "larger is better" in figure.axes[0].get_title(loc="left")
    assert figure.axes[0].get_xscale() == "linear"


def test_a_name_with_formulas_and_markup_is_drawn_as_it_is() -> None:
    # given / when
    figure = draw(imputation((HOSTILE,)))["imputation"]
    # then its dollars are escaped, so that no formula is looked for
    assert png(figure)
    assert title(figure).endswith(r"values of <script>\$\frac…on_and_on_\$x^2\$")


def test_every_metric_has_words() -> None:
    # given / when / then
    assert set(words.METRICS) == {*REGRESSION_METRICS, *CLASSIFICATION_METRICS}
    assert words.better("r2") == "larger is better"
    assert words.better("log_loss") == "smaller is better"


@pytest.mark.parametrize(
    ("number", "digits", "expected"),
    [
        (1234567.0, 4, "1,234,567"),
        (-12.5, 4, "\N{MINUS SIGN}12.50"),
        (99.96, 3, "100"),
        (0.0, 3, "0"),
        (0.012345, 3, "0.0123"),
        (3.0, 3, "3.00"),
    ],
)
def test_numbers_are_written_for_people(number: float, digits: int, expected: str) -> None:
    # given / when / then
    assert words.plain(number, digits) == expected


def test_values_of_a_metric_carry_their_unit() -> None:
    # given / when / then
    assert words.value("wmape", 12.5) == "12.50 %"
    assert words.value("rmse", 41156.4) == "41,156"
    assert words.value("r2", math.nan) == "undefined"
    assert words.with_unit("mae") == "MAE (in the unit of the target)"
    assert words.with_unit("something_new") == "something_new"


def test_long_names_lose_their_middle() -> None:
    # given / when
    short = words.short("first\nline " + "x" * 50 + " end", 20)
    # then
    assert len(short) == 20
    assert short.startswith("first lin")
    assert short.endswith(" end")


def test_a_name_in_a_script_without_a_font_is_drawn_and_no_warning() -> None:
    # given warnings that are errors, as everywhere in these tests
    figure = Figure()
    figure.suptitle("価格 🙂")
    # when / then
    assert png(figure).startswith(b"\x89PNG")
