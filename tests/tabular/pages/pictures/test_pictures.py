import threading

import pytest
from matplotlib import pyplot, rcParams
from matplotlib.figure import Figure

from tabular.pages.pictures import draw, png, png_files
from tabular.reports.report import Report
from tabular.reports.training import Provenance
from tests.support.drawn import FORMULA, REPORTS, title
from tests.support.reports import (
    features,
    imputation,
    validation,
)


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: type(report).__name__)
def test_equal_reports_give_equal_png_files(report: Report) -> None:
    # given a report, and a copy of it that went through JSON
    copy = type(report).model_validate_json(report.model_dump_json())
    # when both are drawn
    first = png_files(report)
    # then every picture is the same PNG, with nothing in it that says when or by what it was made
    assert first
    assert first == png_files(copy)
    for data in first.values():
        assert data.startswith(b"\x89PNG\r\n\x1a\n")
        assert b"tEXt" not in data
        assert int.from_bytes(data[16:20]) >= 600


def test_drawing_leaves_no_global_state_and_works_in_threads() -> None:
    # given the pictures as one thread makes them, and the settings of matplotlib
    report = features()
    settings = dict(rcParams)
    expected = png_files(report)
    results: list[dict[str, bytes]] = []
    # when four threads draw at once
    threads = [threading.Thread(target=lambda: results.append(png_files(report))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # then they draw the same, pyplot knows no figure, and no setting has changed
    assert results == [expected] * 4
    assert pyplot.get_fignums() == []
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


def test_a_name_with_formulas_and_markup_is_drawn_as_it_is() -> None:
    # given / when
    figure = draw(imputation((FORMULA,)))["imputation"]
    # then its dollars are escaped, so that no formula is looked for
    assert png(figure)
    assert title(figure).endswith(r"values of <script>\$\frac…on_and_on_\$x^2\$")


def test_a_name_in_a_script_without_a_font_is_drawn_and_no_warning() -> None:
    # given warnings that are errors, as everywhere in these tests
    figure = Figure()
    figure.suptitle("価格 🙂")
    # when / then
    assert png(figure).startswith(b"\x89PNG")
