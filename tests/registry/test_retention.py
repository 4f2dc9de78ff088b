"""What belongs to a version and to no other is found, and deleted with it; all else stays."""

from pathlib import Path
from typing import Annotated

import pytest
from mlflow.exceptions import MlflowException
from zenml import pipeline, step
from zenml.client import Client
from zenml.models import ArtifactVersionResponse

from registry import bento, plans, retention
from registry.history import Removal
from tabular.names import BENTO_NAME
from tests.support.registered import Registered, add, registered


@pytest.fixture
def made(tmp_path: Path) -> Registered:
    return registered(tmp_path / "registered", versions=2)


def removal(made: Registered, number: str) -> Removal:
    return retention.removals_of(made.client, [made.client.get_model_version(made.name, number)], made.folder)[0]


def model_folder(made: Registered, number: str) -> Path:
    source = made.client.get_model_version(made.name, number).source
    return Path(made.client.get_logged_model(source.removeprefix("models:/")).artifact_location)


def test_a_version_is_found_with_its_model_its_folder_and_its_bytes(made: Registered) -> None:
    # when
    found = removal(made, "1")

    # then
    version = made.client.get_model_version(made.name, "1")
    cached = made.folder / ".cache" / "bundles" / f"{made.name}-1"
    files = [*model_folder(made, "1").iterdir(), *cached.iterdir()]
    assert found == Removal(
        version="1",
        run_id=version.run_id,
        model_uri=version.source,
        folders=(f"bundles/{made.name}-1",),
        size=sum(file.stat().st_size for file in files),
    )


def test_what_was_found_is_deleted_and_the_other_version_stays(made: Registered) -> None:
    # given
    found, folder, other = removal(made, "1"), model_folder(made, "1"), model_folder(made, "2")
    assert found.model_uri is not None

    # when: twice, as after a crash
    retention.remove(found, made.client, made.folder)
    retention.remove(found, made.client, made.folder)

    # then
    assert not folder.exists()
    with pytest.raises(MlflowException, match="not found"):
        made.client.get_logged_model(found.model_uri.removeprefix("models:/"))
    assert (other / "MLmodel").read_text() == "model 2\n"
    assert [path.name for path in (made.folder / ".cache" / "bundles").iterdir()] == [f"{made.name}-2"]


def test_a_removal_that_was_killed_between_files_and_record_is_completed(made: Registered) -> None:
    # given: the files are gone, the record that tells where they lay is not
    found = removal(made, "1")
    (model_folder(made, "1") / "MLmodel").unlink()
    model_folder(made, "1").rmdir()

    # when
    retention.remove(found, made.client, made.folder)

    # then
    with pytest.raises(MlflowException, match="not found"):
        made.client.get_logged_model(str(found.model_uri).removeprefix("models:/"))


def test_a_model_that_another_version_shares_is_not_part_of_the_removal(made: Registered) -> None:
    # given: a second registered model with a version of the same files
    shared = made.client.get_model_version(made.name, "1").source
    made.client.create_registered_model("copies")
    made.client.create_model_version("copies", shared)

    # then
    assert removal(made, "1").model_uri is None
    assert removal(made, "2").model_uri is not None


def test_two_that_are_deleted_together_do_not_protect_each_other(made: Registered) -> None:
    # given
    first = made.client.get_model_version(made.name, "1")
    made.client.create_model_version(made.name, first.source)
    doomed = [made.client.get_model_version(made.name, number) for number in ("1", "3")]

    # when
    found = retention.removals_of(made.client, doomed, made.folder)

    # then: the first names what they share
    assert [one.model_uri for one in found] == [first.source, None]


def test_only_the_bento_of_this_very_bundle_is_deleted(made: Registered) -> None:
    # given: the stored models of version 1 and of another registered model's version 1
    sha256 = made.tags("1")["bundle_sha256"]
    mine, foreign = (bento.keep(made.folder / "bundles" / "1", f"1-{hash_}") for hash_ in (sha256[:12], "0" * 12))
    found = removal(made, "1")

    # when
    retention.remove(found, made.client, made.folder)
    retention.remove(found, made.client, made.folder)

    # then
    import bentoml

    assert found.bentos == (mine,)
    assert found.size > removal(made, "2").size
    assert [str(model.tag) for model in bentoml.models.list(BENTO_NAME)] == [foreign]
    bentoml.models.delete(foreign)


@step
def fit() -> Annotated[str, "model"]:
    return "fitted"


@step
def register(model: str) -> Annotated[str, "registration"]:
    return f"version of {model}"


@step
def package(model: str) -> Annotated[str, "bundle"]:
    return f"bundle of {model}"


@pipeline(enable_cache=True)
def training() -> None:
    model = fit()
    register(model)
    package(model)


def outputs(run: str) -> dict[str, ArtifactVersionResponse]:
    found = Client().get_pipeline_run(run).steps
    return {
        step.outputs[name][0].artifact.name: step.outputs[name][0] for step in found.values() for name in step.outputs
    }


def train() -> str:
    run = training()
    assert run is not None
    return str(run.name)


@pytest.mark.slow
def test_the_artifacts_of_a_run_are_deleted_with_its_version_and_the_next_run_makes_them_again(
    made: Registered,
) -> None:
    # given: a run, and a second one that took everything from the cache
    first = train()
    second = train()
    assert {name: version.id for name, version in outputs(second).items()} == {
        name: version.id for name, version in outputs(first).items()
    }
    version, another = (add(made, zenml_run=run) for run in (first, second))
    assert removal(made, "3").artifacts == (), "version 4 uses the same"

    # when: both are deleted at once
    [one, two] = retention.removals_of(made.client, [version, another], made.folder)
    files = [Path(outputs(first)[name].uri) for name in ("model", "bundle")]
    kept = Path(outputs(first)["registration"].uri)
    expected = sorted(str(outputs(first)[name].id) for name in ("model", "bundle"))
    releases = made.releases
    for _ in range(2):  # the second time as after a crash
        plan = plans.remove(releases.settle(), [one, two], "delete")
        releases.change(plan, "too old", releases.settle())

    # then: they are gone, and the rest of the run is not
    assert (sorted(one.artifacts), two.artifacts) == (expected, ())
    assert one.size > 0 and not any(path.exists() for path in files) and kept.exists()
    assert set(outputs(first)) == {"registration"}
    assert made.numbers == ["1", "2"]

    # and: nothing is taken from the cache that names what is gone
    third = Client().get_pipeline_run(train())
    assert {step.name: str(step.status) for step in third.steps.values()} == {
        "fit": "completed",
        "register": "completed",
        "package": "completed",
    }
    assert outputs(third.name)["model"].load() == "fitted"
