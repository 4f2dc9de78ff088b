"""A run that is killed, in the search and between the writes to the registry, goes on where it was."""

import datetime
import os
import signal
import sqlite3
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.runs import Repository, Trained

pytestmark = pytest.mark.slow

NAME = "resumed"
WRITES = ("create_model_version",)
KILLER = """
import os, signal
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

write = getattr(SqlAlchemyStore, os.environ["KILL_AFTER"])

def killed(*arguments, **options):
    write(*arguments, **options)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(SqlAlchemyStore, os.environ["KILL_AFTER"], killed)
"""


@dataclass
class History:
    """What was seen after each kill, and at the end."""

    killed_at: datetime.datetime
    finished_then: int
    codes: dict[str, int] = field(default_factory=dict)
    """By write, how the run that was killed after it ended."""
    registered: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)
    """By write, how many versions there were after the kill, and the aliases."""
    summary: dict[str, Any] = field(default_factory=dict)
    search_report: Any = None


@pytest.fixture(scope="module")
def history(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> History:
    """One command, again and again: killed in the search, then after each write to the registry, then left alone."""
    project = trained.project
    # Other folds make another search, and another name makes another model; what comes before is cached.
    command = [*trained.command, "--set", "search.trials=8", "--set", "search.folds=3", "--set", f"model.name={NAME}"]
    seen = _kill_in_the_search(project, command, at_least=2)
    killer = tmp_path_factory.mktemp("killer")
    (killer / "sitecustomize.py").write_text(KILLER)
    for write in WRITES:
        done = project.run(*command, env={"PYTHONPATH": str(killer), "KILL_AFTER": write})
        seen.codes[write] = done.returncode
        seen.registered[write] = project.registered(NAME)
    seen.summary = project.train(*command)
    [seen.search_report] = project.load(seen.summary["run"], "search_report")
    return seen


def test_a_killed_search_repeats_no_finished_trial(history: History) -> None:
    # given
    report = history.search_report
    started = [datetime.datetime.fromisoformat(trial.started) for trial in report.trials]

    # then
    assert 2 <= history.finished_then < 8
    assert report.resumed == history.finished_then
    assert [trial.number for trial in report.trials] == list(range(8))
    assert all(start < history.killed_at for start in started[: report.resumed])
    assert all(start > history.killed_at for start in started[report.resumed :])
    assert history.summary["trials"]["started"] == 8


def test_a_kill_between_writes_leaves_no_half_version(history: History) -> None:
    assert history.codes == dict.fromkeys(WRITES, -9)
    assert history.registered == {
        "create_model_version": (1, {}),
    }


def test_the_end_is_one_version_and_one_champion(trained: Trained, history: History) -> None:
    # then: however often it was killed
    assert trained.project.registered(NAME) == (1, {"champion": "1"})
    assert history.summary["model"]["version"] == "1"
    assert history.summary["model"]["alias"] == "champion"
    [version] = trained.project.registry().search_model_versions(f"name = '{NAME}'")
    assert version.tags["model_sha256"] == history.summary["model"]["model_sha256"]
    assert str(version.description).startswith(f"# {NAME}")

    # then: the search was finished by the second run, and not repeated by the later ones
    assert {"search", "fit", "evaluate", "gate"} <= set(history.summary["cached"])


def _kill_in_the_search(project: Repository, command: list[str], at_least: int) -> History:
    folder = project.path / ".cache" / "search"
    known = set(folder.glob("*.db"))
    process = project.start(sys.executable, "run.py", *command)
    try:
        deadline = time.monotonic() + 200
        while (finished := sum(map(_finished_trials, set(folder.glob("*.db")) - known))) < at_least:
            assert process.poll() is None, "the run ended before it could be killed"
            assert time.monotonic() < deadline, "the search has not begun"
            time.sleep(0.05)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    killed_at = datetime.datetime.now(datetime.UTC)
    # A trial may have been written between the look and the kill.
    finished = sum(map(_finished_trials, set(folder.glob("*.db")) - known))
    return History(killed_at, finished)


def _finished_trials(file: Path) -> int:
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=5)
    try:
        return int(connection.execute("SELECT COUNT(*) FROM trials WHERE state != 'RUNNING'").fetchone()[0])
    except sqlite3.OperationalError:
        return 0  # its tables are still being made
    finally:
        connection.close()
