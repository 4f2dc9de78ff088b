"""The MLflow model registry of the active stack: reading the champion, writing versions."""

from typing import Any, Literal

import mlflow
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from sklearn.pipeline import Pipeline
from zenml.client import Client
from zenml.integrations.mlflow.experiment_trackers import MLFlowExperimentTracker
from zenml.integrations.mlflow.model_registries import MLFlowModelRegistry

from tabular.persistence import TRUSTED_TYPES

CHAMPION = "champion"
CHALLENGER = "challenger"


def registry_client() -> MlflowClient:
    """MLflow's client, and MLflow itself, pointed at the registry of the active stack."""
    registry = Client().active_stack.model_registry
    assert isinstance(registry, MLFlowModelRegistry), "checked before the run starts"
    registry.configure_mlflow()
    return registry.mlflow_client


def registry_uri() -> str:
    """Where the registry of the active stack lies: a database or a server.

    The stack knows; MLflow's own setting is gone once ZenML has ended a step that tracks.
    """
    tracker = Client().active_stack.experiment_tracker
    assert isinstance(tracker, MLFlowExperimentTracker), "checked before the run starts"
    return tracker.get_tracking_uri(as_plain_text=False)


def by_alias(client: MlflowClient, name: str, alias: str) -> ModelVersion | None:
    """The version that an alias points to, or None."""
    try:
        return client.get_model_version_by_alias(name, alias)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def by_tags(client: MlflowClient, name: str, tags: dict[str, str]) -> ModelVersion | None:
    """The newest version that carries all these tags, or None."""
    text = " and ".join([f"name = '{name}'", *(f"tags.{key} = '{value}'" for key, value in tags.items())])
    found = client.search_model_versions(text)
    return max(found, key=lambda version: int(version.version), default=None)


def load(version: ModelVersion) -> Pipeline:
    """The fitted pipeline of a version; MLflow keeps it in skops form and loads only the types that were trusted."""
    registry_client()
    return mlflow.sklearn.load_model(f"models:/{version.name}/{version.version}")


def log(model: Pipeline, name: str, **details: Any) -> str:
    """Store a fitted pipeline in the active MLflow run and return its URI.

    Args:
        model: the fitted pipeline.
        name: what MLflow calls the logged model.
        details: signature, input example, requirements and code, passed on to MLflow.
    """
    info = mlflow.sklearn.log_model(
        model, name=name, serialization_format="skops", skops_trusted_types=TRUSTED_TYPES, **details
    )
    return str(info.model_uri)


def move_alias(
    client: MlflowClient, name: str, version: str, decision: str
) -> Literal["champion", "challenger"] | None:
    """Point the alias that the gate's decision gives to a version, and return the alias it now has.

    MLflow moves an alias in one write, so there is a champion before and after.
    """
    champion = by_alias(client, name, CHAMPION)
    if champion is not None and str(champion.version) == version:
        return "champion"
    if decision == "reject":
        return None
    if decision == "keep":
        client.set_registered_model_alias(name, CHALLENGER, version)
        return "challenger"
    client.set_registered_model_alias(name, CHAMPION, version)
    challenger = by_alias(client, name, CHALLENGER)
    if challenger is not None and str(challenger.version) == version:
        client.delete_registered_model_alias(name, CHALLENGER)
    return "champion"
