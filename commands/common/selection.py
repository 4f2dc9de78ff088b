"""Running a part of a pipeline on the artifacts of earlier runs."""

from collections.abc import Collection

from zenml.client import Client
from zenml.enums import StackComponentType
from zenml.models import ArtifactVersionResponse
from zenml.pipelines.pipeline_definition import Pipeline

from tabular.errors import UserError, nearest


def keep_steps(pipeline: Pipeline, only: Collection[str], until: str | None) -> None:
    """Remove the other steps from a composed pipeline.

    If an input comes from a removed step, the newest artifact of that name takes its place.

    Args:
        pipeline: the composed pipeline, which is changed in place.
        only: the steps to keep; all steps if empty.
        until: the last step to keep, together with all steps that it needs.

    Raises:
        UserError: a step does not exist, or no run has made an artifact that is needed.
    """
    steps = pipeline.invocations
    for name in (*only, *([until] if until else ())):
        if name not in steps:
            near = nearest(name, steps)
            raise UserError(f"there is no step '{name}'; the nearest is '{near}', and there are {', '.join(steps)}")
    kept = set(only) if only else _with_upstream(pipeline, until) if until else set(steps)
    for name in [name for name in steps if name not in kept]:
        del steps[name]
    for name, step in steps.items():
        step.upstream_steps &= kept
        for key, artifact in list(step.input_artifacts.items()):
            assert not isinstance(artifact, list), "no step of this project takes a list of artifacts"
            if artifact.invocation_id not in kept:
                del step.input_artifacts[key]
                step.external_artifacts[key] = _needed(artifact.output_name, artifact.invocation_id, name)


def _with_upstream(pipeline: Pipeline, name: str) -> set[str]:
    needed = {name}
    for upstream in pipeline.invocations[name].upstream_steps:
        needed |= _with_upstream(pipeline, upstream)
    return needed


def newest(artifact: str) -> ArtifactVersionResponse | None:
    """The newest version of an artifact in the active stack's store; other stacks' stores may be unreachable."""
    client = Client()
    [store] = client.active_stack_model.components[StackComponentType.ARTIFACT_STORE]
    found = client.list_artifact_versions(
        artifact=artifact, artifact_store_id=store.id, sort_by="desc:created", size=1, hydrate=True
    ).items
    return found[0] if found else None


def _needed(artifact: str, maker: str, user: str) -> ArtifactVersionResponse:
    found = newest(artifact)
    if found is None:
        raise UserError(
            f"step '{user}' needs the artifact '{artifact}', and no run has made one yet on this stack; "
            f"run step '{maker}' first: --until {maker}"
        )
    return found
