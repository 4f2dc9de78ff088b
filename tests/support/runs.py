"""A copy of the repository with a commit, and what can be asked of its stores from this process."""

import contextlib
import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from zenml.client import Client
from zenml.config.global_config import GlobalConfiguration
from zenml.models import ArtifactVersionResponse

from tests.support.project import Project

QUICK = (
    "search.trials=3",
    "selection.algorithms=[linear, lightgbm]",
    "features.clusters.counts=[5, 10]",
    "evaluation.bootstrap=200",
    "evaluation.folds=2",
    "gate.limits={}",
)
"""Settings that make a run small."""

PLAIN = {"ZENML_LOGGING_COLORS_DISABLED": "true"}
"""Output without colours."""


def overrides(*settings: str) -> list[str]:
    """The `--set` options of `run.py`."""
    return [part for setting in settings for part in ("--set", setting)]


class Repository(Project):
    """A copy of the repository under Git."""

    @classmethod
    def copy(cls, folder: Path) -> "Repository":
        """Copy what Git would take to `folder/project`, as its one commit."""
        made = super().copy(folder)
        git = ("git", "-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false")
        for arguments in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "copy")):
            subprocess.run([*git, *arguments], cwd=made.path, check=True)
        return cls(made.path, made.home)

    def start(self, *command: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """As in `Project`, with plain output."""
        return super().start(*command, env=PLAIN | dict(env or {}))

    def summary(self) -> dict[str, Any]:
        """The summary of the newest run."""
        summary: dict[str, Any] = json.loads((self.path / "reports" / "latest" / "summary.json").read_text())
        return summary

    def train(self, *arguments: str) -> dict[str, Any]:
        """Run `run.py`, check that it succeeds, and return the summary."""
        finished = self.run(*arguments)
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return self.summary()

    def tracking_uri(self) -> str:
        """The address of tracker and registry: MLflow's database beside the artifact store."""
        [database] = self.home.glob("zenml/local_stores/*/mlflow.db")
        return f"sqlite:///{database}"

    def registry(self) -> MlflowClient:
        """MLflow's client of tracker and registry."""
        return MlflowClient(self.tracking_uri(), self.tracking_uri())

    def registered(self, name: str) -> tuple[int, dict[str, str]]:
        """How many versions a registered model has, and its aliases."""
        client = self.registry()
        aliases = client.get_registered_model(name).aliases
        versions = client.search_model_versions(f"name = '{name}'")
        return len(versions), {alias: str(version) for alias, version in aliases.items()}

    @contextlib.contextmanager
    def opened(self) -> Iterator[Client]:
        """ZenML's client in this process, as if started in the copy."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ZENML_CONFIG_PATH", str(self.home / "zenml"))
            patch.setenv("ZENML_REPOSITORY_PATH", str(self.path))
            _forget()
            try:
                yield Client()
            finally:
                patch.undo()
                _forget()

    def outputs(self, client: Client, run: str) -> dict[str, ArtifactVersionResponse]:
        """The artifacts of a run by name."""
        steps = client.get_pipeline_run(run).steps.values()
        return {name: artifact for step in steps for name, [artifact] in step.outputs.items()}

    def load(self, run: str, *artifacts: str) -> list[Any]:
        """Artifacts of a run by name."""
        with self.opened() as client:
            made = self.outputs(client, run)
            return [made[name].load() for name in artifacts]

    def hashes(self, run: str) -> dict[str, str | None]:
        """The content hash of each artifact of a run."""
        with self.opened() as client:
            return {name: artifact.content_hash for name, artifact in self.outputs(client, run).items()}


def _forget() -> None:
    """Make ZenML read its configuration again; it keeps configuration and client for the life of a process."""
    GlobalConfiguration._reset_instance()
    Client._reset_instance()


@dataclass(frozen=True)
class Trained:
    """One whole run, and what it left at that moment."""

    project: Repository
    command: list[str]
    finished: subprocess.CompletedProcess[str]
    summary: dict[str, Any]
    aliases: dict[str, str]
    """Aliases of the registered model right after the run."""


@dataclass(frozen=True)
class Clones:
    """The same command in a second clone with the same ZenML configuration, and then in the first again."""

    first: dict[str, Any]
    second: dict[str, Any]
    """Summary of the run in the second clone; `first` is that of the first clone."""
    registered_before: tuple[int, dict[str, str]]
    registered_after: tuple[int, dict[str, str]]
    """Number of versions, and the aliases."""
