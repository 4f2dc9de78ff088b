"""Run a sweep of W&B's server: it draws the points and ends trials early; the trials themselves run here."""

import datetime
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import optuna
from optuna.distributions import IntDistribution
from pydantic import BaseModel, Field

from tabular.config.sweep import Sweep
from tabular.errors import UserError, one_line
from tabular.learning.search import IMPORTANCES, Objective, Progress, as_file, distribution, fixed, summarise
from tabular.reports.training import BestParameters, SearchReport, Trial
from tabular.storage.atomic import write_atomically
from trackers.wandb_account import INSTEAD, Account, refusals, require_entry, session

if TYPE_CHECKING:
    from wandb import Run

PATIENCE = 120.0
"""Seconds to wait for the server to draw a point."""
POLL = 0.05
"""Seconds between two checks whether the other thread is done."""


def search(
    objective: Objective, sweep: Sweep, trials: int, account: Account, storage: Path, progress: Progress
) -> tuple[BestParameters, SearchReport]:
    """Run the trials that are not on disk yet, in the sweep whose id is kept there, otherwise in a new one.

    Args:
        objective: scores a trial.
        sweep: the space, the method, and the rule for stopping a trial early; W&B applies all three.
        trials: number of all trials.
        account: the W&B account that the sweep belongs to.
        storage: JSON file with the sweep's id and its finished trials.
        progress: called after each trial.

    Raises:
        UserError: W&B cannot be reached, refuses the key, or hands out no more trials.
    """
    import wandb

    kept = _Kept.model_validate_json(storage.read_text()) if storage.exists() else _Kept()
    resumed = min(len(kept.trials), trials)
    if resumed < trials:
        with refusals(), session(account):
            require_entry(account)
            if kept.sweep is None:
                kept.sweep = wandb.sweep(_as_wandb(sweep), entity=account.entity, project=account.project)
                kept.write(storage)
            while len(kept.trials) < trials:
                with _Agent(kept.sweep, account) as agent:
                    kept.trials.append(_run_one(agent, objective, sweep, len(kept.trials)))
                kept.write(storage)
                progress(len(kept.trials), trials, _best_value(kept.trials, sweep))
    best, report = summarise(objective, sweep, kept.trials[:trials], {}, resumed)
    return best, report.model_copy(update={"sweep_id": kept.sweep})


class _Kept(BaseModel):
    """The sweep and its finished trials, as they are kept on disk."""

    sweep: str | None = None
    """Id of the sweep on W&B's server."""
    trials: list[Trial] = Field(default_factory=list)

    def write(self, file: Path) -> None:
        write_atomically(file, self.model_dump_json().encode())


class _Agent:
    """One trial that W&B hands out; it stays open inside the `with` while it runs in this thread.

    W&B's agent swallows the errors of its function and continues with the next trial, and it ends a trial by raising
    an error in the thread of the function at any point. So its function only waits, in a thread of its own: errors and
    signals of a trial reach the caller, and a trial ends between two rungs, as with Optuna.
    """

    def __init__(self, sweep: str, account: Account) -> None:
        from wandb.agents import pyagent

        # `wandb.agent` runs this class, but cannot be told to end while it waits; W&B's service ends only after it.
        agent: Any = pyagent.Agent
        self._agent = agent(sweep, account.project, account.entity, self._hold, count=1)
        self.sweep = sweep
        self.stopped = False
        """Whether W&B has asked for the trial to end."""
        self._handed_out = self._done = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            until = time.monotonic() + PATIENCE
            while not (self._handed_out or self._has_ended) and time.monotonic() < until:
                time.sleep(POLL)
            if not self._handed_out:
                waited = "it has ended there" if self._has_ended else f"none for {PATIENCE:.0f} s"
                why = one_line(self._error) if self._error else waited
                raise UserError(
                    f"W&B hands out no more trials of the sweep {self.sweep} ({why}): resume it there and run again, "
                    "ask for fewer with search.trials, or begin a new one with --no-cache"
                ) from self._error
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._done = True
        while self._thread.is_alive():  # the agent creates its flag and its queue when it starts
            self._agent._exit_flag = True
            if hasattr(self._agent, "_queue"):
                self._agent._queue.put(None)
            self._thread.join(POLL)

    @property
    def _has_ended(self) -> bool:
        return getattr(self._agent, "_exit_flag", False) or not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._agent.run()
        except Exception as error:
            self._error = error

    def _hold(self) -> None:
        # The agent ends the trial by raising an error here. That could leave a lock taken, hence the polling.
        self._handed_out = True
        try:
            while not self._done:
                time.sleep(POLL)
        except Exception:
            # Without the flag the agent would tell W&B that it is free, and receive a trial that nobody runs.
            self.stopped = self._agent._exit_flag = True
            while not self._done:
                time.sleep(POLL)


