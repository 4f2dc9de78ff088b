"""Cutting a real ZenML pipeline down to some of its steps."""

from collections.abc import Iterator
from typing import Annotated

import pytest
from zenml import pipeline, save_artifact, step
from zenml.client import Client
from zenml.config.global_config import GlobalConfiguration
from zenml.models import ArtifactVersionResponse
from zenml.pipelines.pipeline_definition import Pipeline

from commands.common.selection import keep_steps
from tabular.errors import UserError


@step
def begin() -> Annotated[int, "number"]:
    return 1


@step
def double(number: int) -> Annotated[int, "twice"]:
    return 2 * number


@step
def other(number: int) -> Annotated[int, "beside"]:
    return number


@step
def finish(twice: int, beside: int) -> Annotated[int, "end"]:
    return twice + beside


@pipeline(name="counting")
def counting() -> None:
    number = begin()
    finish(double(number), other(number, after=["double"]))


def _forget() -> None:
    """ZenML keeps its configuration and its client for the life of a process."""
    GlobalConfiguration._reset_instance()
    Client._reset_instance()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A ZenML store in which nothing was ever made but one artifact."""
    folder = tmp_path_factory.mktemp("selection")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZENML_CONFIG_PATH", str(folder / "zenml"))
        patch.setenv("ZENML_REPOSITORY_PATH", str(folder))
        _forget()
        save_artifact(6, "twice")
        save_artifact(7, "twice")
        yield
    _forget()


@pytest.fixture
def prepared(store: None) -> Pipeline:
    prepared: Pipeline = counting.copy() if hasattr(counting, "copy") else counting
    prepared.prepare()
    return prepared


def test_all_steps_are_kept_unless_some_are_asked_for(prepared: Pipeline) -> None:
    keep_steps(prepared, only=(), until=None)
    assert list(prepared.invocations) == ["begin", "double", "other", "finish"]


@pytest.mark.parametrize(
    ("until", "kept"),
    [("begin", ["begin"]), ("double", ["begin", "double"]), ("finish", ["begin", "double", "other", "finish"])],
)
def test_until_keeps_what_a_step_needs(prepared: Pipeline, until: str, kept: list[str]) -> None:
    keep_steps(prepared, only=(), until=until)
    assert list(prepared.invocations) == kept


def test_until_keeps_what_a_step_only_waits_for(prepared: Pipeline) -> None:
    keep_steps(prepared, only=(), until="other")
    assert set(prepared.invocations) == {"begin", "double", "other"}


def test_only_takes_the_newest_artifact_of_a_step_that_is_left_out(prepared: Pipeline) -> None:
    # when
    keep_steps(prepared, only=("begin", "other", "finish"), until=None)

    # then
    kept = prepared.invocations["finish"]
    assert set(prepared.invocations) == {"begin", "other", "finish"}
    newest = kept.external_artifacts["twice"]
    assert isinstance(newest, ArtifactVersionResponse) and newest.load() == 7
    assert "twice" not in kept.input_artifacts and "beside" in kept.input_artifacts
    assert kept.upstream_steps == {"other"}
    assert prepared.invocations["other"].upstream_steps == {"begin"}


def test_an_artifact_that_no_run_has_made_is_named(prepared: Pipeline) -> None:
    with pytest.raises(UserError, match="step 'double' needs the artifact 'number'.*--until begin"):
        keep_steps(prepared, only=("double",), until=None)


@pytest.mark.parametrize(("only", "until"), [(("begin", "dubble"), None), ((), "dubble")])
def test_an_unknown_step_is_told_the_nearest(prepared: Pipeline, only: tuple[str, ...], until: str | None) -> None:
    with pytest.raises(UserError, match="no step 'dubble'; the nearest is 'double', and there are begin, double"):
        keep_steps(prepared, only, until)
