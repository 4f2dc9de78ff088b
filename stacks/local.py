"""The `local` stack: everything on this machine, no account anywhere."""

import contextlib
from pathlib import Path

from zenml.client import Client
from zenml.enums import StackComponentType
from zenml.exceptions import EntityExistsError

NAME = "local"
COMPONENT = "local_mlflow"
ZENML_DEFAULT = "default"


def activate(root: Path) -> str:
    """Make sure that the `local` stack exists, and use it where the user has not chosen a stack.

    A repository that was never initialised is initialised; its stack becomes `local` unless the user has already set
    another one than ZenML's own default. An initialised repository keeps the stack it has.

    Args:
        root: the repository.

    Returns:
        The name of the active stack.
    """
    chosen = Client().active_stack_model.name
    is_new = not Client.is_repository_directory(root)
    _register()
    if is_new:
        Client.initialize(root)
        Client().activate_root(root)
        Client().activate_stack(NAME if chosen == ZENML_DEFAULT else chosen)
    return str(Client().active_stack_model.name)


def _register() -> None:
    """Register whatever of the stack is missing; another process may be doing the same at the same time."""
    client = Client()
    if client.list_stacks(name=NAME):
        return
    for kind in (StackComponentType.EXPERIMENT_TRACKER, StackComponentType.MODEL_REGISTRY):
        if not client.list_stack_components(type=kind.value, name=COMPONENT):
            with contextlib.suppress(EntityExistsError):
                client.create_stack_component(COMPONENT, flavor="mlflow", component_type=kind, configuration={})
    with contextlib.suppress(EntityExistsError):
        client.create_stack(
            name=NAME,
            components={
                StackComponentType.ORCHESTRATOR: ZENML_DEFAULT,
                StackComponentType.ARTIFACT_STORE: ZENML_DEFAULT,
                StackComponentType.EXPERIMENT_TRACKER: COMPONENT,
                StackComponentType.MODEL_REGISTRY: COMPONENT,
            },
        )
