"""The whole training command: its figures and its time, beside a script for the same problem.

    python benchmarks/training.py DATA [--against SCRIPT] [--trials 50]

DATA is a CSV of California housing. SCRIPT takes DATA as its argument, and does the work in plain scikit-learn; the
last line that it prints is shown. Both run on this machine one after the other, the command in a copy of the repository
with a fresh ZenML store. The ratio therefore compares whole processes, start included and without any cached step.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import frame
from frame import ROOT, Figure


class Process(NamedTuple):
    """A process that has ended well."""

    seconds: float
    said: str


class FreshProject(NamedTuple):
    """A copy of the repository with a ZenML store and a BentoML store of its own."""

    folder: Path

    def run(self, *words: str) -> Process:
        """Run `run.py` with these arguments."""
        stores = {name: f"{self.folder}/{name}" for name in ("ZENML_CONFIG_PATH", "BENTOML_HOME")}
        return timed(["run.py", *words], self.folder, os.environ | stores | {"ZENML_ANALYTICS_OPT_IN": "false"})

    def summary(self) -> dict[str, Any]:
        """The summary of the newest run."""
        found: dict[str, Any] = json.loads((self.folder / "reports" / "latest" / "summary.json").read_text())
        return found


@contextmanager
def fresh_project() -> Iterator[FreshProject]:
    """Copy the repository, without environment, caches and reports, for as long as the block lasts."""
    left_out = {".git", ".venv", ".zen", ".cache", "reports"}

    def ignored(visited: str, names: list[str]) -> set[str]:
        return {"__pycache__"} | (left_out & {*names} if Path(visited) == ROOT else set())

    with tempfile.TemporaryDirectory(prefix="stackhouse-project-") as folder:
        yield FreshProject(Path(shutil.copytree(ROOT, folder, ignore=ignored, dirs_exist_ok=True)))


def timed(script: list[str], folder: Path, environment: dict[str, str] | None = None) -> Process:
    """Run a Python script, and end with its output when it fails."""
    began = time.perf_counter()
    done = subprocess.run([sys.executable, *script], cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(script)} failed:\n{done.stdout}\n{done.stderr}")
    return Process(time.perf_counter() - began, done.stdout)


def training(given: argparse.Namespace) -> Iterator[Figure]:
    """Train, and run the other script."""
    data = given.data.resolve()
    with fresh_project() as project:
        ours = project.run("--set", f"data.path={data}", "--set", f"search.trials={given.trials}").seconds
        summary = project.summary()
    for kind, values in (("held out", summary["metrics"]), ("seconds", summary["seconds"])):
        yield from (Figure(f"{kind}, {name}", f"{value:,.3f}") for name, value in values.items())
    yield Figure(f"whole command ({given.trials} trials), s", f"{ours:.1f}")
    if given.against:
        other = timed([str(given.against.resolve()), str(data)], Path.cwd())
        yield Figure("by hand, s", f"{other.seconds:.1f}")
        yield Figure("ratio", f"{ours / other.seconds:.3f}")
        print(f"by hand: {other.said.strip().splitlines()[-1]}")


if __name__ == "__main__":
    parser = frame.parser(__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--trials", type=int, default=50)
    frame.measure({"training": partial(training, parser.parse_args())})
