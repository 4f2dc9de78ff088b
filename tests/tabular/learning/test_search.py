"""The search: resumable to the last digit, and early stopping that saves fits."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest

from tabular.config.sweep import Sweep
from tabular.errors import UserError
from tabular.learning import search as searching
from tabular.learning.algorithms import estimator
from tabular.learning.folds import fit_and_score
from tabular.learning.search import search
from tabular.reports.training import BestParameters, SearchReport
from tests.support.project import ROOT
from tests.support.searches import BOOSTED, KILLED_IN, PRICE, RIDGE, Counting, Known, searched


def _content(found: tuple[BestParameters, SearchReport]) -> Any:
    """All that was found but for times and for how many trials were on disk."""
    return [report.content() for report in found]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Counting, Any]:
    objective = Counting("lightgbm")
    return objective, searched(objective, BOOSTED, 18, tmp_path_factory.mktemp("undisturbed") / "trials.db")


def test_the_best_complete_trial_wins_and_scores_what_a_fit_by_hand_scores(undisturbed: Any) -> None:
    # given
    objective, (best, report) = undisturbed
    complete = [trial for trial in report.trials if trial.state == "complete"]
    # then
    winner = report.trials[report.best]
    assert winner.value == min(trial.value for trial in complete)
    assert best.parameters == winner.parameters and best.parameters["max_bin"] == 31
    built = estimator("lightgbm", "regression", best.parameters, "none", 4, 1)
    by_hand = np.mean([fit_and_score(built, fold, PRICE, "rmse")[0] for fold in objective.folds])
    assert winner.value == pytest.approx(by_hand, rel=1e-12)
    assert [trial.number for trial in report.trials] == list(range(18))
    assert (report.rungs, report.resumed) == (3, 0)


def test_pruning_stops_fits_early(undisturbed: Any) -> None:
    # given three folds: two fits on each of the first two rungs, one on the third
    objective, (_, report) = undisturbed
    # then a trial that is stopped after the first rung costs two fits of a quarter of the rounds
    states = [trial.state for trial in report.trials]
    assert states.count("pruned") >= 6 and states[0] == "complete"
    assert objective.fits == [5 if state == "complete" else 2 for state in states]
    assert [trial.iterations for trial in report.trials] == [3 if state == "complete" else 1 for state in states]


def test_without_early_termination_every_trial_is_complete(tmp_path: Path) -> None:
    objective = Counting("lightgbm")
    _, report = searched(objective, {**BOOSTED, "early_terminate": None}, 4, tmp_path / "trials.db")
    assert [trial.state for trial in report.trials] == ["complete"] * 4
    assert objective.fits == [5] * 4


@pytest.mark.parametrize(("given", "rounds"), [({"n_estimators": 40}, [10, 40, 40]), ({}, [50, 200, 200])])
def test_the_first_rung_has_a_quarter_of_the_rounds(
    given: dict[str, int], rounds: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a record of the rounds that are fitted, with the rounds set or left to the algorithm's own number
    objective = Counting("lightgbm", folds=4)
    seen: list[int] = []

    def recorded(built: Any, *others: Any) -> Any:
        seen.append(built.get_params()["regressor__n_estimators"])
        return fit_and_score(built, *others)

    monkeypatch.setattr(searching, "fit_and_score", recorded)
    # when
    objective(optuna.create_study().ask(), given)
    # then each rung has two folds
    assert seen == [number for number in rounds for _ in range(2)]


def test_an_algorithm_without_rounds_has_no_first_rung(tmp_path: Path) -> None:
    objective = Counting("linear", folds=3)
    _, report = searched(objective, RIDGE, 2, tmp_path / "trials.db")
    assert report.rungs == 2 and objective.fits == [3, 3]
    assert len(Counting("linear", folds=2).rungs) == 1


@pytest.mark.parametrize("goal", ["minimize", "maximize"])
@pytest.mark.parametrize("eta", [2, 3])
def test_a_trial_goes_on_only_among_the_best_share_so_far(goal: str, eta: int, tmp_path: Path) -> None:
    # given values in random order
    values = np.random.default_rng(3).permutation(20).astype(float)
    sign = 1 if goal == "minimize" else -1
    sweep = {
        "method": "random",
        "metric": {"name": "rmse" if sign > 0 else "r2", "goal": goal},
        "parameters": {"learning_rate": {"min": 0.1, "max": 0.2}},
        "early_terminate": {"eta": eta},
    }
    # when
    best, report = searched(Known(lambda number, _: values[number]), sweep, 20, tmp_path / "trials.db")
    # then each is compared, at iterations 1 and eta, with all that have been there, itself included
    been: dict[int, list[float]] = {1: [], eta: []}
    for value, trial in zip(sign * values, report.trials, strict=True):
        stopped = None
        for iteration in [iteration for iteration in been if iteration < 3]:
            if stopped is None:
                been[iteration] = sorted([*been[iteration], value])
                is_among_best = value <= been[iteration][max(len(been[iteration]) // eta, 1) - 1]
                stopped = None if is_among_best else iteration
        assert (trial.state, trial.iterations) == (("complete", 3) if stopped is None else ("pruned", stopped))
    assert report.trials[report.best].value == (values.min() if sign > 0 else values.max())
    assert best.parameters == report.trials[report.best].parameters


def test_the_first_iteration_that_may_stop_a_trial_is_respected(tmp_path: Path) -> None:
    # given min_iter 2: the second of three rungs, at which each fold of the first has been fitted twice
    sweep = {**BOOSTED, "early_terminate": {"min_iter": 2, "eta": 3}}
    # when every trial is worse than the one before
    _, report = searched(Known(lambda number, _: float(number)), sweep, 4, tmp_path / "trials.db")
    # then
    assert [trial.iterations for trial in report.trials] == [3, 2, 2, 2]


def test_an_interrupted_search_goes_on_as_if_nothing_had_happened(undisturbed: Any, tmp_path: Path) -> None:
    # given
    def interrupt() -> None:
        raise KeyboardInterrupt

    broken = Counting("lightgbm", interrupt=interrupt)
    with pytest.raises(KeyboardInterrupt):
        searched(broken, BOOSTED, 18, tmp_path / "trials.db")
    # when
    resumed = Counting("lightgbm")
    found = searched(resumed, BOOSTED, 18, tmp_path / "trials.db")
    # then finished trials are not repeated, and what is found is the same
    objective, expected = undisturbed
    assert broken.trials == list(range(KILLED_IN + 1)) and resumed.trials == list(range(KILLED_IN, 18))
    assert broken.fits[:KILLED_IN] + resumed.fits == objective.fits
    assert found[1].resumed == KILLED_IN
    assert _content(found) == _content(expected)


def test_a_killed_search_goes_on_as_if_nothing_had_happened(undisturbed: Any, tmp_path: Path) -> None:
    # given another process that is killed in the middle of a trial
    storage = tmp_path / "trials.db"
    root = ROOT
    child = subprocess.run(
        [sys.executable, __file__, str(storage)],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr
    # then the file is whole
    with sqlite3.connect(storage) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        assert connection.execute("select count(*) from trials").fetchone() == (KILLED_IN,)
    connection.close()
    # when
    resumed = Counting("lightgbm")
    found = searched(resumed, BOOSTED, 18, storage)
    # then
    assert resumed.trials == list(range(KILLED_IN, 18))
    assert _content(found) == _content(undisturbed[1])


def test_more_trials_continue_and_fewer_look_back(tmp_path: Path) -> None:
    # given
    five = searched(Counting("lightgbm"), BOOSTED, 5, tmp_path / "trials.db")
    # when
    more = Counting("lightgbm")
    eight = searched(more, BOOSTED, 8, tmp_path / "trials.db")
    # then
    assert more.trials == [5, 6, 7] and eight[1].resumed == 5
    assert _content(eight) == _content(searched(Counting("lightgbm"), BOOSTED, 8, tmp_path / "other.db"))
    # when a search is asked for again, or for fewer trials
    idle = Counting("lightgbm")
    again, back = (searched(idle, BOOSTED, trials, tmp_path / "trials.db") for trials in (8, 5))
    # then nothing is fitted
    assert idle.trials == []
    assert _content(again) == _content(eight) and _content(back) == _content(five)


def test_trials_of_another_study_are_not_used(tmp_path: Path) -> None:
    # given
    searched(Counting("linear"), RIDGE, 3, tmp_path / "trials.db", "one")
    # when
    other = Counting("linear")
    _, report = searched(other, RIDGE, 3, tmp_path / "trials.db", "another")
    # then
    assert other.trials == [0, 1, 2] and report.resumed == 0


def test_progress_is_told_after_each_trial(tmp_path: Path) -> None:
    # given
    told: list[tuple[int, int, float | None]] = []
    sweep = Sweep.model_validate({**BOOSTED, "early_terminate": None})
    # when
    search(
        Known(lambda number, _: 9.0 - number),
        sweep,
        3,
        1,
        tmp_path / "new" / "trials.db",
        "s",
        lambda *x: told.append(x),
    )
    # then
    assert told == [(1, 3, 9.0), (2, 3, 8.0), (3, 3, 7.0)]


def test_bayes_learns_where_random_does_not(tmp_path: Path) -> None:
    # given a bowl with its bottom at 0.3
    def bowl(_: int, parameters: dict[str, Any]) -> float:
        return float((parameters["x"] - 0.3) ** 2)

    found = {}
    for method in ("bayes", "random"):
        sweep = {"method": method, "metric": RIDGE["metric"], "parameters": {"x": {"min": 0.0, "max": 1.0}}}
        _, report = searched(Known(bowl), sweep, 40, tmp_path / f"{method}.db")
        found[method] = np.median([trial.value for trial in report.trials[20:]])
    # then its later trials lie nearer to the bottom
    assert found["bayes"] < found["random"] / 4


def test_importances_sum_to_one_with_what_matters_first(tmp_path: Path) -> None:
    # given
    sweep = {
        "metric": RIDGE["metric"],
        "parameters": {"idle": {"min": 0.0, "max": 1.0}, "strong": {"min": 0.0, "max": 1.0}},
    }
    # when
    _, report = searched(Known(lambda _, p: 10 * p["strong"] + 0.1 * p["idle"]), sweep, 20, tmp_path / "trials.db")
    # then
    assert sum(report.importances.values()) == pytest.approx(1)
    assert list(report.importances) == ["strong", "idle"] and report.importances["strong"] > 0.8


def test_too_few_or_equal_trials_tell_no_importances(tmp_path: Path) -> None:
    _, few = searched(Counting("linear"), RIDGE, 3, tmp_path / "few.db")
    _, equal = searched(Known(lambda *_: 1.0), RIDGE, 6, tmp_path / "equal.db")
    assert few.importances == equal.importances == {}


def test_a_parameter_that_the_algorithm_does_not_have_is_refused(tmp_path: Path) -> None:
    sweep = {"metric": RIDGE["metric"], "parameters": {"max_dpeth": {"min": 2, "max": 9}}}
    with pytest.raises(UserError, match=r"^algorithm 'random_forest': .*max_dpeth.*$"):
        searched(Counting("random_forest"), sweep, 2, tmp_path / "trials.db")


if __name__ == "__main__":
    searched(
        Counting("lightgbm", interrupt=lambda: os.kill(os.getpid(), signal.SIGKILL)), BOOSTED, 18, Path(sys.argv[1])
    )
