"""The MLflow model registry of the active stack: finding versions and loading models."""

from collections.abc import Callable
from typing import TypeVar

import mlflow
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from sklearn.pipeline import Pipeline
from zenml.client import Client
from zenml.integrations.mlflow.experiment_trackers import MLFlowExperimentTracker
from zenml.integrations.mlflow.model_registries import MLFlowModelRegistry

from tabular.config.base import is_model_name
from tabular.errors import UserError, nearest, one_line

Found = TypeVar("Found")

GONE = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
"""Error codes of MLflow for something that is not in the registry."""


def registry_client() -> MlflowClient:
    """An MLflow client of the active stack's registry; MLflow's own settings point there afterwards, too.

    Raises:
        UserError: the stack has no MLflow registry.
    """
    stack = Client().active_stack
    registry = stack.model_registry
    if not isinstance(registry, MLFlowModelRegistry):
        raise UserError(f"the active stack '{stack.name}' has no MLflow model registry: run `zenml stack set local`")
    registry.configure_mlflow()
    return registry.mlflow_client


def registry_uri() -> str:
    """URI of the active stack's registry: a database or a server.

    It is read from the stack, because ZenML resets MLflow's own setting at the end of each step that tracks.
    """
    tracker = Client().active_stack.experiment_tracker
    assert isinstance(tracker, MLFlowExperimentTracker), "checked before the run starts"
    return tracker.get_tracking_uri(as_plain_text=False)


def by_alias(client: MlflowClient, name: str, alias: str) -> ModelVersion | None:
    """The version that an alias points to; None if there is no such alias."""
    return unless_gone(client.get_model_version_by_alias, name, alias)


def by_number(client: MlflowClient, name: str, number: str) -> ModelVersion | None:
    """The version with a number; None if there is no such version."""
    return unless_gone(client.get_model_version, name, number)


def unless_gone(look_up: Callable[..., Found], *arguments: str) -> Found | None:
    """What a method of MLflow's client finds in the registry; None if it is not there."""
    try:
        return look_up(*arguments)
    except MlflowException as error:
        if error.error_code in GONE:
            return None
        raise


def with_tags(client: MlflowClient, name: str, tags: dict[str, str]) -> list[ModelVersion]:
    """The versions that have all these tags, the newest first."""
    return [version for version in versions(client, name) if tags.items() <= version.tags.items()]


def load(version: ModelVersion) -> Pipeline:
    """The fitted pipeline of a version. MLflow stores it with skops and loads only types that are trusted.

    Raises:
        UserError: the model names classes that this version of the project does not have.
    """
    registry_client()
    try:
        return mlflow.sklearn.load_model(f"models:/{version.name}/{version.version}")
    except (ImportError, AttributeError) as error:
        what = f"version {version.version} of {version.name} was stored by another version of Stackhouse"
        raise UserError(f"{what} and does not load here ({one_line(error)}); use one that was trained since") from None


def versions(client: MlflowClient, name: str) -> list[ModelVersion]:
    """All versions of a registered model, the newest first, without aliases: MLflow keeps those with the model."""
    found: list[ModelVersion] = []
    token = None
    # Another program may have registered a name with a quotation mark, which a filter of MLflow cannot hold.
    wanted = f"name = '{name}'" if is_model_name(name) else None
    while True:
        page = client.search_model_versions(wanted, max_results=1000, page_token=token)
        found += [version for version in page if version.name == name]
        token = page.token
        if not token:
            return sorted(found, key=lambda version: -int(version.version))


def model_named(client: MlflowClient, name: str | None) -> str:
    """The name of a registered model; if `name` is None, that of the only one.

    Raises:
        UserError: there is no model, no model of that name, or more than one to choose from.
    """
    known = sorted(model.name for model in client.search_registered_models(max_results=1000))
    if name in known:
        return str(name)
    if not known:
        raise UserError("the registry of the active stack holds no model yet; train one: `python run.py`")
    if name is None and len(known) == 1:
        return str(known[0])
    if name is None:
        raise UserError(f"the registry holds several models: choose one with --model {' or --model '.join(known)}")
    raise UserError(f"the registry holds no model '{name}'; the nearest is '{nearest(name, known)}'")


def version_named(client: MlflowClient, name: str, reference: str) -> ModelVersion:
    """The version that a reference points to: a number, an alias with or without `@`, or `newest`.

    Raises:
        UserError: there is no such version.
    """
    model = client.get_registered_model(name)
    aliases = {alias: str(version) for alias, version in model.aliases.items()}
    wanted = reference.removeprefix("@")
    if wanted == "newest":
        known = versions(client, name)
        if known:
            return known[0]
    number = aliases.get(wanted, wanted)
    if number.isdecimal():
        try:
            return client.get_model_version(name, number)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
    numbers = ", ".join(str(version.version) for version in versions(client, name)[:10])
    there = f"there are {numbers}" if numbers else "it has no versions"
    named = f", and the aliases {', '.join(sorted(aliases))}" if aliases else ""
    raise UserError(f"{name} has no version '{reference}'; {there}{named}")
