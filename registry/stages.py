"""ZenML's own Model stages follow the aliases."""

import logging
from uuid import UUID

from mlflow import MlflowClient
from zenml.client import Client
from zenml.enums import ModelStages

from registry.history import HistoryEntry
from registry.mlflow_registry import CHALLENGER, CHAMPION, STAGING
from registry.plans import ARCHIVED

ZENML_VERSION = "zenml_model_version"
"""The tag of a version with ZenML's id of its own Model version."""


class Stages:
    """A follower of the release.

    Args:
        client: of MLflow.
        name: of the registered model.
    """

    def __init__(self, client: MlflowClient, name: str) -> None:
        self._client = client
        self._name = name

    def __call__(self, entry: HistoryEntry) -> None:
        """Champion is `production`, a challenger or else what is staged `staging`, and what is archived `archived`."""
        aliases = entry.change.aliases
        wanted = {
            aliases.get(CHALLENGER) or aliases.get(STAGING): ModelStages.STAGING,
            aliases.get(CHAMPION): ModelStages.PRODUCTION,
        }
        if entry.change.sets.get(ARCHIVED) == "true":
            wanted[entry.change.version] = ModelStages.ARCHIVED
        for version, stage in wanted.items():
            if version is not None:
                self._set(version, stage)

    def _set(self, version: str, stage: ModelStages) -> None:
        known = self._client.get_model_version(self._name, version).tags.get(ZENML_VERSION)
        if known is None:
            return
        try:
            found = Client().get_model_version(model_version_name_or_number_or_id=UUID(known))
        except KeyError:
            return  # another ZenML server trained it, or somebody has deleted it there: stages are a courtesy
        if found.stage != stage.value:
            # Forced: whichever version has the stage now is archived by ZenML in the same write. ZenML says so with its
            # own number of that version, which is not the registry's and would mislead.
            store = logging.getLogger("zenml.zen_stores.sql_zen_store")
            level = store.level
            store.setLevel(logging.WARNING)
            try:
                Client().update_model_version(found.model.id, found.id, stage=stage, force=True)
            finally:
                store.setLevel(level)
