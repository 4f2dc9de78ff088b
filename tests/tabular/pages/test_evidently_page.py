"""Evidently's page takes whatever tables there are, runs no foreign script and loads nothing."""

import re

import numpy as np
import pandas as pd
import pytest

from tabular.pages import evidently_page
from tabular.pages.evidently_page import drift_page
from tests.support.verdicts import found, verdict

HOSTILE = "</script><script>document.title='owned'</script>"
VERDICT = verdict(1, found("shifted", 0.4, "alert"), found("calm"))


def rows(count: int, seed: int, shift: float = 0.0) -> pd.DataFrame:
    """Columns that are odd in every way but one: the values of `shifted` and `calm` are ordinary."""
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "calm": random.normal(0, 1, count),
            "shifted": random.normal(shift, 1, count),
            HOSTILE: random.normal(0, 1, count),
            'it\'s "so" <b>': pd.Series(random.choice([HOSTILE, "", "x"], count), dtype="str"),
            "constant": np.full(count, 7.0),
            "too close": 1e17 + 16.0 * random.integers(0, 3, count),
            "nothing": np.full(count, np.nan),
        }
    )


@pytest.fixture(scope="module")
def html() -> str:
    return drift_page(rows(300, 1), rows(500, 2, shift=2.0), VERDICT)


def test_the_page_shows_what_it_can_and_says_what_it_cannot(html: str) -> None:
    said = html[html.index("<body>") : html.index('<div id="root_')]
    assert "Left out: nothing, because it has no value in the training rows and these rows." in said
    assert "Left out: too close, because Evidently cannot show it (" in said
    assert "500 of its rows (current) beside 300 rows that stand for the training rows (reference)" in said
    assert "it is: alert." in said
    assert "Drift is detected for 20.0% of columns (1 out of 5)" in html
    assert "Dataset Drift is detected" in html


def test_no_name_and_no_category_ends_the_script(html: str) -> None:
    assert HOSTILE not in html
    assert "<script>document" not in html
    assert "\\u2039/script" in html  # JSON's way to write a single angle quotation mark


def test_nothing_is_loaded_and_who_runs_no_scripts_is_told(html: str) -> None:
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)
    assert policy is not None and policy[1].startswith("default-src 'none'; script-src 'unsafe-inline'")
    assert "http" not in policy[1]
    assert html.index("Content-Security-Policy") < html.index("<script")
    assert re.findall(r'(?:src|href)="(?:https?:)?//(?!plotly\.com/)[^"]+"', html) == []
    assert "<noscript>" in html and "switched off here" in html


def test_equal_tables_give_equal_pages_with_the_worst_columns_only(monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    monkeypatch.setattr(evidently_page, "MOST", 1)
    tables = rows(300, 1)[["calm", "shifted"]], rows(300, 2)[["calm", "shifted"]]

    # when
    first, second = (drift_page(*tables, VERDICT) for _ in range(2))

    # then
    assert first == second
    assert "The page shows 1 of 2 columns, those with the worst findings first; left out: calm." in first


def test_tables_of_which_nothing_can_be_shown_give_a_page_all_the_same() -> None:
    empty = rows(50, 1)[["nothing"]]
    page = drift_page(empty, empty, VERDICT)
    assert "There is no column that could be shown." in page and "Left out: nothing" in page


def test_rare_categories_are_put_together_and_unknown_ones_are_not() -> None:
    # given
    trained = pd.DataFrame({"town": pd.Series([f"town-{i % 40}" for i in range(1000)], dtype="str")})
    now = pd.DataFrame({"town": pd.Series(["town-0", "(unknown)", "town-39", None], dtype="str")})

    # when
    page = drift_page(trained, now, VERDICT)

    # then
    assert "town-0" in page and "(unknown)" in page and "(others)" in page
    assert "town-39" not in page
