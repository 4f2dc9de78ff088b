"""What a run on a stack needs from the environment."""

import json
from pathlib import Path

import pytest
from zenml.client import Client

from stacks import files, needs, registration
from tests.support.cloud_variables import CLOUD
from tests.support.project import ROOT

pytestmark = pytest.mark.usefixtures("bare")


def missing(name: str, applied_with: dict[str, str], environment: dict[str, str]) -> dict[str, str]:
    file = files.read(ROOT, name)
    registration.apply(name, files.resolve(file, name, applied_with))
    return needs.missing(Client().get_stack(name), file, environment)


@pytest.fixture
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person whose home holds no credentials."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("CLOUDSDK_CONFIG", raising=False)
    return tmp_path


@pytest.mark.parametrize("name", ["local", "local-wandb", "gcs-emulated"])
def test_stacks_of_one_machine_need_nothing(repository: Path, nobody: Path, name: str) -> None:
    assert missing(name, {}, {}) == {}


def test_the_cloud_needs_what_its_clients_read_themselves(repository: Path, nobody: Path) -> None:
    # when
    found = missing("cloud", CLOUD, {})

    # then: all at once, each with what it is; what `apply` has taken over is not asked for again
    assert set(found) == {"GOOGLE_APPLICATION_CREDENTIALS", "KUBECONFIG"}
    assert "service account" in found["GOOGLE_APPLICATION_CREDENTIALS"]
    assert "'cluster'" in found["KUBECONFIG"]


def test_files_that_are_there_satisfy_it(repository: Path, nobody: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    (nobody / "kube.yaml").write_text("apiVersion: v1")
    adc = {"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "t"}
    (nobody / "google.json").write_text(json.dumps(adc))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(nobody / "google.json"))

    # then
    assert missing("cloud", CLOUD, {"KUBECONFIG": str(nobody / "kube.yaml")}) == {}
    # and: a variable that leads nowhere does not
    assert set(missing("cloud", CLOUD, {"KUBECONFIG": str(nobody / "gone.yaml")})) == {"KUBECONFIG"}


def test_a_secret_that_is_gone_names_its_variables(repository: Path, nobody: Path) -> None:
    # given
    missing("cloud", CLOUD, {})
    Client().delete_secret("stackhouse_cloud_mlflow")

    # when
    found = needs.missing(Client().get_stack("cloud"), files.read(ROOT, "cloud"), {})

    # then
    assert {"STACKHOUSE_MLFLOW_USERNAME", "STACKHOUSE_MLFLOW_PASSWORD"} <= set(found)
    assert found["STACKHOUSE_MLFLOW_PASSWORD"] == "that user's password"


def test_wandb_online_needs_a_key(repository: Path, nobody: Path) -> None:
    # then
    assert set(missing("local-wandb", {}, {"WANDB_MODE": "online"})) == {"WANDB_API_KEY"}
    assert missing("local-wandb", {"WANDB_API_KEY": CLOUD["WANDB_API_KEY"]}, {"WANDB_MODE": "online"}) == {}