class _Handle:
    """A W&B run as the objective sees it."""

    def __init__(self, run: "Run", metric: str, agent: _Agent) -> None:
        self._run, self._metric, self._agent = run, metric, agent
        self.value, self.step = 0.0, 0
        self.attributes: dict[str, Any] = {}

    def report(self, value: float, step: int) -> None:
        # One row for each rung and no other rows: W&B's Hyperband uses the number of rows as the iteration.
        self._run.log({self._metric: value, "rung": step})
        self.value, self.step = value, step

    def should_prune(self) -> bool:
        return self._agent.stopped

    def set_user_attr(self, key: str, value: Any) -> None:
        self.attributes[key] = value


def _run_one(agent: _Agent, objective: Objective, sweep: Sweep, number: int) -> Trial:
    """Score the point that was handed out, and send the result to W&B."""
    import wandb

    run = wandb.init()
    handle = _Handle(run, sweep.metric.name, agent)
    started, clock = datetime.datetime.now(datetime.UTC), time.perf_counter()
    state: Literal["complete", "pruned"] = "complete"
    try:
        parameters = {**fixed(sweep), **_drawn(sweep, dict(run.config))}
        objective(handle, parameters)
    except optuna.TrialPruned:
        state = "pruned"
    except BaseException:
        with suppress(TimeoutError):
            run.finish(exit_code=1)
        raise
    seconds = time.perf_counter() - clock
    # A run's summary holds the last value of its metric, from which the Bayesian method learns, by itself.
    run.summary.update(handle.attributes)
    try:
        run.finish()
    except TimeoutError:
        raise UserError(
            f"search.backend: wandb: W&B no longer takes what a trial sends: run again, {INSTEAD}"
        ) from None
    return Trial(
        number=number,
        state=state,
        parameters=parameters,
        value=handle.value,
        iterations=handle.step,
        started=started.isoformat(),
        seconds=seconds,
        importances=handle.attributes[IMPORTANCES],
    )


def _as_wandb(sweep: Sweep) -> dict[str, Any]:
    """The sweep file, with a distribution wherever W&B cannot infer it from the ends of a range."""
    written = as_file(sweep)
    for name, entry in written["parameters"].items():
        if "min" in entry and isinstance(distribution(sweep.parameters[name]), IntDistribution) and "q" not in entry:
            entry |= {"min": int(entry["min"]), "max": int(entry["max"]), "distribution": "int_uniform"}
        elif "min" in entry:
            entry.setdefault("distribution", "uniform")
    return written


def _drawn(sweep: Sweep, config: dict[str, Any]) -> dict[str, Any]:
    """The varying parameters with the types of the sweep file, because JSON does not distinguish 5 from 5.0."""
    drawn: dict[str, Any] = {}
    for name, parameter in sweep.parameters.items():
        if parameter.values is not None:
            drawn[name] = parameter.values[parameter.values.index(config[name])]
        elif parameter.min is not None:
            is_whole = isinstance(distribution(parameter), IntDistribution)
            drawn[name] = round(config[name]) if is_whole else float(config[name])
    return drawn


def _best_value(trials: list[Trial], sweep: Sweep) -> float | None:
    complete = [trial.value for trial in trials if trial.state == "complete"]
    return (min if sweep.metric.goal == "minimize" else max)(complete, default=None)
