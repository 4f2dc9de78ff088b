"""The `local` stack is there without anybody's work."""

from pathlib import Path

from zenml.client import Client

from stacks import files, registration, whole_files
from tabular.storage.repository import ROOT

NAME = "local"
ZENML_DEFAULT = "default"


def activate(root: Path) -> str:
    """Make sure that the `local` stack exists, and use it where the user has not chosen a stack.

    A repository that was never initialised is initialised; its stack becomes `local` unless the user has already set
    another one than ZenML's own default. An initialised repository keeps the stack it has. A component that an earlier
    version of this project registered, and that can no longer be loaded, is taken out of the active stack.

    Args:
        root: the repository.

    Returns:
        The name of the active stack.
    """
    whole_files.install()
    chosen = Client().active_stack_model.name
    is_new = not Client.is_repository_directory(root)
    if registration.find_stack(NAME) is None:
        registration.apply(NAME, files.read(ROOT, NAME))
    if is_new:
        Client.initialize(root)
        Client().activate_root(root)
        Client().activate_stack(NAME if chosen == ZENML_DEFAULT else chosen)
    active = Client().active_stack_model
    if updates := registration.without_removed(active):
        Client().update_stack(active.id, component_updates=updates)
    return str(active.name)
