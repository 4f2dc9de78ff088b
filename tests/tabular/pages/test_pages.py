"""What holds for every page and for every picture that a page may show."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from jinja2 import UndefinedError

from tabular.pages import rendering
from tabular.pages.html_pages import comparison_page, evaluation_page, verdict_page
from tabular.pages.pictures import png_files
from tabular.reports.report import Report
from tests.support.compared import ERRORS, compared, numbers
from tests.support.drawn import REPORTS
from tests.support.html import Parsed, assert_harmless
from tests.support.reports import (
    classification,
    regression,
)
from tests.support.verdicts import found, performance, verdict

Page = Callable[[Any, str, Mapping[str, bytes]], str]
PAGES: list[tuple[Page, Report]] = [
    (evaluation_page, regression(rows=20)),
    (evaluation_page, classification(["a", "b", "c"], rows=20)),
    (comparison_page, compared(numbers(ERRORS / 2, ERRORS))),
    (
        lambda report, _, pictures: verdict_page(report, pictures),
        verdict(1, found("rooms", 0.3, "alert"), performance=performance()),
    ),
]


@pytest.mark.parametrize(("page", "report"), PAGES)
def test_a_page_needs_nothing_else_and_is_the_same_for_equal_reports(page: Page, report: Report) -> None:
    # given
    pictures = png_files(report)
    # when
    html = page(report, "A model", pictures)
    # then
    assert_harmless(html)
    assert [tag for tag, _ in Parsed(html).tags].count("img") == len(pictures) > 0
    assert html == page(type(report).model_validate_json(report.model_dump_json()), "A model", pictures)


def test_every_picture_has_a_caption() -> None:
    # given
    pictures = {name: b"" for report in REPORTS for name in png_files(report)}
    # when
    captions = Parsed(evaluation_page(regression(), "A model", pictures)).captions
    # then
    assert len(captions) == len(pictures) == 20
    assert [name for name, caption in zip(pictures, captions, strict=True) if not caption.endswith(".")] == []


def test_a_value_that_is_not_given_is_an_error_and_no_gap() -> None:
    with pytest.raises(UndefinedError, match="evaluation"):
        rendering.html("evaluation.html", title="A model")
