"""The stack `local`, which every run can use without any preparation."""

import hashlib
from pathlib import Path

from zenml.client import Client
from zenml.config.global_config import GlobalConfiguration

from stacks import files, registration, whole_files
from tabular.storage.atomic import write_atomically
from tabular.storage.locks import one_at_a_time
from tabular.storage.repository import ROOT

NAME = "local"
ZENML_DEFAULT = "default"
LOCK = "stackhouse.lock"
"""File in ZenML's configuration. ZenML makes its database, and this project its stack, when they are first needed."""
CHOSEN = "chosen_stacks"
"""Folder in ZenML's configuration. For each repository it holds the name of the stack that was chosen last."""


def activate(root: Path) -> str:
    """Make sure that the stack `local` exists, and activate it unless the user has chosen another stack.

    A repository that ZenML does not know is initialised. ZenML's own default stack is nobody's choice: it has no
    tracker and cannot be given one, so nothing runs on it, and ZenML falls back to it whenever a repository is used
    with another configuration of ZenML. Then the stack that was chosen here last is activated, or `local` where the
    configuration has no stack of that name. A component that an earlier version of this project registered, and that
    can no longer be loaded, is taken out of the active stack. Of several commands that start at once, each waits for
    the one before.

    Returns:
        The name of the active stack.
    """
    whole_files.install()
    with one_at_a_time(Path(GlobalConfiguration().config_directory) / LOCK, waiting=lambda: None):
        return _activate(root)


def _activate(root: Path) -> str:
    found = Client().active_stack_model
    is_new = not Client.is_repository_directory(root)
    if registration.find_stack(NAME) is None:
        registration.apply(NAME, files.read(ROOT, NAME))
    if is_new:
        Client.initialize(root)
        Client().activate_root(root)
    if found.name == ZENML_DEFAULT:
        Client().activate_stack(_chosen_last(root))
    else:
        if is_new:
            Client().activate_stack(found.name)
        _remember(root, found.name)
    active = Client().active_stack_model
    if updates := registration.without_removed(active):
        Client().update_stack(active.id, component_updates=updates)
    return str(active.name)


def _chosen_last(root: Path) -> str:
    """The stack that was chosen last in this repository, if there is one of that name; `local` otherwise."""
    file = _file(root)
    name = file.read_text().strip() if file.is_file() else NAME
    return NAME if registration.find_stack(name) is None else name


def _file(root: Path) -> Path:
    name = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]
    return Path(GlobalConfiguration().config_directory) / CHOSEN / name


def _remember(root: Path, name: str) -> None:
    """Keep the name of a stack that was chosen in this repository."""
    file = _file(root)
    if not file.is_file() or file.read_text().strip() != name:
        write_atomically(file, f"{name}\n".encode())
