from tabular.learning.model_config import Input
from tabular.pages import words
from tabular.pages.html_pages import comparison_page
from tabular.pages.pictures import png_files
from tabular.reports.training import Interval
from tests.support.compared import ERRORS, compared, config, numbers
from tests.support.html import HOSTILE, Parsed, assert_harmless


def test_the_page_holds_the_numbers_of_the_report() -> None:
    # given
    report = compared(numbers(ERRORS / 2, ERRORS), clusters=None, inputs=config().inputs[:1])
    # when
    html = comparison_page(report, "housing", {"comparison": b"png"})
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


def test_a_worse_second_version_is_marked_and_equal_ones_are_said_to_be() -> None:
    # given / when
    worse = comparison_page(compared(numbers(ERRORS, ERRORS / 2)), "housing", {})
    untested = Parsed(comparison_page(compared(None), "housing", {}))
    # then
    assert worse.count('class="bad"') == 2
    assert untested.row("wMAPE")[3] == "\N{EN DASH}"
    assert "Both were made in the same way." in untested.text and "Both take the same inputs." in untested.text


def test_text_of_the_data_is_not_markup() -> None:
    # given
    strange = Input(name=HOSTILE, kind="number", dtype="float64", required=False)
    scores = {HOSTILE: Interval(value=1.0, low=0.5, high=1.5)}
    report = compared(HOSTILE, algorithm=HOSTILE, inputs=(strange,), parameters={HOSTILE: HOSTILE}, metrics=scores)
    # when
    html = comparison_page(report, HOSTILE, png_files(report))
    # then
    assert_harmless(html)
    assert Parsed(html).text.count(HOSTILE) >= 5
