"""The releases of a model on the active ZenML stack."""

from pathlib import Path

from zenml.client import Client

from registry.configs import Configs
from registry.mlflow_registry import registry_client
from registry.releases import Releases
from registry.retention import remove
from registry.stages import Stages
from registry.store import folder_of


def open_releases(name: str, root: Path) -> Releases:
    """The releases of a registered model: registry, history and manifest of the active stack.

    Args:
        name: of the registered model.
        root: the repository.

    Raises:
        UserError: the artifact store of the stack cannot hold them.
    """
    client = registry_client()
    store = folder_of(Client().active_stack.artifact_store, name)
    followers = (Stages(client, name), Configs(client, name, root))
    return Releases(client, store, name, root, followers, remove)
