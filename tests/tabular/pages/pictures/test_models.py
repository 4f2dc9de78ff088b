import math
from typing import Any

import pytest
from matplotlib.colors import to_hex
from matplotlib.container import BarContainer

from tabular.pages.pictures import draw, style
from tabular.reports.training import Interval
from tests.support.drawn import colours, legend, lengths, line, names, notes, scattered, title
from tests.support.reports import (
    gate,
    leaderboard,
    search,
)


def test_leaderboard_shows_the_best_candidate_of_each_algorithm() -> None:
    # given five candidates of three algorithms / when
    figure = draw(leaderboard())["leaderboard"]
    # then
    axes: Any = figure.axes[0]
    assert names(axes) == ["lightgbm (log target)", "linear (log target)", "random_forest (log target)"]
    assert lengths(axes) == [12.5, 24.75, 26.0]
    assert colours(axes) == [style.ACCENT, style.QUIET, style.QUIET]
    assert notes(axes) == ["12.50 ± 0.50 %", "24.75 ± 0.50 %", "26.00 ± 0.50 %"]
    assert title(figure) == "'lightgbm' wins the selection, best of 5 candidates"
    assert any(container.has_xerr for container in axes.containers if not isinstance(container, BarContainer))


@pytest.mark.parametrize(("goal", "expected"), [("minimize", [14, 13, 12.5, 12.5]), ("maximize", [14, 14, 14, 14])])
def test_search_history_steps_along_the_best_complete_trial(goal: str, expected: list[float]) -> None:
    # given a pruned trial with the best value of all / when
    values = [14.0, 13.0, 1.0 if goal == "minimize" else 99.0, 12.5]
    figure = draw(search(values, pruned=(2,), goal=goal))["search_history"]
    # then it does not count as best so far
    axes: Any = figure.axes[0]
    assert list(line(axes, "best so far").get_ydata()) == expected
    assert scattered(axes) == len(values) + 1
    hollow = [c for c in axes.collections if str(c.get_label()).startswith("pruned")]
    assert [len(collection.get_facecolor()) for collection in hollow] == [0]
    assert "1 stopped early" in title(figure)


def test_search_history_keeps_far_worse_trials_from_squeezing_the_good_ones() -> None:
    # given a trial that is a thousand times worse / when
    figure = draw(search([13.0, 12.9, 12.8, 12.7, 13.1, 12_000.0], pruned=(5,)))["search_history"]
    # then it sits at the edge under a label that says so
    assert figure.axes[0].get_ylim()[1] < 20
    assert "pruned, far worse (not to scale)" in legend(figure)


def test_search_importances_are_left_out_where_there_are_none() -> None:
    # given / when
    with_them, without = draw(search([3.0, 2.0, 1.0])), draw(search([3.0, 2.0, 1.0], importances={}))
    # then
    assert names(with_them["search_importances"].axes[0]) == ["rate", "leaves"]
    assert lengths(with_them["search_importances"].axes[0]) == [75.0, 25.0]
    assert "search_importances" not in without


def test_search_parallel_has_a_line_for_each_complete_trial_and_no_constant_parameter() -> None:
    # given / when
    axes: Any = draw(search([5.0, 4.0, 9.0, 3.0, 6.0], pruned=(2,)))["search_parallel"].axes[0]
    # then
    assert [label.get_text() for label in axes.get_xticklabels()] == ["rate", "leaves", "mode"]
    assert len(axes.lines) == 4
    assert line(axes, "best trial").get_ydata().tolist() == pytest.approx([0.75, 0.75, 1.0])
    assert "search_parallel" not in draw(search([5.0]))


@pytest.mark.parametrize(
    ("decision", "words_of_it", "colour"),
    [
        ("promote", "The challenger becomes champion", style.ACCENT),
        ("keep", "The champion stays", style.MUTED),
        ("reject", "The challenger is rejected", style.WARNING),
    ],
)
def test_gate_shows_the_interval_against_zero_and_the_tolerance(decision: str, words_of_it: str, colour: str) -> None:
    # given / when
    figure = draw(gate(Interval(value=0.75, low=0.5, high=1.25), decision))["gate"]
    # then
    axes: Any = figure.axes[0]
    assert line(axes, "no difference").get_xdata() == [0, 0]
    assert line(axes, "worst that still counts as equally good").get_xdata() == [-0.1, -0.1]
    whisker = axes.containers[0].lines[2][0]
    assert whisker.get_segments()[0][:, 0].tolist() == [0.5, 1.25]
    assert to_hex(whisker.get_color()[0]) == colour
    assert notes(axes) == ["0.500", "0.750", "1.25"]
    assert title(figure) == f"{words_of_it}: wMAPE 12.50 % against 13.25 % of version 7"
    assert "percentage points" in axes.get_xlabel()


@pytest.mark.parametrize("end", [math.nan, math.inf])
def test_gate_without_a_comparison_has_no_picture(end: float) -> None:
    # given / when / then
    assert draw(gate(None)) == {}
    assert draw(gate(Interval(value=1.0, low=0.5, high=end))) == {}
