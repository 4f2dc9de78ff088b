"""Reusing the result of a finished step only where everything that it has made is still there."""

import contextlib
from collections.abc import Iterator

from zenml.client import Client
from zenml.models import ArtifactVersionResponse, StepRunResponse
from zenml.orchestrators import cache_utils
from zenml.utils import source_utils
from zenml.utils.time_utils import utc_now

from materializers.files import FileMaterializer
from registry import traces

_find = cache_utils.get_cached_step_run


@contextlib.contextmanager
def checked() -> Iterator[None]:
    """Make ZenML pass over a finished step whose artifacts or whose traces in the registry are gone."""
    cache_utils.get_cached_step_run = get_cached_step_run
    try:
        yield
    finally:
        cache_utils.get_cached_step_run = _find


def get_cached_step_run(cache_key: str) -> StepRunResponse | None:
    """The newest finished step run with this cache key that can be reused, or None; each other one is expired."""
    while (found := _find(cache_key)) is not None and not is_whole(found):
        Client().update_step_run(found.id, cache_expires_at=utc_now())
    return found


def is_whole(step: StepRunResponse) -> bool:
    """Whether the files of each artifact of a step run are there, and what it has left in the registry."""
    artifacts = [artifact for versions in step.outputs.values() for artifact in versions]
    return all(has_files(artifact) for artifact in artifacts) and traces.is_there(step)


def has_files(artifact: ArtifactVersionResponse) -> bool:
    """Whether the files that the artifact is read from are there, by a few questions to its store and no reading."""
    store = Client().active_stack.artifact_store  # the cache key holds the store, so it is the artifact's own
    kind = source_utils.load(artifact.materializer)
    if issubclass(kind, FileMaterializer):
        return bool(kind(uri=artifact.uri, artifact_store=store).is_there())
    return bool(store.exists(artifact.uri) and store.listdir(artifact.uri))
