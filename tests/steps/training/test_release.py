"""The steps after the gate, called in their order: the model is registered, packaged, promoted and tracked."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient
from zenml.types import MarkdownString

from materializers.bundle import FOLDER
from registry.history import champions
from registry.releases import Releases
from registry.store import LocalStore
from steps.training import package as package_module
from steps.training import promote as promote_module
from steps.training import register as register_module
from steps.training import track as track_module
from tabular.bundles.bundle import read
from tabular.config import stages
from tests.support.contexts import step_context
from tests.support.way import TARGET
from trackers import mlflow_tracker

GATE = stages.GateConfig(metric="rmse", limits={"r2": 0.5})


@pytest.fixture(scope="module")
def released(way: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The artifacts of the four steps by name, and the releases that they changed."""
    folder: Path = tmp_path_factory.mktemp("released")
    uri, before = f"sqlite:///{folder}/mlflow.db", mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(uri)
    client = MlflowClient(uri, uri)
    experiment = client.create_experiment("training", (folder / "runs").as_uri())
    made: dict[str, Any] = {}
    context = step_context(model="a" * 64, train_rows="b" * 64, test_rows="c" * 64, bundle=str(folder / "artifact"))
    with pytest.MonkeyPatch.context() as patched:
        for module in (register_module, promote_module):
            patched.setattr(module, "get_step_context", lambda: context)
        for module in (register_module, package_module, promote_module):
            patched.setattr(module, "log_metadata", lambda **_: None)
        patched.setattr(register_module, "registry_client", lambda: client)
        patched.setattr(package_module, "ROOT", folder)
        patched.setattr(
            package_module.bento, "build", lambda version: f"stackhouse:{version}"
        )  # another program's work
        patched.setattr(
            promote_module,
            "open_releases",
            lambda name: Releases(client, LocalStore(folder / "store"), name),
        )
        patched.setattr(track_module.active, "sender", lambda tracker: mlflow_tracker)
        with mlflow.start_run(experiment_id=experiment):
            made["registration"], made["config"], made["card"], made["findings"], made["pictures"] = (
                register_module.register.entrypoint(
                    *(way[name] for name in ("model", "train", "test", "provenance", "validation", "imputation")),
                    *(way[name] for name in ("features", "leaderboard", "search", "best", "validated", "evaluation")),
                    way["decision"],
                    TARGET,
                    GATE,
                    "homes",
                    1,
                )
            )
        made["bundle"], made["report"], made["bento"] = package_module.package.entrypoint(
            way["model"], way["train"], way["test"], made["config"], made["card"], TARGET
        )
        shutil.copytree(made["bundle"].path, folder / "artifact" / FOLDER)
        made["promotion"] = promote_module.promote.entrypoint(made["registration"], made["bundle"], way["decision"])
        with mlflow.start_run(experiment_id=experiment) as run:
            track_module.track.entrypoint(made["findings"], {}, made["registration"], "table", "mlflow", 1)
        made["tracked"] = client.get_run(run.info.run_id)
        made["releases"] = Releases(client, LocalStore(folder / "store"), "homes", folder)
        yield made
    mlflow.set_tracking_uri(before)


def test_the_version_has_its_config_its_card_and_all_reports(way: dict[str, Any], released: dict[str, Any]) -> None:
    version = released["releases"].client.get_model_version("homes", "1")
    assert (released["registration"].version, released["registration"].reused) == ("1", False)
    assert version.tags["model_sha256"] == "a" * 64 and version.tags["zenml_run"] == "a-run"
    assert isinstance(released["card"], MarkdownString) and version.description == released["card"]
    assert released["config"].metrics == way["evaluation"].metrics and released["config"].gate.config == GATE
    assert released["findings"].leaderboard == way["leaderboard"]
    assert released["pictures"]["model.png"] == "pictures/model.png"


def test_the_bundle_says_what_the_registry_says(released: dict[str, Any]) -> None:
    bundle = read(released["bundle"].path)
    assert (bundle.name, bundle.version, bundle.created) == ("homes", "1", released["config"].created)
    assert (released["bundle"].path / "card.md").read_text() == released["card"]
    assert released["bento"].startswith("stackhouse:1-") and released["report"].compiled


def test_the_first_version_that_the_gate_lets_pass_is_champion(released: dict[str, Any]) -> None:
    assert released["promotion"].alias == "champion" and released["promotion"].revision == 1
    assert champions(released["releases"].history.read()) == ["1"]
    assert released["releases"].written_manifest().champion.bundle.endswith(f"/artifact/{FOLDER}")


def test_the_tracker_is_told_the_same_figures(way: dict[str, Any], released: dict[str, Any]) -> None:
    tracked = released["tracked"].data
    assert tracked.metrics["r2"] == way["evaluation"].metrics["r2"].value
    assert tracked.tags["model_version"] == "1" and tracked.params["algorithm"] == "linear"
