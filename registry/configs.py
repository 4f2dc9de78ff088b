"""`model_config.yaml` of each version: kept in MLflow, and in the repository for a `git diff` between releases."""

import logging
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from registry.author import RELEASES
from registry.history import HistoryEntry
from registry.mlflow_registry import CHAMPION
from tabular.errors import UserError
from tabular.learning.model_config import ModelConfig, from_yaml, to_yaml
from tabular.storage import places

logger = logging.getLogger(__name__)

FILE = "model_config.yaml"
"""In the MLflow run of a version; in `releases/NAME/` of the repository that of the newest one."""
CHAMPION_FILE = "champion.yaml"
"""In `releases/NAME/` of the repository: that of the champion."""


def read(client: MlflowClient, version: ModelVersion) -> ModelConfig:
    """The config of a version, with the aliases that it has now.

    Raises:
        UserError: it was registered without one, or the file is damaged.
    """
    number = str(version.version)
    aliases = client.get_registered_model(version.name).aliases
    try:
        text = mlflow.artifacts.load_text(f"{_folder(client, version)}/{FILE}")
    except (MlflowException, OSError) as error:
        raise UserError(f"version {number} of {version.name} has no {FILE} ({error}); train it again") from None
    named = tuple(sorted(alias for alias, other in aliases.items() if str(other) == number))
    return from_yaml(text).model_copy(update={"aliases": named})


def write(client: MlflowClient, version: ModelVersion, config: ModelConfig) -> None:
    """Keep a config in the MLflow run of its version; one that is there is replaced."""
    client.log_text(str(version.run_id), to_yaml(config), FILE)


def export(root: Path, name: str, file: str, config: ModelConfig) -> None:
    """Write a config to `releases/` of the repository; where that cannot be written, say in a container, it is logged.

    Args:
        root: the repository.
        name: of the registered model.
        file: its name there.
        config: what to write.
    """
    path = root / RELEASES / name / file
    text = to_yaml(config).encode()
    try:
        if not path.is_file() or path.read_bytes() != text:
            places.write(str(path), text)
    except (OSError, UserError) as error:
        logger.warning("%s is not written: %s", path.relative_to(root), error)


class Configs:
    """A follower of the release: the aliases in the configs of the versions that an entry moved, and the champion's.

    Args:
        client: of MLflow.
        name: of the registered model.
        root: the repository.
    """

    def __init__(self, client: MlflowClient, name: str, root: Path) -> None:
        self._client = client
        self._name = name
        self._root = root

    def __call__(self, entry: HistoryEntry) -> None:
        """Rewrite what the entry has made untrue."""
        champion = entry.change.aliases.get(CHAMPION)
        touched = {number for move in entry.moved for number in (move.before, move.after) if number}
        for number in sorted({*touched, *([champion] if champion else [])}):
            try:
                version = self._client.get_model_version(self._name, number)
                config = read(self._client, version)
            except (MlflowException, UserError) as error:
                logger.warning("%s of version %s is not brought up to date: %s", FILE, number, error)
                continue
            if number in touched:
                write(self._client, version, config)
            if number == champion:
                export(self._root, self._name, CHAMPION_FILE, config)


def _folder(client: MlflowClient, version: ModelVersion) -> str:
    return str(client.get_run(str(version.run_id)).info.artifact_uri)
