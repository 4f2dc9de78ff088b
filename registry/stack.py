"""The releases of a model on the active ZenML stack, for reading and for changing."""

from pathlib import Path

from zenml.client import Client

from registry import configs, stages
from registry.mlflow_registry import registry_client
from registry.release_view import ReleaseView
from registry.releases import Releases
from registry.retention import remove
from registry.store import folder_of


def read_releases(name: str) -> ReleaseView:
    """The releases of a registered model, to be read only.

    Args:
        name: name of the registered model.

    Raises:
        UserError: the stack has no MLflow registry, or its artifact store cannot hold releases.
    """
    return ReleaseView(registry_client(), folder_of(Client().active_stack.artifact_store, name), name)


def open_releases(name: str, root: Path) -> Releases:
    """The releases of a registered model, to be changed: registry, history and manifest of the active stack.

    Args:
        name: name of the registered model.
        root: folder of the repository.

    Raises:
        UserError: the stack has no MLflow registry, or its artifact store cannot hold releases.
    """
    view = read_releases(name)
    followers = (stages.follow_aliases, configs.follow_aliases)
    return Releases(view.client, view.store, name, root, followers, remove)
