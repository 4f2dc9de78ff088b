"""The search: resumable to the last digit, early stopping that saves fits, and the syntax of W&B's sweeps."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
import pytest

from tabular import search as searching
from tabular.algorithms import estimator
from tabular.config.stages import FeatureConfig, ImputationConfig, TargetConfig
from tabular.config.sweep import Sweep
from tabular.errors import UserError
from tabular.features import feature_pipeline, preprocessing
from tabular.folds import score
from tabular.imputation import compare
from tabular.reports import BestParameters, Candidate, SearchReport
from tabular.search import Objective, search

PRICE = TargetConfig(column="price")
COUNT = 90
BOOSTED = {
    "metric": {"name": "rmse", "goal": "minimize"},
    "parameters": {
        "n_estimators": {"min": 6, "max": 30},
        "learning_rate": {"min": 0.01, "max": 0.5, "distribution": "log_uniform_values"},
        "min_child_samples": {"values": [5, 20]},
        "max_bin": {"value": 31},
    },
    "early_terminate": {"type": "hyperband", "min_iter": 1, "eta": 3},
}
RIDGE = {"metric": {"name": "rmse", "goal": "minimize"}, "parameters": {"alpha": {"min": 0.1, "max": 10.0}}}
KILLED_IN = 12
"""The trial in which the search is killed: the estimator has begun to learn from earlier ones."""


class Counting(Objective):
    """The real objective, which counts the fits it makes and may be interrupted in a trial."""

    def __init__(self, algorithm: str, folds: int = 3, interrupt: Callable[[], None] | None = None) -> None:
        candidate = Candidate(
            algorithm=algorithm, parameters={}, target_transform="none", mean=0, std=0, folds=[0, 0], seconds=0
        )
        random = np.random.default_rng(0)
        rows = pd.DataFrame(random.normal(size=(COUNT, 3)), columns=["a", "b", "c"])
        rows["price"] = rows["a"] ** 2 + rows["b"] + 0.3 * random.normal(size=COUNT)
        pair, _ = compare(rows, "price", ImputationConfig(strategies=("median",)), 1)
        way = preprocessing(rows, "price", pair, feature_pipeline(rows, "price", FeatureConfig(), None, 1))
        super().__init__(rows, PRICE, way, candidate, "rmse", folds, 4, 1)
        self.interrupt = interrupt
        self.trials: list[int] = []
        self.fits: list[int] = []

    def __call__(self, trial: optuna.Trial, parameters: dict[str, Any]) -> float:
        self.trials.append(trial.number)
        self.fits.append(0)
        return super().__call__(trial, parameters)

    def _fit(self, parameters: dict[str, Any], folds: Any, share: float) -> list[float]:
        if self.interrupt is not None and self.trials[-1] == KILLED_IN:
            self.interrupt()
        self.fits[-1] += len(folds)
        return super()._fit(parameters, folds, share)


class Known(Counting):
    """Values that are known beforehand, in place of fits: what is left is the search itself."""

    def __init__(self, value: Callable[[int, dict[str, Any]], float]) -> None:
        super().__init__("lightgbm")
        self.value = value

    def _fit(self, parameters: dict[str, Any], folds: Any, share: float) -> list[float]:
        self.fits[-1] += len(folds)
        return [self.value(self.trials[-1], parameters)] * len(folds)


def _search(
    objective: Objective, sweep: dict[str, Any], trials: int, storage: Path, study: str = "study"
) -> tuple[BestParameters, SearchReport]:
    return search(objective, Sweep.model_validate(sweep), trials, 42, storage, study, lambda *_: None)


def _content(found: tuple[BestParameters, SearchReport]) -> Any:
    """All that was found but for times and for how many trials were on disk."""
    return [report.content() for report in found]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Counting, Any]:
    objective = Counting("lightgbm")
    return objective, _search(objective, BOOSTED, 18, tmp_path_factory.mktemp("undisturbed") / "trials.db")


def test_the_best_complete_trial_wins_and_scores_what_a_fit_by_hand_scores(undisturbed: Any) -> None:
    # given
    objective, (best, report) = undisturbed
    complete = [trial for trial in report.trials if trial.state == "complete"]
    # then
    winner = report.trials[report.best]
    assert winner.value == min(trial.value for trial in complete)
    assert best.parameters == winner.parameters and best.parameters["max_bin"] == 31
    built = estimator("lightgbm", "regression", best.parameters, "none", 4, 1)
    by_hand = np.mean([score(built, fold, PRICE, "rmse") for fold in objective.folds])
    assert winner.value == pytest.approx(by_hand, rel=1e-12)
    assert [trial.number for trial in report.trials] == list(range(18))
    assert (report.rungs, report.resumed) == (3, 0)


def test_pruning_stops_fits_early(undisturbed: Any) -> None:
    # given three folds: two fits on each of the first two rungs, one on the third
    objective, (_, report) = undisturbed
    # then a trial that is stopped after the first rung costs two fits of a third of the rounds
    states = [trial.state for trial in report.trials]
    assert states.count("pruned") >= 6 and states[0] == "complete"
    assert objective.fits == [5 if state == "complete" else 2 for state in states]
    assert [trial.iterations for trial in report.trials] == [3 if state == "complete" else 1 for state in states]


def test_without_early_termination_every_trial_is_complete(tmp_path: Path) -> None:
    objective = Counting("lightgbm")
    _, report = _search(objective, {**BOOSTED, "early_terminate": None}, 4, tmp_path / "trials.db")
    assert [trial.state for trial in report.trials] == ["complete"] * 4
    assert objective.fits == [5] * 4


@pytest.mark.parametrize(("given", "rounds"), [({"n_estimators": 30}, [10, 30, 30]), ({}, [67, 200, 200])])
def test_the_first_rung_has_a_third_of_the_rounds(
    given: dict[str, int], rounds: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a record of the rounds that are fitted, with the rounds set or left to the algorithm's own number
    objective = Counting("lightgbm", folds=4)
    seen: list[int] = []

    def recorded(built: Any, *others: Any) -> float:
        seen.append(built.get_params()["regressor__n_estimators"])
        return score(built, *others)

    monkeypatch.setattr(searching, "score", recorded)
    # when
    objective(optuna.create_study().ask(), given)
    # then each rung has two folds
    assert seen == [number for number in rounds for _ in range(2)]


def test_an_algorithm_without_rounds_has_no_first_rung(tmp_path: Path) -> None:
    objective = Counting("linear", folds=3)
    _, report = _search(objective, RIDGE, 2, tmp_path / "trials.db")
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
    best, report = _search(Known(lambda number, _: values[number]), sweep, 20, tmp_path / "trials.db")
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
    _, report = _search(Known(lambda number, _: float(number)), sweep, 4, tmp_path / "trials.db")
    # then
    assert [trial.iterations for trial in report.trials] == [3, 2, 2, 2]


def test_an_interrupted_search_goes_on_as_if_nothing_had_happened(undisturbed: Any, tmp_path: Path) -> None:
    # given
    def interrupt() -> None:
        raise KeyboardInterrupt

    broken = Counting("lightgbm", interrupt=interrupt)
    with pytest.raises(KeyboardInterrupt):
        _search(broken, BOOSTED, 18, tmp_path / "trials.db")
    # when
    resumed = Counting("lightgbm")
    found = _search(resumed, BOOSTED, 18, tmp_path / "trials.db")
    # then finished trials are not repeated, and what is found is the same
    objective, expected = undisturbed
    assert broken.trials == list(range(KILLED_IN + 1)) and resumed.trials == list(range(KILLED_IN, 18))
    assert broken.fits[:KILLED_IN] + resumed.fits == objective.fits
    assert found[1].resumed == KILLED_IN
    assert _content(found) == _content(expected)


def test_a_killed_search_goes_on_as_if_nothing_had_happened(undisturbed: Any, tmp_path: Path) -> None:
    # given another process that is killed in the middle of a trial
    storage = tmp_path / "trials.db"
    root = Path(__file__).parents[2]
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
    found = _search(resumed, BOOSTED, 18, storage)
    # then
    assert resumed.trials == list(range(KILLED_IN, 18))
    assert _content(found) == _content(undisturbed[1])


def test_more_trials_continue_and_fewer_look_back(tmp_path: Path) -> None:
    # given
    five = _search(Counting("lightgbm"), BOOSTED, 5, tmp_path / "trials.db")
    # when
    more = Counting("lightgbm")
    eight = _search(more, BOOSTED, 8, tmp_path / "trials.db")
    # then
    assert more.trials == [5, 6, 7] and eight[1].resumed == 5
    assert _content(eight) == _content(_search(Counting("lightgbm"), BOOSTED, 8, tmp_path / "other.db"))
    # when a search is asked for again, or for fewer trials
    idle = Counting("lightgbm")
    again, back = (_search(idle, BOOSTED, trials, tmp_path / "trials.db") for trials in (8, 5))
    # then nothing is fitted
    assert idle.trials == []
    assert _content(again) == _content(eight) and _content(back) == _content(five)


def test_trials_of_another_study_are_not_used(tmp_path: Path) -> None:
    # given
    _search(Counting("linear"), RIDGE, 3, tmp_path / "trials.db", "one")
    # when
    other = Counting("linear")
    _, report = _search(other, RIDGE, 3, tmp_path / "trials.db", "another")
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
    _, report = _search(Known(lambda number, _: float(number)), sweep, 16, tmp_path / "trials.db")
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
    _, report = _search(Known(lambda number, _: float(number)), sweep, 20, tmp_path / "trials.db")
    # then
    drawn = [trial.parameters["x"] for trial in report.trials]
    assert all(isinstance(value, float) and low <= value <= high for value in drawn)
    assert len(set(drawn)) == 20 and any(not value.is_integer() for value in drawn)
    assert 0.25 < np.mean(np.array(drawn) < median) < 0.75


def test_bayes_learns_where_random_does_not(tmp_path: Path) -> None:
    # given a bowl with its bottom at 0.3
    def bowl(_: int, parameters: dict[str, Any]) -> float:
        return float((parameters["x"] - 0.3) ** 2)

    found = {}
    for method in ("bayes", "random"):
        sweep = {"method": method, "metric": RIDGE["metric"], "parameters": {"x": {"min": 0.0, "max": 1.0}}}
        _, report = _search(Known(bowl), sweep, 40, tmp_path / f"{method}.db")
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
    _, report = _search(Known(lambda _, p: 10 * p["strong"] + 0.1 * p["idle"]), sweep, 20, tmp_path / "trials.db")
    # then
    assert sum(report.importances.values()) == pytest.approx(1)
    assert list(report.importances) == ["strong", "idle"] and report.importances["strong"] > 0.8


def test_too_few_or_equal_trials_tell_no_importances(tmp_path: Path) -> None:
    _, few = _search(Counting("linear"), RIDGE, 3, tmp_path / "few.db")
    _, equal = _search(Known(lambda *_: 1.0), RIDGE, 6, tmp_path / "equal.db")
    assert few.importances == equal.importances == {}


def test_a_parameter_that_the_algorithm_does_not_have_is_refused(tmp_path: Path) -> None:
    sweep = {"metric": RIDGE["metric"], "parameters": {"max_dpeth": {"min": 2, "max": 9}}}
    with pytest.raises(UserError, match=r"^algorithm 'random_forest': .*max_dpeth.*$"):
        _search(Counting("random_forest"), sweep, 2, tmp_path / "trials.db")


if __name__ == "__main__":
    _search(
        Counting("lightgbm", interrupt=lambda: os.kill(os.getpid(), signal.SIGKILL)), BOOSTED, 18, Path(sys.argv[1])
    )
