"""The stack is there without anybody's work, and the user's choice of another one is respected."""

from collections.abc import Iterator

import pytest

from tests.support.runs import Repository, Trained

pytestmark = pytest.mark.slow


@pytest.fixture
def on_bare(trained: Trained) -> Iterator[Repository]:
    """The trained copy with a stack set that has no tracker and no registry, for a while."""
    done = trained.project.zenml("stack", "register", "bare", "-o", "default", "-a", "default", "--set")
    assert done.returncode == 0, done.stderr
    yield trained.project
    with trained.project.opened() as client:
        client.activate_stack("local")


def test_a_new_repository_gets_the_local_stack(trained: Trained) -> None:
    # given: a repository that was never initialised, and one run
    assert "stack: local" in trained.finished.stdout

    # when
    with trained.project.opened() as client:
        stack = client.get_stack("local")
        kinds = {kind.value: component.flavor_name for kind, [component] in stack.components.items()}
        tracker = client.active_stack.experiment_tracker

        # then: it is the active one, and nobody had to say where anything lies
        assert client.active_stack_model.name == "local"
        assert {name: kinds[name] for name in ("orchestrator", "artifact_store")} == {
            "orchestrator": "local",
            "artifact_store": "local",
        }
        assert (kinds["experiment_tracker"], kinds["model_registry"]) == ("mlflow", "mlflow")
        assert tracker is not None and tracker.config.model_dump()["tracking_uri"] is None


def test_a_stack_without_a_registry_is_refused_and_the_way_back_works(trained: Trained, on_bare: Repository) -> None:
    # when
    refused = on_bare.run(*trained.command)

    # then: one sentence says what is missing and what to type
    assert refused.returncode == 2, refused.stdout + refused.stderr
    [line] = [line for line in refused.stderr.splitlines() if line.startswith("error:")]
    assert "'bare' lacks an MLflow experiment tracker and an MLflow model registry" in line
    assert "`zenml stack set local`" in line
    assert "Traceback" not in refused.stdout + refused.stderr

    # when: one does what it says
    assert on_bare.zenml("stack", "set", "local").returncode == 0
    again = on_bare.run(*trained.command, "--until", "ingest")

    # then
    assert again.returncode == 0, again.stdout + again.stderr
    assert "stack: local" in again.stdout
