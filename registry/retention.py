"""Finding everything that belongs to a registered version, and deleting it."""

import contextlib
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from mlflow import MlflowClient
from mlflow.entities.logged_model import LoggedModel
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from zenml.client import Client
from zenml.enums import ExecutionStatus, StackComponentType
from zenml.stack import StackComponent
from zenml.utils.pagination_utils import depaginate
from zenml.utils.time_utils import utc_now

from registry.history import Removal
from registry.labels import BUNDLE, BUNDLE_SHA256, ZENML_RUN
from registry.mlflow_registry import versions
from tabular import names
from tabular.storage.repository import ROOT

ARTIFACTS = (names.MODEL, names.BUNDLE)
"""ZenML artifacts of a training run that only its version uses. The rows stay for later comparisons."""
LOGGED_MODEL = "models:/m-"
"""Prefix of the URI of a model that MLflow keeps for one version."""
_CACHE = ".cache"
_PAGE = 1000
_BATCH = 100
"""Runs in one query: ZenML names each run twice in it, and SQLite accepts 500 terms."""


def removals_of(client: MlflowClient, doomed: Sequence[ModelVersion], root: Path = ROOT) -> list[Removal]:
    """Find everything that belongs to the versions `doomed`, and to no other version of any model. Nothing is deleted.

    Returns:
        A removal for each version, in their order. Something that two of them share is in the first one's removal.
    """
    if not doomed:
        return []
    gone = {(version.name, str(version.version)) for version in doomed}
    models = client.search_registered_models(max_results=_PAGE)
    everything = [version for model in models for version in versions(client, model.name)]
    others = [version for version in everything if (version.name, str(version.version)) not in gone]
    taken = {str(version.source) for version in others}
    artifacts = _artifacts(doomed, others)
    found = []
    for version, (ids, size) in zip(doomed, artifacts, strict=True):
        uri = str(version.source)
        logged = None if uri in taken else _logged_model(client, uri)
        taken.add(uri)
        bentos, folder = _bentos(version), f"bundles/{version.name}-{version.version}"
        cached = root / _CACHE / folder
        size += _size_of_logged(client, logged) if logged else 0
        size += sum(
            _size_below(Path(kept.path)) for tag in bentos for kept in _in_both_stores(tag, "get")
        ) + _size_below(cached)
        found.append(
            Removal(
                version=str(version.version),
                run_id=version.run_id,
                model_uri=uri if logged else None,
                artifacts=tuple(ids),
                bentos=bentos,
                folders=(folder,) if cached.is_dir() else (),
                size=size,
            )
        )
    return found


def remove(removal: Removal, client: MlflowClient, root: Path) -> None:
    """Delete everything that a removal names; something that is gone already is not an error.

    Every file is deleted before the record of its location, so that everything that a crash has left is found when the
    removal is carried out again.
    """
    if removal.artifacts:
        _remove_artifacts(removal.artifacts)
    for tag in removal.bentos:
        _in_both_stores(tag, "delete")
    for folder in removal.folders:
        if (root / _CACHE / folder).exists():
            shutil.rmtree(root / _CACHE / folder)
    if removal.model_uri:
        logged = _logged_model(client, removal.model_uri)
        if logged is not None:
            get_artifact_repository(logged.artifact_location, tracking_uri=client.tracking_uri).delete_artifacts()  # type: ignore[no-untyped-call]
            client.delete_logged_model(logged.model_id)


def _logged_model(client: MlflowClient, uri: str) -> LoggedModel | None:
    """MLflow's record of a model; None if it is gone, or stored otherwise, as a copied version is."""
    if not uri.startswith(LOGGED_MODEL):
        return None
    try:
        return client.get_logged_model(uri.removeprefix("models:/"))
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None


def _size_of_logged(client: MlflowClient, model: LoggedModel) -> int:
    repository = get_artifact_repository(model.artifact_location, tracking_uri=client.tracking_uri)

    def below(path: str | None) -> int:
        return sum(below(file.path) if file.is_dir else file.file_size or 0 for file in repository.list_artifacts(path))

    return below(None)


