"""ZenML's own Model stages follow the aliases."""

import logging
from uuid import UUID

from mlflow import MlflowClient
from zenml.client import Client
from zenml.enums import ModelStages

from registry.history import HistoryEntry
from registry.labels import ARCHIVED, CHALLENGER, CHAMPION, STAGING, ZENML_MODEL_VERSION
from registry.mlflow_registry import by_number


def follow_aliases(client: MlflowClient, name: str, entry: HistoryEntry) -> None:
    """Set ZenML's stages of the versions of the model `name` to what an entry of its history says.

    The champion is `production`, a challenger, or else what is staged, `staging`, and an archived version `archived`.
    """
    aliases = entry.change.aliases
    wanted = {
        aliases.get(CHALLENGER) or aliases.get(STAGING): ModelStages.STAGING,
        aliases.get(CHAMPION): ModelStages.PRODUCTION,
    }
    if entry.change.sets.get(ARCHIVED) == "true":
        wanted[entry.change.version] = ModelStages.ARCHIVED
    for version, stage in wanted.items():
        known = _zenml_version(client, name, version) if version else None
        if known is not None:
            _set(UUID(known), stage)


def _zenml_version(client: MlflowClient, name: str, version: str) -> str | None:
    found = by_number(client, name, version)
    return found.tags.get(ZENML_MODEL_VERSION) if found else None


def _set(known: UUID, stage: ModelStages) -> None:
    try:
        found = Client().get_model_version(model_version_name_or_number_or_id=known)
    except KeyError:
        return  # another ZenML server trained it, or somebody has deleted it there: stages are a courtesy
    if found.stage != stage.value:
        # Forced: ZenML archives the version that has the stage now in the same write. It logs its own number of that
        # version, which is not the registry's and would mislead.
        store = logging.getLogger("zenml.zen_stores.sql_zen_store")
        level = store.level
        store.setLevel(logging.WARNING)
        try:
            Client().update_model_version(found.model.id, found.id, stage=stage, force=True)
        finally:
            store.setLevel(level)
