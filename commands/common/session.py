"""Opening the releases of a model on the active stack, and what becomes of a stack that fails meanwhile."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tabular.errors import UserError, one_line

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

    from registry.history import ReleaseState
    from registry.releases import Releases

REFUSED = 1
"""The exit code where nothing was changed, or not all of it; a mistake in what was typed is 2."""
REBUILD = "`python run.py models release rebuild` takes it over"


class Failed(Exception):
    """A command that cannot go on; the message is the one line to say. The exit code is 1."""


@dataclass(frozen=True)
class ActiveStack:
    """The registry of the active stack."""

    client: "MlflowClient"
    releases_of: "Callable[[str], Releases]"
    """The releases of a registered model, by its name."""


@dataclass(frozen=True)
class Session:
    """A registered model, with everything completed that was interrupted."""

    root: Path
    releases: "Releases"
    base: "ReleaseState"
    """The settled state."""
    strays: list[str]
    """Aliases that point elsewhere than the history says, in words."""

    @property
    def client(self) -> "MlflowClient":
        """Of MLflow."""
        return self.releases.client

    @property
    def name(self) -> str:
        """Of the registered model."""
        return self.releases.name

    def version(self, reference: str) -> "ModelVersion":
        """The version that a person means. Raises UserError where there is none."""
        from registry.mlflow_registry import version_named

        return version_named(self.client, self.name, reference)


def active_stack(root: Path) -> ActiveStack:
    """Reach the active stack.

    Args:
        root: the repository.

    Raises:
        Failed: something of the stack does not answer.
    """
    import logging

    from zenml.logger import ZenMLConsoleHandler

    from commands.common import preflight
    from stacks import local

    for handler in logging.getLogger().handlers:
        if isinstance(handler, ZenMLConsoleHandler):
            handler.setStream(sys.stderr)  # ZenML's own choice is stdout, past every redirection
    local.activate(root)
    try:
        preflight.ensure_usable(root)
    except preflight.StackUnusable as error:
        raise Failed(str(error)) from None
    # Imported last: a stack that is down is told without waiting for MLflow.
    from registry.mlflow_registry import registry_client
    from registry.stack import open_releases

    return ActiveStack(registry_client(), lambda name: open_releases(name, root))


def open_session(root: Path, model: str | None) -> Session:
    """Open a registered model, complete what was interrupted, and warn of aliases that the history does not know.

    Args:
        root: the repository.
        model: its name; None for the only one.

    Raises:
        UserError: there is no such model.
        Failed: something of the stack does not answer.
    """
    from registry.mlflow_registry import model_named

    stack = active_stack(root)
    return _settled(root, stack.releases_of(model_named(stack.client, model)))


def open_all(root: Path, model: str | None) -> list[Session]:
    """Open every registered model, or only the one of that name; otherwise like `open_session`."""
    from registry.mlflow_registry import model_named

    stack = active_stack(root)
    known = sorted(model.name for model in stack.client.search_registered_models(max_results=1000))
    names = known if model is None else [model_named(stack.client, model)]
    return [_settled(root, stack.releases_of(name)) for name in names]


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
        UserError: there is no such model, or somebody has moved its aliases past the history.
        Failed: something of the stack does not answer.
    """
    session = open_session(root, model)
    if session.strays and session.base.revision > 0:
        raise UserError(f"{session.name} cannot be changed while {session.strays[0]}; {REBUILD}")
    return session


@contextlib.contextmanager
def ended_in_one_line() -> Iterator[None]:
    """End a command whose stack has failed, or which somebody else was faster than, with one line and exit code 1."""
    try:
        yield
    except Exception as error:
        said = _explained(error)
        if said is None:
            raise
        click.echo(f"error: {said}", err=True)
        sys.exit(REFUSED)


def _explained(error: Exception) -> str | None:
    """The one line for an exception that is nobody's mistake; None for any other."""
    if isinstance(error, Failed):
        return str(error)
    if "mlflow" not in sys.modules:
        return None
    from mlflow.exceptions import MlflowException
    from requests.exceptions import ConnectionError as Unconnected

    from registry.releases import LostRace
    from stacks.gcsfs_store import StoreUnreachable
    from tabular.storage.places import Refused, Unreachable

    if isinstance(error, LostRace | StoreUnreachable | Refused | Unreachable):
        return one_line(error)
    if isinstance(error, UserError):
        return None
    if isinstance(error, MlflowException | Unconnected):
        return f"MLflow does not answer as it should ({one_line(error)}); nothing new was decided: try again"
    return None