def _artifacts(doomed: Sequence[ModelVersion], others: Sequence[ModelVersion]) -> list[tuple[list[str], int]]:
    """The ids of each version's ZenML artifacts, and the number of their bytes."""
    if not any(ZENML_RUN in version.tags for version in doomed):
        return [([], 0) for _ in doomed]
    kept = {artifact.id for artifact in _made(others)}
    kept |= {artifact.id for version in others for artifact in _released(version)}
    found = []
    for version in doomed:
        candidates = [*_made([version]), *_released(version)]
        mine = {artifact.id: artifact for artifact in candidates if artifact.id not in kept}
        kept |= mine.keys()
        size = sum(_size_in_store(_store(artifact), artifact.uri) for artifact in mine.values())
        found.append((sorted(map(str, mine)), size))
    return found


def _made(versions_: Sequence[ModelVersion]) -> Iterator[Any]:
    """The artifact versions of the pipeline runs that made some versions, including those of cached steps."""
    runs: list[UUID | str] = [version.tags[ZENML_RUN] for version in versions_ if ZENML_RUN in version.tags]
    for start in range(0, len(runs), _BATCH):
        for name in ARTIFACTS:
            batch = runs[start : start + _BATCH]
            yield from depaginate(Client().list_artifact_versions, artifact=name, pipeline_run=batch, size=_PAGE)


def _released(version: ModelVersion) -> list[Any]:
    """The artifact version that holds the bundle; a later run than the one that registered it may have packaged it."""
    if BUNDLE not in version.tags:
        return []
    uri = version.tags[BUNDLE].rstrip("/").rpartition("/")[0]
    return list(Client().list_artifact_versions(uri=uri).items)


def _store(artifact: Any) -> Any:
    active = Client().active_stack.artifact_store
    if artifact.artifact_store_id == active.id:
        return active
    kind = StackComponentType.ARTIFACT_STORE
    return StackComponent.from_model(Client().get_stack_component(kind, artifact.artifact_store_id))


def _size_in_store(store: Any, uri: str) -> int:
    if not store.exists(uri):
        return 0
    files: Iterable[str] = (f"{folder}/{name}" for folder, _, names in store.walk(uri) for name in names)
    return sum(store.size(file) or 0 for file in files)


def _remove_artifacts(ids: Sequence[str]) -> None:
    """Take the artifacts out of ZenML's cache, then delete their files, then their records.

    ZenML's client refuses to delete an artifact that a run has used, so its store is called.
    """
    client = Client()
    found = []
    for identifier in ids:
        try:
            found.append(client.get_artifact_version(UUID(identifier)))
        except KeyError:
            continue  # deleted already
    makers = {artifact.producer_step_run_id for artifact in found if artifact.producer_step_run_id}
    while steps := client.list_run_steps(
        name=names.REGISTER, status=ExecutionStatus.COMPLETED, cache_expired=False, size=_PAGE
    ).items:
        for step in steps:
            client.update_step_run(step.id, cache_expires_at=utc_now())
    for maker in makers:
        client.update_step_run(maker, cache_expires_at=utc_now())
    for artifact in found:
        store = _store(artifact)
        if store.exists(artifact.uri):
            store.rmtree(artifact.uri)
        client.zen_store.delete_artifact_version(artifact.id)


def _bentos(version: ModelVersion) -> tuple[str, ...]:
    """The tag that the version's Bento and stored model have, if BentoML holds one of the two."""
    if BUNDLE_SHA256 not in version.tags:
        return ()
    tag = f"{names.BENTO_NAME}:{version.version}-{version.tags[BUNDLE_SHA256][:12]}"
    return (tag,) if _in_both_stores(tag, "get") else ()


def _in_both_stores(tag: str, action: Literal["get", "delete"]) -> list[Any]:
    """Get or delete the Bento and the stored model of a tag, as far as BentoML holds them."""
    import bentoml
    from bentoml.exceptions import NotFound

    found = []
    for store in (bentoml, bentoml.models):
        with contextlib.suppress(NotFound):
            found.append(getattr(store, action)(tag))
    return found


def _size_below(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
