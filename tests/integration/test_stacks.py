"""One command on every stack: the same model, and artifacts, runs and versions where the stack says.

The bucket is a Google Cloud Storage emulator and the MLflow server is a real one, both on this machine.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from gcsfs.core import GCSFileSystem  # gcsfs.GCSFileSystem may be the one that speaks gRPC
from mlflow import MlflowClient

from stacks import emulation, files, registration
from tests.support.cloud_variables import CLOUD
from tests.support.emulated_buckets import pids
from tests.support.ports import free_port
from tests.support.project import ROOT
from tests.support.runs import Repository, Trained
from tests.support.wandb_reader import read_run

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Cloud:
    """The trained repository beside a cloud of its own on this machine, with every stack applied that can be."""

    project: Repository
    command: list[str]
    environment: dict[str, str]
    applied: subprocess.CompletedProcess[str]
    """What `stacks apply` said."""
    gcs_port: int
    mlflow_port: int

    @property
    def folder(self) -> Path:
        return self.project.path / ".cache" / "cloud"

    def set(self, stack: str) -> None:
        with self.project.opened() as client:
            client.activate_stack(stack)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.project.run(*(arguments or self.command), env=self.environment)

    def up(self) -> None:
        emulation.up(self.folder, self.gcs_port, self.mlflow_port, "stackhouse")

    def mlflow(self) -> MlflowClient:
        address = f"http://127.0.0.1:{self.mlflow_port}"
        return MlflowClient(address, address)


@pytest.fixture(scope="module")
def cloud(trained: Trained) -> Iterator[Cloud]:
    project, ports = trained.project, (free_port(), free_port())
    environment = {
        "STACKHOUSE_GCS_PORT": str(ports[0]),
        "STACKHOUSE_MLFLOW_PORT": str(ports[1]),
        "COLUMNS": "200",
    }
    emulation.up(project.path / ".cache" / "cloud", *ports, "stackhouse")
    applied = project.run("stacks", "apply", env=environment)
    made = Cloud(project, trained.command, environment, applied, *ports)
    try:
        yield made
    finally:
        made.set("local")
        project.stop()
        emulation.down(made.folder)


@dataclass(frozen=True)
class Interrupted:
    """A run whose bucket died, the same command while it was gone, and again when it was back."""

    died: tuple[int, str]
    """Exit code and output."""
    versions_then: int
    """Registered models right after."""
    refused: subprocess.CompletedProcess[str]
    completed: dict[str, Any]
    """The summary."""


@pytest.fixture(scope="module")
def interrupted(cloud: Cloud) -> Interrupted:
    cloud.set("gcs-emulated")
    unbuffered = cloud.environment | {"PYTHONUNBUFFERED": "1"}
    process = cloud.project.start(sys.executable, "run.py", *cloud.command, env=unbuffered)
    assert process.stdout
    seen = []
    for line in process.stdout:
        seen.append(line)
        if "Step `impute` has started" in line:
            break
    os.kill(pids(cloud.folder)["gcs"], signal.SIGKILL)
    output, errors = process.communicate(timeout=120)
    versions = len(cloud.mlflow().search_model_versions())
    refused = cloud.run()
    cloud.up()
    finished = cloud.run()
    assert finished.returncode == 0, finished.stdout + finished.stderr
    died = (process.returncode, "".join([*seen, output, errors]))
    return Interrupted(died, versions, refused, cloud.project.summary())


@pytest.fixture(scope="module")
def with_wandb(cloud: Cloud) -> dict[str, Any]:
    """The summary of the same command on the stack with a second tracker."""
    cloud.set("local-wandb")
    finished = cloud.run()
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return cloud.project.summary()


def test_apply_registers_what_it_can(cloud: Cloud) -> None:
    # then
    assert cloud.applied.returncode == 0, cloud.applied.stderr
    said = cloud.applied.stdout
    assert "gcs-emulated: registered flavor 'gcsfs', registered artifact_store 'gcs_emulated'" in said
    assert "local: nothing to change" in said
    assert re.search(r"^cloud: left out: 8 environment variables are not set", said, re.MULTILINE)


def test_every_stack_gives_the_same_model(
    trained: Trained, with_wandb: dict[str, Any], interrupted: Interrupted
) -> None:
    # given
    stacks = {"local": trained.summary, "local-wandb": with_wandb, "gcs-emulated": interrupted.completed}

    # then: to the last digit, and byte for byte
    for stack, summary in stacks.items():
        assert summary["stack"] == stack
        assert summary["metrics"] == trained.summary["metrics"], stack
        assert summary["model"]["model_sha256"] == trained.summary["model"]["model_sha256"], stack


def test_artifacts_lie_in_the_bucket(cloud: Cloud, interrupted: Interrupted) -> None:
    # given
    bucket = GCSFileSystem(endpoint_url=f"http://127.0.0.1:{cloud.gcs_port}", token="anon")

    # then
    artifacts = interrupted.completed["artifacts"]
    assert len(artifacts) > 10
    for name, address in artifacts.items():
        assert address.startswith("gs://stackhouse/"), name
        assert bucket.find(address), name


def test_runs_and_versions_are_on_the_server(cloud: Cloud, interrupted: Interrupted) -> None:
    # given
    summary, client = interrupted.completed, cloud.mlflow()

    # when
    [version] = client.search_model_versions()
    run = client.get_run(str(version.run_id))

    # then
    assert version.tags["model_sha256"] == summary["model"]["model_sha256"]
    assert run.data.metrics["rmse"] == summary["metrics"]["rmse"]
    assert {item.path for item in client.list_artifacts(str(version.run_id), "pictures")}


def test_wandb_has_what_mlflow_has(cloud: Cloud, with_wandb: dict[str, Any]) -> None:
    # when: the run folder that waits for `wandb sync` is read back
    run = read_run(cloud.project.path / with_wandb["wandb"])

    # then
    for name, value in with_wandb["metrics"].items():
        assert run.summary[name] == value
    assert run.config["model.sha256"] == with_wandb["model"]["model_sha256"]
    assert run.summary["imputation.best"] == with_wandb["imputer"]
    assert len([name for name in run.summary if name.startswith("pictures/")]) >= 10
    # and: adding a tracker repeats no work
    assert list(with_wandb["seconds"]) == ["track_wandb"]


def test_check_reaches_the_real_servers(cloud: Cloud, interrupted: Interrupted) -> None:
    # when
    finished = cloud.run("stacks", "check", "gcs-emulated")

    # then
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "gs://stackhouse: wrote, read and deleted an object" in finished.stdout
    assert "experiments and models answer" in finished.stdout


def test_the_list_says_what_is_registered_and_active(cloud: Cloud) -> None:
    # given
    cloud.set("local-wandb")

    # when
    listed = cloud.run("stacks", "list")

    # then
    assert listed.returncode == 0, listed.stderr
    lines = {parts[2].strip(): parts for line in listed.stdout.splitlines() if len(parts := line.split("│")) > 4}
    assert {name: lines[name][3].strip() for name in ("cloud", "gcs-emulated", "local", "local-wandb")} == {
        "cloud": "not registered; 8 environment variables are not set",
        "gcs-emulated": "registered",
        "local": "registered",
        "local-wandb": "registered",
    }
    assert [name for name, parts in lines.items() if "*" in parts[1]] == ["local-wandb"]


def test_a_mistake_is_one_line(cloud: Cloud) -> None:
    # when
    refused = cloud.run("stacks", "check", "cloud-vertex")

    # then
    assert refused.returncode == 2
    [line] = [line for line in refused.stderr.splitlines() if line.startswith("error:")]
    assert "the stack 'cloud-vertex' is not registered; run `python run.py stacks apply cloud-vertex`" in line
    assert "Traceback" not in refused.stderr


def test_a_bucket_that_dies_in_a_run_leaves_no_half_model(cloud: Cloud, interrupted: Interrupted) -> None:
    # then: one clear error, and no trace of a model
    code, output = interrupted.died
    assert code == 1, output
    unreachable = f"cannot reach the artifact store gs://stackhouse at http://127.0.0.1:{cloud.gcs_port}"
    assert f"error: {unreachable}" in output
    assert "Traceback" not in output
    assert interrupted.versions_then == 0

    # and: while it is down nothing is begun
    assert interrupted.refused.returncode == 1
    assert "error: the stack 'gcs-emulated' cannot be used now" in interrupted.refused.stderr
    assert unreachable in interrupted.refused.stderr and "make cloud-up" in interrupted.refused.stderr

    # and: when it is back the run completes, and what was finished is not repeated
    assert {"ingest", "validate", "split"} <= set(interrupted.completed["cached"])
    assert len(cloud.mlflow().search_model_versions()) == 1


def test_with_the_registry_down_nothing_is_promoted_and_the_release_stays(
    cloud: Cloud, interrupted: Interrupted
) -> None:
    # given
    cloud.set("gcs-emulated")
    location = interrupted.completed["release"]["manifest"]
    bucket = GCSFileSystem(endpoint_url=f"http://127.0.0.1:{cloud.gcs_port}", token="anon", use_listings_cache=False)
    before = bucket.cat_file(location)
    os.killpg(pids(cloud.folder)["mlflow"], signal.SIGKILL)

    # when
    refused = cloud.run("models", "rollback", "--yes")
    cloud.up()

    # then: one line that says what is down, and what to do
    assert refused.returncode == 1 and "Traceback" not in refused.stdout + refused.stderr
    assert f"http://127.0.0.1:{cloud.mlflow_port}" in refused.stdout + refused.stderr
    assert "make cloud-up" in refused.stdout + refused.stderr

    # and: what is released is what was
    assert location.startswith("gs://stackhouse/releases/") and bucket.cat_file(location) == before


def test_a_cloud_that_is_not_there(cloud: Cloud, tmp_path: Path) -> None:
    # given: the stack registers although nothing of it can be reached
    away = {"STACKHOUSE_CONTAINER_REGISTRY": "registry.invalid/images", "WANDB_MODE": "online", "HOME": str(tmp_path)}
    with cloud.project.opened() as client:
        stack = files.resolve(files.read(ROOT, "cloud"), "cloud", CLOUD | away)
        registration.apply("cloud", stack)
        client.activate_stack("cloud")

    # when: the environment lacks what the clients read themselves
    lacking = cloud.project.run(*cloud.command, env=away)

    # then: one message lists all of it
    assert lacking.returncode == 2, lacking.stdout + lacking.stderr
    assert "2 environment variables that are not set" in lacking.stderr
    assert "GOOGLE_APPLICATION_CREDENTIALS: " in lacking.stderr and "KUBECONFIG: " in lacking.stderr
    assert "Traceback" not in lacking.stdout + lacking.stderr

    # when: it is there, in .env, and the cloud is not
    kube, google = tmp_path / "kube.yaml", tmp_path / "google.json"
    kube.write_text(KUBE)
    google.write_text(GOOGLE)
    dotenv = cloud.project.path / ".env"
    dotenv.write_text(f"KUBECONFIG={kube}\nGOOGLE_APPLICATION_CREDENTIALS={google}\n")
    checked = cloud.project.run("stacks", "check", "cloud", env=away, timeout=120)
    refused = cloud.project.run(*cloud.command, env=away, timeout=120)
    dotenv.unlink()

    # then: each component is named, and no secret is told
    assert (checked.returncode, refused.returncode) == (1, 1), refused.stdout + refused.stderr
    for what in ("cloud_gcs", "cloud_registry", "cloud_mlflow", "cloud_wandb", "cloud_builder", "cloud_kubernetes"):
        assert what in checked.stdout and what in refused.stderr
    assert "error: the stack 'cloud' cannot be used now" in refused.stderr
    told = "".join(f"{one.stdout}{one.stderr}" for one in (lacking, checked, refused))
    assert "mlflow-password" not in told and CLOUD["WANDB_API_KEY"] not in told


KUBE = """
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: cluster, context: {cluster: c, user: u}}]
"""
GOOGLE = '{"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "t"}'
