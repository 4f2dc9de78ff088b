"""A copy of the repository with a ZenML configuration of its own, and what can be asked of it."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from zenml.client import Client
from zenml.config.global_config import GlobalConfiguration

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 300

QUICK = (
    "search.trials=3",
    "selection.algorithms=[linear, lightgbm]",
    "features.clusters.counts=[5, 10]",
    "evaluation.bootstrap=200",
    "gate.limits={}",
)
"""What makes a run small."""


def overrides(*settings: str) -> list[str]:
    return [part for setting in settings for part in ("--set", setting)]


class Project:
    """A copy of the repository as Git sees it, one commit old."""

    def __init__(self, path: Path, store: Path) -> None:
        self.path, self.store = path, store

    @property
    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("ZENML_", "MLFLOW_"))}
        return kept | {
            "ZENML_CONFIG_PATH": str(self.store),
            "ZENML_LOGGING_COLORS_DISABLED": "true",
            "COLUMNS": "200",
        }

    def run(
        self, *arguments: str, timeout: float = SECONDS, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return self.call([sys.executable, "run.py", *arguments], timeout, env)

    def zenml(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.call([sys.executable, "-m", "zenml.cli.cli", *arguments])

    def call(
        self, command: Sequence[str], timeout: float = SECONDS, env: dict[str, str] | None = None, text: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.path,
            env=self.environment | (env or {}),
            input=text,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def summary(self) -> dict[str, Any]:
        """Of the newest run."""
        summary: dict[str, Any] = json.loads((self.path / "reports" / "latest" / "summary.json").read_text())
        return summary

    def tracking_uri(self) -> str:
        """Of the tracker and the registry: MLflow beside the artifact store."""
        [database] = self.store.glob("local_stores/*/mlflow.db")
        return f"sqlite:///{database}"

    def registry(self) -> MlflowClient:
        return MlflowClient(self.tracking_uri(), self.tracking_uri())

    @contextlib.contextmanager
    def opened(self) -> Iterator[Client]:
        """ZenML's client in this process, as if started in the copy."""
        before = os.environ.get("ZENML_CONFIG_PATH")
        os.environ["ZENML_CONFIG_PATH"] = str(self.store)
        self._forget()
        try:
            with contextlib.chdir(self.path):
                yield Client()
        finally:
            if before is None:
                del os.environ["ZENML_CONFIG_PATH"]
            else:
                os.environ["ZENML_CONFIG_PATH"] = before
            self._forget()

    def load(self, run: str, *artifacts: str) -> list[Any]:
        """Artifacts of one run by name."""
        with self.opened() as client:
            made = _outputs(client, run)
            return [made[name].load() for name in artifacts]

    def hashes(self, run: str) -> dict[str, str]:
        """The content hash of each artifact of a run."""
        with self.opened() as client:
            return {name: artifact.content_hash for name, artifact in _outputs(client, run).items()}

    @staticmethod
    def _forget() -> None:
        GlobalConfiguration._reset_instance()
        Client._reset_instance()


def _outputs(client: Client, run: str) -> dict[str, Any]:
    steps = client.get_pipeline_run(run).steps.values()
    return {name: artifact for step in steps for name, versions in step.outputs.items() for artifact in versions}


def make_project(folder: Path, store: Path | None = None) -> Project:
    """Copy what Git knows or would add, so that nothing of the developer's own runs comes along."""
    path = folder / "project"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes((ROOT / name).read_bytes())
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "copy"]):
        subprocess.run([*git, *arguments], cwd=path, check=True)
    return Project(path, store or folder / "zenml")


@dataclass(frozen=True)
class Trained:
    """One whole run, and what it left at that moment."""

    project: Project
    command: list[str]
    finished: subprocess.CompletedProcess[str]
    summary: dict[str, Any]
    aliases: dict[str, str]
    """Of the registered model, right after the run."""
