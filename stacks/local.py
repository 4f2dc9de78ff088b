"""The stack `local`, which every run can use without any preparation."""

from pathlib import Path

from zenml.client import Client

from stacks import files, registration, whole_files
from tabular.storage.repository import ROOT

NAME = "local"
ZENML_DEFAULT = "default"


def activate(root: Path) -> str:
    """Make sure that the stack `local` exists, and activate it unless the user has chosen another stack.

    A repository that ZenML does not know is initialised. Its stack becomes `local`, unless a stack other than ZenML's
    own default is active already. An initialised repository keeps the stack it has. A component that an earlier
    version of this project registered, and that can no longer be loaded, is taken out of the active stack.

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
