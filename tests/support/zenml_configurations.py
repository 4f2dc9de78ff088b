"""ZenML's configurations, several of which one process uses one after the other."""

import shutil
from pathlib import Path

from zenml.client import Client
from zenml.config.global_config import GlobalConfiguration


def forget() -> None:
    """Make ZenML read its configuration again; it keeps configuration and client for the life of a process."""
    GlobalConfiguration._reset_instance()
    Client._reset_instance()


def configuration(new: Path, folder: Path) -> Path:
    """A copy, in another folder, of a configuration that was never used."""
    copy = shutil.copytree(new, folder)
    (copy / "config.yaml").write_text((copy / "config.yaml").read_text().replace(str(new), str(copy)))
    return copy
