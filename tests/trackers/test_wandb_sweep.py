"""A sweep on W&B's server: the real client against a stand-in for the server."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import optuna
import pytest

from tabular.config.sweep import Sweep
from tabular.errors import UserError
from tabular.learning.search import IMPORTANCES, Objective, TrialHandle
from tabular.reports.training import BestParameters, SearchReport
from tests.support.searches import BOOSTED, Counting
from tests.support.wandb_server import ENTITY, PROJECT, WandbServer
from trackers import wandb_sweep
from trackers.wandb_account import Account

HEARTBEAT = 0.3
"""Seconds between two questions of the agent whether the trial ends."""
KEY = "0123456789abcdef" * 3
TYPES = Sweep.model_validate(
    {
        "metric": {"name": "rmse", "goal": "minimize"},
        "parameters": {
            "trees": {"min": 5, "max": 9},
            "depth": {"min": 2, "max": 40, "q": 2, "distribution": "q_uniform"},
            "share": {"min": 0, "max": 1.0},
            "rate": {"min": 0.01, "max": 0.5, "distribution": "log_uniform_values"},
            "leaf": {"values": [5, 20]},
            "criterion": {"values": ["gini", None]},
            "warm": {"value": True},
            "limit": {"value": None},
        },
    }
)


class Fitted(Counting):
    """The real objective on a small table; it counts nothing, for which it would need an Optuna trial."""

    __call__ = Objective.__call__
    fit_folds = Objective.fit_folds


class Scored(Objective):
    """Two rungs of known values, in place of fits."""

    def __init__(self, value: Callable[[int], float]) -> None:
        """Make no folds: nothing is fitted.

        Args:
            value: that of each trial, by how many went before.
        """
        self.candidate: Any = SimpleNamespace(algorithm="lightgbm", target_transform="none")
        self.metric, self.rungs, self.value = "rmse", [([], 0.25), ([], 1.0)], value
        self.parameters: list[dict[str, Any]] = []

    def __call__(self, trial: TrialHandle, parameters: dict[str, Any]) -> float:
        value = self.value(len(self.parameters))
        self.parameters.append(parameters)
        trial.set_user_attr(IMPORTANCES, {"first": 1.0})
        trial.report(value + 1, 1)
        self.wait(trial)
        if trial.should_prune():
            raise optuna.TrialPruned
        trial.set_user_attr(IMPORTANCES, {"second": 0.75, "third": 0.25})
        trial.report(value, 2)
        return value

    def wait(self, trial: TrialHandle) -> None:
        """Between the rungs."""


class Patient(Scored):
    """Waits for the word from W&B in the trials that it will stop."""

    def __init__(self, value: Callable[[int], float], stopped: set[int]) -> None:
        super().__init__(value)
        self.stopped = stopped

    def wait(self, trial: TrialHandle) -> None:
        until = time.monotonic() + 30
        while len(self.parameters) - 1 in self.stopped and not trial.should_prune():
            assert time.monotonic() < until, "W&B did not stop the trial"
            time.sleep(0.01)
        if trial.should_prune():
            # The rest of a rung: the agent must not take another trial meanwhile.
            time.sleep(2 * HEARTBEAT)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where everything is that the client writes outside its temporary folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WANDB_MODE")
    for name, value in {
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "WANDB_CONFIG_DIR": str(tmp_path / "config"),
        "WANDB_CACHE_DIR": str(tmp_path / "cache"),
        "WANDB_DATA_DIR": str(tmp_path / "data"),
        "NETRC": str(tmp_path / "netrc"),
        "WANDB_ERROR_REPORTING": "false",
        "WANDB_HTTP_TIMEOUT": "2",
        "WANDB__FILE_STREAM_TRANSMIT_INTERVAL": "1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WandbServer]:
    """The stand-in, to which the client is led, and whose agents ask often."""
    monkeypatch.setattr("wandb.agents.pyagent.Agent.HEARTBEAT_SLEEP_SECONDS", HEARTBEAT)
    with WandbServer(KEY) as server:
        monkeypatch.setenv("WANDB_BASE_URL", server.url)
        yield server


def _search(
    objective: Objective, sweep: Sweep, trials: int, folder: Path, key: str = KEY, progress: Any = lambda *_: None
) -> tuple[BestParameters, SearchReport]:
    return wandb_sweep.search(
        objective, sweep, trials, Account(ENTITY, PROJECT, key), folder / "kept" / "study.json", progress
    )


def test_a_real_search_is_drawn_by_wandb_and_fitted_here(server: WandbServer, folder: Path) -> None:
    # given
    objective = Fitted("lightgbm")
    sweep = Sweep.model_validate(BOOSTED)
    seen: list[tuple[int, int, float | None]] = []

    # when
    best, report = _search(objective, sweep, 3, folder, progress=lambda *step: seen.append(step))

    # then
    values = [trial.value for trial in report.trials]
    assert [run.exit_code for run in server.runs] == [0, 0, 0]
    assert [trial.parameters for trial in report.trials] == [run.drawn for run in server.runs]
    assert best.parameters == server.runs[values.index(min(values))].drawn
    assert seen == [(number, 3, min(values[:number])) for number in (1, 2, 3)]
    for trial, run in zip(report.trials, server.runs, strict=True):
        assert run.config == run.drawn
        assert [row["rung"] for row in run.history] == [1, 2, 3]
        assert run.history[-1]["rmse"] == run.summary["rmse"] == pytest.approx(trial.value)
        assert run.summary["importances"] == pytest.approx(trial.importances)
        assert set(trial.importances) == {"a", "b", "c"}
        assert (trial.state, trial.iterations) == ("complete", 3)


def test_wandb_receives_the_sweep_file(server: WandbServer, folder: Path) -> None:
    # when
    _search(Scored(float), Sweep.model_validate(BOOSTED), 1, folder)

    # then
    received = server.sweeps["sweep0"]
    assert received["parameters"].pop("n_estimators") == {"min": 6, "max": 30, "distribution": "int_uniform"}
    assert received == {
        "method": "bayes",
        "metric": {"name": "rmse", "goal": "minimize"},
        "parameters": {
            "learning_rate": {"min": 0.01, "max": 0.5, "distribution": "log_uniform_values"},
            "min_child_samples": {"values": [5, 20]},
            "max_bin": {"value": 31},
        },
        "early_terminate": {"type": "hyperband", "min_iter": 1, "eta": 3},
    }


def test_parameters_have_the_types_of_the_sweep_file(server: WandbServer, folder: Path) -> None:
    # given
    objective = Scored(float)

    # when
    best, _ = _search(objective, TYPES, 2, folder)

    # then
    for given, run in zip(objective.parameters, server.runs, strict=True):
        assert given == run.drawn
        assert isinstance(run.drawn["depth"], float)
        assert [type(given[name]) for name in ("trees", "depth", "share", "rate", "leaf")] == [
            *(int, int, float, float, int)
        ]
        assert given["warm"] is True
        assert given["limit"] is None
    assert server.sweeps["sweep0"]["parameters"]["share"]["distribution"] == "uniform"
    assert best.parameters == objective.parameters[0]


def test_a_trial_that_wandb_stops_is_pruned(server: WandbServer, folder: Path) -> None:
    # given: the best trial and another are stopped after the first rung
    server.stopping = {0, 2}

    # when
    best, report = _search(Patient(float, {0, 2}), TYPES, 4, folder)

    # then
    assert [trial.state for trial in report.trials] == ["pruned", "complete", "pruned", "complete"]
    assert [(trial.value, trial.iterations) for trial in report.trials] == [(1, 1), (1, 2), (3, 1), (3, 2)]
    assert [trial.importances for trial in report.trials[:2]] == [{"first": 1.0}, {"second": 0.75, "third": 0.25}]
    assert [run.exit_code for run in server.runs] == [0, 0, 0, 0]
    assert server.runs[0].history == [{"rmse": 1, "rung": 1}]
    assert server.runs[1].summary["importances"] == {"second": 0.75, "third": 0.25}
    assert best.parameters == server.runs[1].drawn


def test_an_error_of_a_trial_reaches_the_caller_as_it_is_and_ends_the_search(
    server: WandbServer, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    # given
    error = ZeroDivisionError("no rows")

    def fail(number: int) -> float:
        if number == 1:
            raise error
        return number

    # when
    with pytest.raises(ZeroDivisionError) as raised:
        _search(Scored(fail), TYPES, 5, folder)

    # then
    assert raised.value is error
    assert [run.exit_code for run in server.runs] == [0, 1]
    assert "Traceback" not in capfd.readouterr().err


def test_a_killed_search_goes_on_in_its_sweep(server: WandbServer, folder: Path) -> None:
    # given
    def killed(number: int) -> float:
        if number == 2:
            raise KeyboardInterrupt
        return number

    with pytest.raises(KeyboardInterrupt):
        _search(Scored(killed), TYPES, 4, folder)

    # when
    objective = Scored(lambda number: 10 + number)
    best, report = _search(objective, TYPES, 4, folder)
    again, kept = _search(Scored(float), TYPES, 3, folder)

    # then: two trials are from before, the third is drawn anew, and a search for fewer asks W&B for nothing
    assert list(server.sweeps) == ["sweep0"]
    assert [trial.value for trial in report.trials] == [0, 1, 10, 11]
    assert [trial.number for trial in report.trials] == [0, 1, 2, 3]
    assert (report.resumed, len(objective.parameters), len(server.runs)) == (2, 2, 5)
    assert best.parameters == server.runs[0].drawn == again.parameters
    assert (kept.resumed, kept.trials) == (3, report.trials[:3])
    assert list(folder.glob("kept/*.partial")) == []


def test_a_sweep_that_was_ended_at_wandb_is_no_success(server: WandbServer, folder: Path) -> None:
    # given
    server.last = 2

    # when
    with pytest.raises(UserError, match=r"^W&B hands out no more trials .*search\.trials.*--no-cache$"):
        _search(Scored(float), TYPES, 3, folder)

    # then
    _, report = _search(Scored(float), TYPES, 2, folder)
    assert report.resumed == 2


def test_a_sweep_that_is_paused_at_wandb_ends_the_wait(
    server: WandbServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wandb_sweep, "PATIENCE", 0.5)
    server.paused = True
    with pytest.raises(UserError, match=r"^W&B hands out no more trials .*none for"):
        _search(Scored(float), TYPES, 1, folder)


def test_a_sweep_that_was_deleted_at_wandb_is_begun_anew_only_on_request(server: WandbServer, folder: Path) -> None:
    # given
    _search(Scored(float), TYPES, 1, folder)
    server.sweeps.clear()

    # when / then
    with pytest.raises(UserError, match=r"^W&B hands out no more trials .*not found.*--no-cache$"):
        _search(Scored(float), TYPES, 2, folder)
    assert server.sweeps == {}


def _unreachable(server: WandbServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")


def _silent(server: WandbServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.silent = True


def _refusing(server: WandbServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.authorization = "another"


@pytest.mark.parametrize("broken", [_unreachable, _silent, _refusing])
@pytest.mark.parametrize("begun", [False, True])
def test_no_server_and_no_entry_are_one_line(
    server: WandbServer,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    broken: Callable[[WandbServer, pytest.MonkeyPatch], None],
    begun: bool,
) -> None:
    # given
    if begun:
        _search(Scored(float), TYPES, 1, folder)
    broken(server, monkeypatch)

    # when
    with pytest.raises(UserError) as raised:
        _search(Scored(float), TYPES, 2, folder)

    # then
    message = str(raised.value)
    assert message.startswith("search.backend: wandb: ")
    assert "search.backend: optuna" in message
    assert "\n" not in message
    assert KEY not in message
    assert len(server.runs) == begun


def test_the_key_is_nowhere_and_the_environment_is_as_before(
    server: WandbServer, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    # given
    before = dict(os.environ)

    # when
    _search(Scored(float), TYPES, 2, folder)

    # then
    printed = capfd.readouterr()
    assert dict(os.environ) == before
    assert KEY not in printed.out + printed.err
    assert KEY not in repr(Account(ENTITY, PROJECT, KEY))
    assert [file for file in folder.rglob("*") if file.is_file() and KEY.encode() in file.read_bytes()] == []
    assert list(folder.glob("wandb*")) == []
