"""Applying and deleting stacks, in a ZenML configuration of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from zenml.client import Client
from zenml.enums import StackComponentType as Kind

from stacks import files, registration
from tabular.errors import UserError
from tests.support.cloud_variables import CLOUD
from tests.support.project import ROOT


def resolved(name: str, **environment: str) -> files.StackFile:
    return files.resolve(files.read(ROOT, name), name, environment)


def changed(changes: list[registration.StackChange]) -> dict[str, str]:
    return {change.what: change.action for change in changes if change.action != "keep"}


@pytest.mark.parametrize("name", ["local", "local-wandb", "gcs-emulated", "cloud"])
def test_a_stack_is_registered_once(repository: Path, name: str) -> None:
    # given: for the cloud no cloud can be reached, and none needs to be
    stack = resolved(name, **CLOUD)

    # when
    first, second = registration.apply(name, stack), registration.apply(name, stack)

    # then
    assert set(changed(first).values()) == {"register"}
    assert changed(second) == {}
    registered = Client().get_stack(name)
    for kind, parts in stack.components.items():
        assert [component.name for component in registered.components[Kind(kind)]] == [part.name for part in parts]


def test_mlflow_is_the_default_tracker_beside_wandb(repository: Path) -> None:
    # when
    registration.apply("local-wandb", resolved("local-wandb"))
    Client().activate_stack("local-wandb")

    # then: the MLflow registry demands it
    default = Client().active_stack.experiment_tracker
    assert default is not None and default.flavor == "mlflow"
    assert [tracker.flavor for tracker in Client().active_stack.experiment_trackers.values()] == ["mlflow", "wandb"]


def test_a_changed_value_updates_in_place(repository: Path) -> None:
    # given
    registration.apply("cloud", resolved("cloud", **CLOUD))
    before = Client().get_stack_component(Kind.ARTIFACT_STORE, "cloud_gcs")

    # when
    other = CLOUD | {"STACKHOUSE_BUCKET": "other", "GOOGLE_CLOUD_PROJECT": "p"}
    changes = registration.apply("cloud", resolved("cloud", **other))
    after = Client().get_stack_component(Kind.ARTIFACT_STORE, "cloud_gcs")

    # then
    assert changed(changes) == {"artifact_store 'cloud_gcs'": "update"}
    assert (after.id, after.configuration["path"], after.configuration["project"]) == (before.id, "gs://other", "p")

    # when: a value is taken away again
    registration.apply("cloud", resolved("cloud", **CLOUD))

    # then
    again = Client().get_stack_component(Kind.ARTIFACT_STORE, "cloud_gcs")
    assert "project" not in again.configuration


def test_secrets_are_zenmls_and_not_the_components(repository: Path) -> None:
    # given
    registration.apply("cloud", resolved("cloud", **CLOUD))

    # then
    tracker = Client().get_stack_component(Kind.EXPERIMENT_TRACKER, "cloud_wandb")
    assert tracker.configuration["api_key"] == "{{stackhouse_cloud_wandb.api_key}}"
    assert Client().get_secret("stackhouse_cloud_wandb").secret_values == {"api_key": CLOUD["WANDB_API_KEY"]}
    stored = str([component.configuration for component in Client().list_stack_components(hydrate=True, size=100)])
    assert "mlflow-password" not in stored and CLOUD["WANDB_API_KEY"] not in stored

    # when: the key changes
    changes = registration.apply("cloud", resolved("cloud", **(CLOUD | {"WANDB_API_KEY": "f" * 40})))

    # then
    assert changed(changes) == {"secret 'stackhouse_cloud_wandb'": "update"}
    assert Client().get_secret("stackhouse_cloud_wandb").secret_values == {"api_key": "f" * 40}


def test_an_apply_that_died_is_completed(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given: for each of the writes, a registration that was killed right after it
    stack = resolved("cloud", **CLOUD)
    writes = len(changed(registration.plan("cloud", stack)))
    assert writes > 6
    for done in range(1, writes):
        for change in [change for change in registration.plan("cloud", stack) if change.action != "keep"][:1]:
            change.carry_out()

        # then: what is left to do is one less each time
        assert len(changed(registration.plan("cloud", stack))) == writes - done

    # when
    registration.apply("cloud", stack)

    # then
    assert Client().get_stack("cloud").name == "cloud"
    assert changed(registration.plan("cloud", stack)) == {}


def test_delete_keeps_what_other_stacks_use(repository: Path) -> None:
    # given
    registration.apply("local", resolved("local"))
    registration.apply("local-wandb", resolved("local-wandb"))

    # when
    deleted = registration.delete("local-wandb", files.read(ROOT, "local-wandb"))

    # then
    assert deleted == ["stack 'local-wandb'", "experiment_tracker 'wandb'", "secret 'stackhouse_wandb'"]
    assert registration.find_stack("local") is not None
    assert registration.find_component(Kind.EXPERIMENT_TRACKER, "local_mlflow") is not None
    assert registration.delete("local-wandb", files.read(ROOT, "local-wandb")) == []

    # when: it is wanted again
    registration.apply("local-wandb", resolved("local-wandb"))

    # then
    assert registration.find_stack("local-wandb") is not None


def test_the_active_stack_is_not_deleted(repository: Path) -> None:
    # given
    registration.apply("local", resolved("local"))
    Client().activate_stack("local")

    # then
    with pytest.raises(UserError, match="'local' is the active stack: set another one first"):
        registration.delete("local", files.read(ROOT, "local"))


def with_component(kind: str, **component: Any) -> files.StackFile:
    parts = {"orchestrator": {"name": "default"}, "artifact_store": {"name": "default"}, kind: component}
    return files.StackFile.model_validate({"description": "d", "components": parts})


@pytest.mark.parametrize(
    ("stack", "message"),
    [
        (
            lambda: with_component("alerter", name="a", flavor="slakc"),
            "ZenML knows no flavor 'slakc' of alerter; `zenml alerter flavor list` lists them",
        ),
        (
            lambda: with_component("experiment_tracker", name="t", flavor="mlflow", configuration={"tracking": "x"}),
            "experiment_tracker 't': the flavor 'mlflow' has no setting 'tracking'; it has .*tracking_uri",
        ),
        (
            lambda: with_component(
                "experiment_tracker", name="t", flavor="mlflow", configuration={"tracking_uri": "https://host"}
            ),
            "experiment_tracker 't': .*authentication method",
        ),
        (
            lambda: with_component("artifact_store", name="s", flavor="gcsfs", configuration={"path": "gs://b"}),
            "ZenML knows no flavor 'gcsfs'",
        ),
        (
            lambda: with_component("orchestrator", name="elsewhere"),
            "orchestrator 'elsewhere' is not registered in ZenML, and its file gives no flavor",
        ),
        (
            lambda: with_component("artifact_store", name="s", flavor="gcsfs", source="stacks.files.StackFile"),
            "'stacks.files.StackFile' does not describe a flavor",
        ),
    ],
)
def test_nothing_is_registered_when_something_is_wrong(
    repository: Path, stack: Callable[[], files.StackFile], message: str
) -> None:
    # given
    before = Client().list_stack_components().total

    # when
    with pytest.raises(UserError, match=message):
        registration.apply("mine", stack())

    # then
    assert Client().list_stack_components().total == before
    assert registration.find_stack("mine") is None


def test_a_missing_package_is_found_before_anything_is_registered(repository: Path) -> None:
    # given: the lock of this project leaves out what only Vertex needs
    environment = CLOUD | {"GOOGLE_CLOUD_PROJECT": "p", "STACKHOUSE_VERTEX_LOCATION": "europe-west4"}
    stack = resolved("cloud-vertex", **environment)

    # when
    with pytest.raises(UserError, match=r"needs a package .*`pip install -r requirements-cloud.txt`"):
        registration.apply("cloud-vertex", stack)

    # then: ZenML itself would have registered it
    assert registration.find_component(Kind.ARTIFACT_STORE, "cloud_gcs") is None


def test_a_name_that_is_taken_by_another_flavor_is_refused(repository: Path) -> None:
    # given
    Client().create_stack_component("gcs_emulated", "local", Kind.ARTIFACT_STORE, {})

    # then
    with pytest.raises(UserError, match="artifact_store 'gcs_emulated' is registered with the flavor 'local'"):
        registration.apply("gcs-emulated", resolved("gcs-emulated"))
