"""The space that is searched: what the syntax of W&B's sweeps draws."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.searches import RIDGE, Known, searched


@pytest.mark.parametrize(
    ("parameter", "values"),
    [
        ({"value": "goss"}, {"goss"}),
        ({"value": None}, {None}),
        ({"value": 3, "distribution": "constant"}, {3}),
        ({"values": [1, "two", None, False, 0.5]}, {1, "two", None, False, 0.5}),
        ({"values": [1, 2], "distribution": "categorical"}, {1, 2}),
        ({"min": 1, "max": 3}, {1, 2, 3}),
        ({"min": 1.0, "max": 3.0, "distribution": "int_uniform"}, {1, 2, 3}),
        ({"min": 0, "max": 1, "q": 0.25, "distribution": "q_uniform"}, {0.0, 0.25, 0.5, 0.75, 1.0}),
        ({"min": 10, "max": 30, "q": 10, "distribution": "q_uniform"}, {10, 20, 30}),
    ],
)
def test_what_a_sweep_lists_is_what_is_drawn(parameter: dict[str, Any], values: set[Any], tmp_path: Path) -> None:
    # given
    sweep = {"method": "random", "metric": RIDGE["metric"], "parameters": {"x": parameter}}
    # when
    _, report = searched(Known(lambda number, _: float(number)), sweep, 16, tmp_path / "trials.db")
    # then all of them and nothing else, of the very type
    drawn = [trial.parameters["x"] for trial in report.trials]
    assert {(type(value), value) for value in drawn} == {(type(value), value) for value in values}


@pytest.mark.parametrize(
    ("parameter", "low", "high", "median"),
    [
        ({"min": 0.0, "max": 10.0}, 0, 10, 5.0),
        ({"min": 0, "max": 10, "distribution": "uniform"}, 0, 10, 5.0),
        ({"min": 1, "max": 10.0}, 1, 10, 5.5),
        ({"min": 0.01, "max": 1.0, "distribution": "log_uniform_values"}, 0.01, 1, 0.1),
        ({"min": 1, "max": 10000, "distribution": "log_uniform_values"}, 1, 10000, 100.0),
    ],
)
def test_a_range_of_real_numbers_is_drawn_from_as_wandb_does(
    parameter: dict[str, Any], low: float, high: float, median: float, tmp_path: Path
) -> None:
    # given / when
    sweep = {"method": "random", "metric": RIDGE["metric"], "parameters": {"x": parameter}}
    _, report = searched(Known(lambda number, _: float(number)), sweep, 20, tmp_path / "trials.db")
    # then
    drawn = [trial.parameters["x"] for trial in report.trials]
    assert all(isinstance(value, float) and low <= value <= high for value in drawn)
    assert len(set(drawn)) == 20 and any(not value.is_integer() for value in drawn)
    assert 0.25 < np.mean(np.array(drawn) < median) < 0.75
