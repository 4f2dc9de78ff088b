"""Everything that is written as JSON is JSON: it has no bare NaN and no bare Infinity."""

import json
import math
from typing import Any

import pytest

from tabular.reports.plain_json import json_text
from tests.support.reports import gate, regression


def _strictly(text: str) -> Any:
    """The document of a JSON text; a bare NaN or Infinity fails, as in every parser but Python's."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_null_at_any_depth(value: float) -> None:
    document = {"wmape": value, "rows": [1, (value, 2.5)], 3: {"of": [{"r2": value}]}, "name": "ä"}
    assert _strictly(json_text(document)) == {
        "wmape": None,
        "rows": [1, [None, 2.5]],
        "3": {"of": [{"r2": None}]},
        "name": "ä",
    }


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1.5])
def test_a_report_is_stored_as_json_and_read_back_as_it_was(value: float) -> None:
    # given
    decision = gate(None).model_copy(update={"challenger": value, "champion": value, "broken_limits": {"r2": value}})
    evaluation = regression(rows=5).model_copy(update={"baseline": {"mape": value}})
    for report in (decision, evaluation):
        # when
        text = report.model_dump_json()
        read = type(report).model_validate_json(text)
        # then
        _strictly(text)
        assert repr(read) == repr(report)


def test_a_report_of_an_earlier_version_is_read() -> None:
    text = gate(None).model_copy(update={"challenger": 0.25}).model_dump_json().replace("0.25", "NaN")
    assert math.isnan(type(gate(None)).model_validate_json(text).challenger)
