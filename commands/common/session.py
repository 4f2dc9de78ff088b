"""Opening the releases of a model on the active stack."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tabular.errors import UserError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

    from registry.history import ReleaseState
    from registry.releases import Releases

REFUSED = 1
"""Exit code of a command that changed nothing, or not everything; a mistake in the command line is 2."""
REBUILD = "`python run.py models release rebuild` takes it over"


@dataclass(frozen=True)
class Session:
    """A registered model whose interrupted changes have been completed."""

    root: Path
    """Folder of the repository."""
    releases: "Releases"
    base: "ReleaseState"
    """The state of the releases when the session was opened."""
    strays: list[str]
    """Sentences about aliases that contradict the history."""

    @property
    def client(self) -> "MlflowClient":
        """The client of MLflow."""
        return self.releases.client

    @property
    def name(self) -> str:
        """The name of the registered model."""
        return self.releases.name

    def version(self, reference: str) -> "ModelVersion":
        """The version for a number, an alias or `newest`. Raises UserError if there is none."""
        return self.releases.version(reference)


def active_stack(root: Path) -> "tuple[MlflowClient, Callable[[str], Releases]]":
    """Connect to the active stack. Returns its client of MLflow, and what opens the releases of a model by its name.

    Raises:
        Failed: a component of the stack does not answer.
    """
    import logging

    from zenml.logger import ZenMLConsoleHandler

    from commands.common import preflight
    from stacks import local

    for handler in logging.getLogger().handlers:
        if isinstance(handler, ZenMLConsoleHandler):
            handler.setStream(sys.stderr)  # ZenML writes to stdout by default, past every redirection
    local.activate(root)
    preflight.ensure_usable(root)
    # Imported last, so that a stack that is down is reported without waiting for the import of MLflow.
    from registry.mlflow_registry import registry_client
    from registry.releases import open_releases

    return registry_client(), lambda name: open_releases(name, root)


def open_session(root: Path, model: str | None) -> Session:
    """Open a model (None: the only one), complete interrupted changes, and warn of aliases that contradict the history.

    Raises:
        UserError: there is no such model.
        Failed: a component of the stack does not answer.
    """
    from registry.mlflow_registry import model_named

    client, releases_of = active_stack(root)
    return _settled(root, releases_of(model_named(client, model)))


def open_all(root: Path, model: str | None) -> list[Session]:
    """Open every registered model, or only the one of the given name; otherwise the same as `open_session`."""
    from registry.mlflow_registry import model_named

    client, releases_of = active_stack(root)
    known = sorted(model.name for model in client.search_registered_models(max_results=1000))
    names = known if model is None else [model_named(client, model)]
    return [_settled(root, releases_of(name)) for name in names]


def _settled(root: Path, releases: "Releases") -> Session:
    before = releases.history.newest()
    base = releases.settle()
    if before.entry is not None and not before.is_settled:
        from registry import configs

        configs.export_champion(root, releases.client, releases.name)
        entry = before.entry
        what = (
            f"{entry.change.action} of version {entry.change.version}" if entry.change.version else entry.change.action
        )
        click.echo(
            f"completed revision {entry.revision} ({what} by {entry.changed.by}), which had been interrupted", err=True
        )
    strays = releases.strays(base)
    if base.revision > 0:
        for stray in strays:
            click.echo(f"warning: {stray}; {REBUILD}", err=True)
    return Session(root, releases, base, strays)


def open_to_change(root: Path, model: str | None) -> Session:
    """Open a registered model to change it.

    Raises:
        UserError: there is no such model, or its aliases were changed without an entry in the history.
        Failed: a component of the stack does not answer.
    """
    session = open_session(root, model)
    if session.strays and session.base.revision > 0:
        raise UserError(f"{session.name} cannot be changed while {session.strays[0]}; {REBUILD}")
    return session
