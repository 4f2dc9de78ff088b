"""Run a sweep on W&B's server: it draws the points and says which trials end early; the trials themselves run here."""

import datetime
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import optuna
from pydantic import BaseModel, Field

from tabular.config.sweep import Sweep, SweepParameter
from tabular.errors import UserError, one_line
from tabular.learning.search import IMPORTANCES, Objective, Progress, as_file, fixed, summarise
from tabular.reports.training import BestParameters, SearchReport, Trial
from tabular.storage.atomic import write_atomically
from trackers.wandb_account import INSTEAD, Account, refusals, require_entry, session

if TYPE_CHECKING:
    from wandb import Run

PATIENCE = 120.0
"""Seconds to wait for the server to draw a point."""
POLL = 0.05
"""Seconds between two looks at whether the other thread is done."""


def search(
    objective: Objective, sweep: Sweep, trials: int, account: Account, storage: Path, progress: Progress
) -> tuple[BestParameters, SearchReport]:
    """Run the trials that are not on disk yet, in the sweep that is noted there or else in a new one.

    Args:
        objective: what a trial is scored by.
        sweep: the space, the method, and when to stop a trial early; all three are W&B's to apply.
        trials: how many trials in all.
        account: whose sweep it is.
        storage: the JSON file of the sweep's id and its finished trials.
        progress: called after each trial.

    Returns:
        The parameters of the best complete trial, and all trials.

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
    """What outlives a kill."""

    sweep: str | None = None
    """W&B's id."""
    trials: list[Trial] = Field(default_factory=list)

    def write(self, file: Path) -> None:
        write_atomically(file, self.model_dump_json().encode())


class _Agent:
    """One trial that W&B hands out, held open inside the `with` while it runs in this thread.

    W&B's agent swallows what its function raises and goes on with the next trial, and ends a trial by raising in
    the thread of the function, wherever that is. So its function only waits: an error of a trial reaches the caller as
    it is, a signal too, and a trial ends between two rungs, as under Optuna.
    """

    def __init__(self, sweep: str, account: Account) -> None:
        from wandb.agents import pyagent

        # What `wandb.agent` runs; that one cannot be told to end while it waits, and W&B's service does not end before.
        agent: Any = pyagent.Agent
        self._agent = agent(sweep, account.project, account.entity, self._hold, count=1)
        self.sweep = sweep
        self.stopped = False
        """Whether W&B has ended the trial."""
        self._handed_out = self._done = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._done = True
        while self._thread.is_alive():  # the agent makes its flag and its queue anew as it starts
            self._agent._exit_flag = True
            if hasattr(self._agent, "_queue"):
                self._agent._queue.put(None)
            self._thread.join(POLL)

    def _wait(self) -> None:
        """Until a trial is handed out."""
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

    @property
    def _has_ended(self) -> bool:
        return getattr(self._agent, "_exit_flag", False) or not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._agent.run()
        except Exception as error:
            self._error = error

    def _hold(self) -> None:
        # The agent raises here to end the trial. A lock could be left taken by that, hence the polling.
        self._handed_out = True
        try:
            while not self._done:
                time.sleep(POLL)
        except Exception:
            # Without the flag the agent would tell W&B that it is free, and be given a trial that nobody runs.
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
        # One row for each rung and no other rows: W&B's hyperband takes the number of rows for the iteration.
        self._run.log({self._metric: value, "rung": step})
        self.value, self.step = value, step

    def should_prune(self) -> bool:
        return self._agent.stopped

    def set_user_attr(self, key: str, value: Any) -> None:
        self.attributes[key] = value


def _run_one(agent: _Agent, objective: Objective, sweep: Sweep, number: int) -> Trial:
    """Score the point that was handed out, and tell W&B."""
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
    """The sweep file, with a distribution where W&B cannot tell it from the ends."""
    written = as_file(sweep)
    for name, parameter in sweep.parameters.items():
        entry = written["parameters"][name]
        if _is_whole(parameter) and parameter.q is None:
            entry |= {"min": int(entry["min"]), "max": int(entry["max"]), "distribution": "int_uniform"}
        elif parameter.min is not None:
            entry.setdefault("distribution", "uniform")
    return written


def _drawn(sweep: Sweep, config: dict[str, Any]) -> dict[str, Any]:
    """The varying parameters, with the types of the sweep file: JSON does not tell 5 from 5.0."""
    drawn: dict[str, Any] = {}
    for name, parameter in sweep.parameters.items():
        if parameter.values is not None:
            drawn[name] = parameter.values[parameter.values.index(config[name])]
        elif parameter.min is not None:
            drawn[name] = round(config[name]) if _is_whole(parameter) else float(config[name])
    return drawn


def _is_whole(parameter: SweepParameter) -> bool:
    """Whether a range is one of whole numbers, by the rules that `Sweep` documents."""
    ends = isinstance(parameter.min, int) and isinstance(parameter.max, int)
    stepped = parameter.distribution == "q_uniform" and isinstance(parameter.q, int)
    return parameter.distribution == "int_uniform" or (ends and (parameter.distribution is None or stepped))


def _best_value(trials: list[Trial], sweep: Sweep) -> float | None:
    complete = [trial.value for trial in trials if trial.state == "complete"]
    return (min if sweep.metric.goal == "minimize" else max)(complete, default=None)
