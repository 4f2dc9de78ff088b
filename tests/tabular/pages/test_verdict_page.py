from typing import get_args

import pytest

from tabular.pages.html_pages import verdict_page
from tabular.reports.verdicts import Kind
from tests.support.html import HOSTILE, Parsed, assert_harmless
from tests.support.verdicts import found, performance, traffic, verdict

ALERT = verdict(
    4,
    found("rooms", 0.3, "alert", psi=0.512),
    found("heat", 0.06, "warn", kind="missing"),
    found("age", 0.0123),
    rows=4128,
    traffic=traffic(),
    performance=performance(),
    retrain=True,
    violations=2,
    windows=3,
)


def test_the_verdict_is_one_sentence_and_then_the_reasons() -> None:
    parsed = Parsed(verdict_page(ALERT, {}))
    assert (
        "alert houses version 2: something is wrong in the window of 4,128 rows from 2026-03-04 00:00 to "
        "2026-03-05 00:00 UTC. The model is due for another training: 2 of 3 windows violate." in parsed.text
    )
    assert parsed.text.index("rooms is at 0.3") < parsed.text.index("heat is at 0.06")
    assert parsed.open == []


def test_each_kind_of_trouble_gets_its_own_advice_and_what_is_fine_gets_none() -> None:
    parsed = Parsed(verdict_page(ALERT, {}))
    assert [tag for tag, _ in parsed.tags].count("dd") == 2
    assert "distribution (rooms)" in parsed.text and "Find out whether the world has changed" in parsed.text
    assert "missing values (heat)" in parsed.text and "Look for what has stopped sending the column" in parsed.text
    calm = verdict(1, found("rooms"))
    assert "What to do next" not in verdict_page(calm, {}) and "Why" not in verdict_page(calm, {})


def test_every_kind_of_finding_has_words_and_advice() -> None:
    # given
    kinds: tuple[Kind, ...] = get_args(Kind)
    # when
    parsed = Parsed(verdict_page(verdict(1, *(found(kind, 0.3, "alert", kind=kind) for kind in kinds)), {}))
    # then
    assert [tag for tag, _ in parsed.tags].count("dd") == len(kinds)
    assert all(f" ({kind})" in parsed.text for kind in kinds)


def test_every_finding_is_in_the_table_with_its_value_and_index() -> None:
    parsed = Parsed(verdict_page(ALERT, {}))
    rows = [row for row in parsed.rows if row[0] in ("alert", "warning", "fine") and len(row) == 6]
    assert rows == [
        ["alert", "rooms", "distribution", "0.300share", "0.512", "rooms is at 0.3"],
        ["warning", "heat", "missing values", "0.0600share", "–", "heat is at 0.06"],
        ["fine", "age", "distribution", "0.0123share", "–", "age is at 0.0123"],
    ]


def test_traffic_and_performance_have_their_figures() -> None:
    parsed = Parsed(verdict_page(ALERT, {}))
    assert parsed.row("latency, 99th percentile") == ["latency, 99th percentile", "640 ms"]
    assert parsed.row("422 unknown_field") == ["422 unknown_field", "42"]
    assert parsed.row("wMAPE") == ["wMAPEwmape", "16.40 %", "15.40 % to 17.40 %", "12.20 %", "smaller is better"]
    assert parsed.row("R²")[3] == "–"
    without = verdict_page(verdict(1, traffic=traffic(p50_ms=None, p95_ms=None, p99_ms=None, causes={})), {})
    assert Parsed(without).row("latency, median")[1] == "–" and "Why requests" not in without


def test_earlier_windows_are_a_strip_of_cells_with_what_was_found() -> None:
    # given a calm window, one with too few rows, and the newest
    earlier = [verdict(2, found("rooms"), found("heat", kind="missing"), found("age")), verdict(3, rows=12)]

    # when
    html = verdict_page(ALERT, {}, earlier)

    # then
    parsed = Parsed(html)
    assert "3 windows from 2026-03-02 00:00" in parsed.text
    assert parsed.row("the window") == ["the window", "", "·", "!!"]
    assert parsed.row("rooms") == ["rooms", "", "·", "!!"]
    assert parsed.row("heat") == ["heat", "", "·", "!"]
    assert [row[0] for row in parsed.rows].count("age") == 0
    assert 'title="until 2026-03-05 00:00: rooms is at 0.3"' in html
    assert "Over time" not in verdict_page(ALERT, {})


def test_too_few_rows_are_said_to_be_too_few() -> None:
    text = Parsed(verdict_page(verdict(1, rows=12, reasons=["12 rows, and it takes 200"]), {})).text
    assert "not enough data houses version 2: there are too few rows to judge" in text
    assert "12 rows, and it takes 200" in text and "All that was examined" not in text


@pytest.mark.parametrize("where", ["model", "subject", "words", "reason", "cause", "picture", "metric"])
def test_hostile_text_stays_text(where: str) -> None:
    # given
    texts = dict.fromkeys(["model", "subject", "words", "reason", "cause", "picture", "metric"], "x")
    texts[where] = HOSTILE
    measured = performance()
    measured = measured.model_copy(update={"metrics": {texts["metric"]: measured.metrics["r2"]}})
    hostile = verdict(
        1,
        found(texts["subject"], 0.3, "alert", words=texts["words"]),
        model=texts["model"],
        reasons=[texts["reason"]],
        traffic=traffic(causes={texts["cause"]: 1}),
        performance=measured,
    )

    # when
    html = verdict_page(hostile, {texts["picture"]: b"x"}, [hostile])

    # then
    assert_harmless(html)
    assert HOSTILE in Parsed(html).text
