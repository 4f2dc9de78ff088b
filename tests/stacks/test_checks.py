"""Whether what a stack is made of can be reached: stand-ins answer here, a real MLflow in the integration tests."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from zenml.client import Client

from stacks import checks, files, registration
from stacks.checks import ComponentState
from tests.support.answers import answering
from tests.support.project import ROOT

KEY = "0123456789abcdef0123456789abcdef01234567"
MLFLOW = {"/api/2.0/mlflow/experiments/search": (200, {}), "/api/2.0/mlflow/registered-models/search": (200, {})}


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def check(name: str, environment: dict[str, str], only_remote: bool = False) -> dict[str, ComponentState]:
    """Apply a stack of the project and check it."""
    registration.apply(name, files.resolve(files.read(ROOT, name), name, environment))
    return {finding.what: finding for finding in checks.check(Client().get_stack(name), None, only_remote)}


def check_components(only_remote: bool = False, **components: Any) -> dict[str, ComponentState]:
    """Register a stack of ZenML's own orchestrator and store and of these components, and check it."""
    parts = {"orchestrator": {"name": "default"}, "artifact_store": {"name": "default"}, **components}
    stack = files.StackFile.model_validate({"description": "d", "components": parts})
    registration.apply("mine", stack)
    return {finding.what: finding for finding in checks.check(Client().get_stack("mine"), None, only_remote)}


def tracker(flavor: str, secrets: dict[str, str] | None = None, **configuration: Any) -> dict[str, Any]:
    return {"name": "t", "flavor": flavor, "configuration": configuration, "secrets": secrets or {}}


def mlflow(address: str) -> dict[str, Any]:
    return tracker("mlflow", tracking_uri=address, secrets={"tracking_username": "u", "tracking_password": "p"})


def test_the_local_stack_is_well_and_nothing_of_it_is_remote(
    repository: Path, bare: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: a busy machine may take its time to make MLflow's tables
    monkeypatch.setattr(checks, "SECONDS", 60.0)

    # when
    found = check("local", {})

    # then
    assert {finding.state for finding in found.values()} == {"ok"}, found
    assert "wrote, read and deleted" in found["artifact_store 'default'"].text
    assert not list((tmp_path / "zenml").rglob(".stackhouse*"))
    assert check("local", {}, only_remote=True) == {}


def test_wandb_without_a_key_is_offline(repository: Path, bare: None) -> None:
    # when
    found = check("local-wandb", {})["experiment_tracker 'wandb'"]

    # then
    assert (found.state, found.text.partition(":")[0]) == ("ok", "offline")


def test_nothing_of_an_emulated_cloud_answers_before_it_is_up(repository: Path, bare: None, free_port: int) -> None:
    # given
    ports = {"STACKHOUSE_GCS_PORT": str(free_port), "STACKHOUSE_MLFLOW_PORT": str(free_port)}

    # when
    found = check("gcs-emulated", ports, only_remote=True)

    # then
    assert set(found) == {
        "artifact_store 'gcs_emulated'",
        "experiment_tracker 'mlflow_emulated'",
        "model_registry 'mlflow_emulated'",
    }
    for finding in found.values():
        assert finding.state == "fails"
        assert f"http://127.0.0.1:{free_port}" in finding.text and "refused" in finding.text


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.mark.parametrize(
    ("answers", "state", "text"),
    [
        (MLFLOW, "ok", "experiments and models answer"),
        ({"/": (401, {})}, "fails", "refuses the login (401)"),
        ({}, "fails", "answered 404 and not as an MLflow server does"),
    ],
)
def test_an_mlflow_server_is_asked(
    repository: Path, answers: dict[str, tuple[int, Any]], state: str, text: str
) -> None:
    with answering(answers) as address:
        # when
        found = check_components(
            only_remote=True, experiment_tracker=mlflow(address), model_registry={"name": "r", "flavor": "mlflow"}
        )

    # then: the registry lies on the same server
    assert {finding.state for finding in found.values()} == {state}
    assert set(found) == {"experiment_tracker 't'", "model_registry 'r'"}
    assert text in found["experiment_tracker 't'"].text


@pytest.mark.parametrize(
    ("key", "answer", "state", "text"),
    [
        (KEY, (200, {"data": {"viewer": {"username": "ada"}}}), "ok", "logged in as ada"),
        (KEY, (200, {"data": {"viewer": None}}), "fails", "does not accept WANDB_API_KEY"),
        (KEY, (401, {}), "fails", "does not accept WANDB_API_KEY"),
        ("secret", (200, {}), "fails", "does not look like a key"),
    ],
)
def test_wandb_is_asked_who_the_key_belongs_to(
    repository: Path,
    bare: None,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
    answer: tuple[int, Any],
    state: str,
    text: str,
) -> None:
    with answering({"/graphql": answer}) as address:
        monkeypatch.setenv("WANDB_BASE_URL", address)

        # when
        wandb = tracker("wandb", {"api_key": key}, entity="e", project_name="p")
        found = check_components(experiment_tracker=wandb)["experiment_tracker 't'"]

    # then: and the key is not told
    assert found.state == state
    assert text in found.text and key not in found.text


def kubernetes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str) -> dict[str, Any]:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "mine", "context": {"cluster": "c", "user": "u"}}],
    }
    (tmp_path / "kube.yaml").write_text(yaml.safe_dump(config))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kube.yaml"))
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "kube.yaml"))
    return {"name": "k", "flavor": "kubernetes", "configuration": {"kubernetes_context": "mine"}}


def test_a_cluster_is_asked_for_its_version(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = ("buildDate", "compiler", "gitCommit", "gitTreeState", "goVersion", "major", "minor", "platform")
    version = dict.fromkeys(keys, "1")
    with answering({"/version": (200, version | {"gitVersion": "v1.31"})}) as address:
        # when
        found = check_components(orchestrator=kubernetes(tmp_path, monkeypatch, address))

    # then: and that it cannot reach ZenML's database is said as well
    assert found["orchestrator 'k'"].text == "context mine: Kubernetes v1.31"
    assert found["ZenML"].state == "fails" and "zenml login" in found["ZenML"].text


def test_a_server_that_is_silent_fails_in_time(repository: Path, monkeypatch: pytest.MonkeyPatch, silent: str) -> None:
    # given
    monkeypatch.setattr(checks, "SECONDS", 1.0)

    # when
    found = check_components(experiment_tracker=mlflow(silent))

    # then: what answers is reported all the same
    assert (found["experiment_tracker 't'"].state, found["experiment_tracker 't'"].text) == (
        "fails",
        "no answer within 1 seconds",
    )
    assert found["artifact_store 'default'"].state == "ok"


def test_a_container_registry_that_answers_anything_is_there(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given: registries speak HTTPS and ask for a login
    asked: list[str] = []

    def ask(address: str, headers: dict[str, str]) -> tuple[int, bytes]:
        asked.append(address)
        return 401, b""

    monkeypatch.setattr(checks, "ask", ask)
    registry = {"name": "c", "flavor": "gcp", "configuration": {"uri": "europe-docker.pkg.dev/project/images"}}

    # when
    found = check_components(container_registry=registry)["container_registry 'c'"]

    # then
    assert (found.state, asked) == ("ok", ["https://europe-docker.pkg.dev/v2/"])
