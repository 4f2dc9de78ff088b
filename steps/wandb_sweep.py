"""Run a sweep on W&B's server: it draws the points and says which trials end early; the trials themselves run here."""

import base64
import datetime
import http.client
import json
import os
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import optuna
from pydantic import BaseModel, Field
from zenml.client import Client

from stacks.offline import MODES, NO_KEY
from tabular.config.sweep import Sweep, SweepParameter
from tabular.errors import UserError
from tabular.reports import BestParameters, SearchReport, Trial
from tabular.search import IMPORTANCES, Objective, Progress, as_file, fixed, summarise

if TYPE_CHECKING:
    from wandb import Run

INSTEAD = "or set search.backend: optuna, which needs no account"
QUIET = {
    "WANDB_SILENT": "true",
    "WANDB_CONSOLE": "off",
    "WANDB_DISABLE_CODE": "true",
    "WANDB_DISABLE_GIT": "true",
    "WANDB__DISABLE_STATS": "true",
    # How long W&B's client tries, in seconds; left alone it waits for minutes.
    "WANDB_HTTP_TIMEOUT": "10",
    "WANDB_INIT_TIMEOUT": "30",
    "WANDB_FINISH_TIMEOUT": "60",
    "WANDB_FINISH_TIMEOUT_RAISES": "true",
    "WANDB__GRAPHQL_RETRY_MAX": "4",
    "WANDB__FILE_STREAM_RETRY_MAX": "4",
    "WANDB__FILE_TRANSFER_RETRY_MAX": "4",
    # How often the rungs are sent, in seconds: as often as the agent asks whether the trial ends.
    "WANDB__FILE_STREAM_TRANSMIT_INTERVAL": "5",
}
"""Settings of W&B's client for the time of a search; what the environment says goes first."""
PATIENCE = 120.0
"""Seconds to wait for the server to draw a point."""
POLL = 0.05
"""Seconds between two looks at whether the other thread is done."""


@dataclass(frozen=True)
class Account:
    """Where the sweep goes, and the key that opens it."""

    entity: str | None
    project: str | None
    key: str = field(repr=False)


def account() -> Account:
    """That of the active stack's W&B tracker.

    Raises:
        UserError: there is none.
    """
    for tracker in Client().active_stack.experiment_trackers.values():
        if tracker.flavor == "wandb":
            config: Any = tracker.config
            return Account(config.entity, config.project_name, config.api_key)
    raise UserError(f"search.backend: wandb needs a W&B tracker in the active stack: add one, {INSTEAD}")


def require_online(backend: str) -> None:
    """Refuse a search on W&B's server where nobody is there to answer.

    Args:
        backend: the run configuration's `search.backend`.

    Raises:
        UserError: the stack has no W&B tracker or none with a key, or W&B is set to work offline.
    """
    if backend != "wandb":
        return
    key, mode = account().key, os.environ.get("WANDB_MODE", "online")
    if len(key) < 40 or key == NO_KEY:
        raise UserError(f"search.backend: wandb needs the stack's W&B tracker to have an API key: set it, {INSTEAD}")
    if mode in MODES:
        raise UserError(f"search.backend: wandb needs W&B's server, and WANDB_MODE is '{mode}': unset it, {INSTEAD}")


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
        with _refusals(), _session(account):
            _require_entry(account)
            if kept.sweep is None:
                kept.sweep = wandb.sweep(_as_wandb(sweep), entity=account.entity, project=account.project)
                kept.write(storage)
            while len(kept.trials) < trials:
                with _Agent(kept.sweep, account) as agent:
                    kept.trials.append(_run_one(agent, objective, sweep, len(kept.trials)))
                kept.write(storage)
                progress(len(kept.trials), trials, _best_value(kept.trials, sweep))
    return summarise(objective, sweep, kept.trials[:trials], {}, resumed)


class _Kept(BaseModel):
    """What outlives a kill."""

    sweep: str | None = None
    """W&B's id."""
    trials: list[Trial] = Field(default_factory=list)

    def write(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial")
        partial.write_text(self.model_dump_json())
        partial.replace(file)


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
        self._done = self._agent._exit_flag = True
        self._agent._queue.put(None)
        self._thread.join()

    def _wait(self) -> None:
        """Until a trial is handed out."""
        until = time.monotonic() + PATIENCE
        while not (self._handed_out or self._has_ended) and time.monotonic() < until:
            time.sleep(POLL)
        if not self._handed_out:
            waited = "it has ended there" if self._has_ended else f"none for {PATIENCE:.0f} s"
            why = " ".join(str(self._error).split()) if self._error else waited
            raise UserError(
                f"W&B hands out no more trials of the sweep {self.sweep} ({why}): resume it there and run again, "
                "ask for fewer with search.trials, or begin a new one with --no-cache"
            ) from self._error

    @property
    def _has_ended(self) -> bool:
        return self._agent._exit_flag or not self._thread.is_alive()

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


@contextmanager
def _session(account: Account) -> Iterator[None]:
    """W&B's client with this account, its local files in a folder that goes away; as it was before afterwards."""
    import wandb

    before = {name: value for name, value in os.environ.items() if name.startswith("WANDB_")}
    with tempfile.TemporaryDirectory(prefix="wandb-", ignore_cleanup_errors=True) as folder:
        os.environ |= QUIET | before
        os.environ |= {"WANDB_API_KEY": account.key, "WANDB_MODE": "online", "WANDB_DIR": folder}
        wandb.teardown()
        try:
            yield
        finally:
            wandb.teardown()
            for name in [name for name in os.environ if name.startswith("WANDB_")]:
                del os.environ[name]
            os.environ |= before


@contextmanager
def _refusals() -> Iterator[None]:
    """What W&B's client raises, as one line."""
    import wandb.errors

    try:
        yield
    except wandb.errors.Error as error:
        raise UserError(f"search.backend: wandb: {' '.join(str(error).split())}: mend that, {INSTEAD}") from error


def _require_entry(account: Account) -> None:
    """Ask the server who this is, past W&B's client: that one tries for minutes, and its service does not end before.

    Raises:
        UserError: the server cannot be reached, or refuses the key.
    """
    import wandb

    url = wandb.setup().settings.base_url
    headers = {
        "Authorization": "Basic " + base64.b64encode(f"api:{account.key}".encode()).decode(),
        "Content-Type": "application/json",
    }
    question = urllib.request.Request(f"{url}/graphql", b'{"query": "query Viewer { viewer { id } }"}', headers)
    try:
        with urllib.request.urlopen(question, timeout=float(os.environ["WANDB_HTTP_TIMEOUT"])) as answer:
            known = json.load(answer)["data"]["viewer"] is not None
    except urllib.error.HTTPError as error:
        if error.code not in (401, 403):
            raise UserError(f"search.backend: wandb: {url} answers {error.code}: try again, {INSTEAD}") from None
        known = False
    except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
        raise UserError(f"search.backend: wandb: {url} cannot be reached ({error}): try again, {INSTEAD}") from None
    if not known:
        raise UserError(f"search.backend: wandb: {url} refuses the key of the stack's W&B tracker: set it, {INSTEAD}")


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
