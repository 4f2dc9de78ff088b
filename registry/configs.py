"""`model_config.yaml` of each version: kept in MLflow, and in the repository for a `git diff` between releases."""

import logging
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from registry.author import RELEASES
from registry.history import HistoryEntry
from registry.labels import CHAMPION
from registry.mlflow_registry import by_alias, versions
from tabular.errors import UserError
from tabular.learning.model_config import FILE, ModelConfig, from_yaml, to_yaml
from tabular.storage import places

logger = logging.getLogger(__name__)

CHAMPION_FILE = "champion.yaml"
"""Name of the champion's file in `releases/NAME/` of the repository; `FILE` there belongs to the newest version."""


def read(client: MlflowClient, version: ModelVersion) -> ModelConfig:
    """The configuration of a version, with the aliases that it has now.

    Raises:
        UserError: the version was registered without one, or the file is damaged.
    """
    number = str(version.version)
    aliases = client.get_registered_model(version.name).aliases
    try:
        folder = client.get_run(str(version.run_id)).info.artifact_uri
        text = mlflow.artifacts.load_text(f"{folder}/{FILE}")
    except (MlflowException, OSError) as error:
        raise UserError(f"version {number} of {version.name} has no {FILE} ({error}); train it again") from None
    named = tuple(sorted(alias for alias, other in aliases.items() if str(other) == number))
    return from_yaml(text).model_copy(update={"aliases": named})


def write(client: MlflowClient, version: ModelVersion, config: ModelConfig) -> None:
    """Keep a configuration in the MLflow run of its version, in place of one that is there."""
    client.log_text(str(version.run_id), to_yaml(config), FILE)


def follow_aliases(client: MlflowClient, name: str, entry: HistoryEntry) -> None:
    """Write the aliases into the configurations of the versions of the model `name` that an entry has moved."""
    for number in sorted({number for move in entry.moved for number in (move.before, move.after) if number}):
        try:
            version = client.get_model_version(name, number)
            write(client, version, read(client, version))
        except (MlflowException, UserError) as error:
            logger.warning("%s of version %s is not brought up to date: %s", FILE, number, error)


def export(root: Path, config: ModelConfig, file: str = FILE) -> None:
    """Write a configuration to `releases/NAME/` of the repository `root`; if that cannot be written, log a warning."""
    path = root / RELEASES / config.name / file
    text = to_yaml(config).encode()
    try:
        if not path.is_file() or path.read_bytes() != text:
            places.write(str(path), text)
    except (OSError, UserError) as error:
        logger.warning("%s is not written: %s", path.relative_to(root), error)


def export_champion(root: Path, client: MlflowClient, name: str) -> None:
    """Write the configuration of the present champion of the model `name`, if any, like `export`."""
    champion = by_alias(client, name, CHAMPION)
    if champion is not None:
        try:
            export(root, read(client, champion), CHAMPION_FILE)
        except UserError as error:
            logger.warning("%s is not written: %s", CHAMPION_FILE, error)


def export_trained(root: Path, client: MlflowClient, config: ModelConfig) -> None:
    """Write the configuration of the version of a training run, if that is the newest, and the champion's."""
    if str(versions(client, config.name)[0].version) == config.version:
        export(root, config)
    export_champion(root, client, config.name)
