"""Train twice, promote, serve, roll back: through the command line, with the service running under load."""

import json
import sys
import threading
import urllib.error
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mlflow
import pytest
import yaml

from registry.history import HistoryEntry
from registry.release_checks import verify
from registry.releases import open_releases
from tests.support.bundles import eventually
from tests.support.ports import free_port
from tests.support.runs import Repository, Trained, overrides
from tests.support.served import Served

pytestmark = pytest.mark.slow

NAME = "life"
ROW = {"longitude": -122.2, "latitude": 37.9, "median_income": 8.3, "ocean_proximity": "NEAR BAY"}


@dataclass
class Life:
    """Two versions of one model, trained with different seeds; what was said when each was trained."""

    project: Repository
    first: dict[str, Any]
    second: dict[str, Any]

    @property
    def manifest(self) -> Path:
        return Path(self.first["release"]["manifest"])

    def champion(self) -> str:
        """Of the manifest."""
        version: str = json.loads(self.manifest.read_text())["champion"]["version"]
        return version

    def entries(self) -> list[HistoryEntry]:
        """The history, each entry checked against the one before it; nothing that is released may be damaged."""
        before = mlflow.get_tracking_uri()
        try:
            with self.project.opened():
                releases = open_releases(NAME, self.project.path)
                assert [finding for finding in verify(releases) if not finding.ok] == []
                return releases.history.read()
        finally:
            mlflow.set_tracking_uri(before)

    def models(self, *arguments: str, code: int = 0) -> Any:
        """`python run.py models … --output json`."""
        verb, *others = arguments
        finished = self.project.run("models", verb, *others, "--model", NAME, "--output", "json")
        assert finished.returncode == code, finished.stdout + finished.stderr
        return json.loads(finished.stdout) if finished.stdout else None


@pytest.fixture(scope="module")
def life(trained: Trained) -> Life:
    """Everything before the gate is cached for the first; the second has other rows for everything."""
    project = trained.project
    named = [*trained.command, *overrides(f"model.name={NAME}")]
    first = project.train(*named)
    return Life(
        project, first, project.train(*named, *overrides("seed=7", "selection.algorithms=[linear]", "search.trials=1"))
    )


@dataclass
class Load:
    """Clients that ask without a pause."""

    service: Served
    versions: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.ended.is_set():
            try:
                self.versions.append(str(self.service.ask("/predict", ROW)["model_version"]))
            except (urllib.error.URLError, OSError, KeyError, ValueError) as error:
                self.failures.append(repr(error))


@pytest.fixture
def served(life: Life) -> Iterator[Served]:
    """The service, which follows the release manifest."""
    port = free_port()
    process = life.project.start(
        sys.executable, "-m", "bentoml", "serve", "--port", str(port), env={"STACKHOUSE_MANIFEST": str(life.manifest)}
    )
    service = Served(process, port)
    try:
        service.wait()
        yield service
    finally:
        service.stop()


def test_the_first_version_is_released_and_the_second_is_judged_on_rows_that_neither_saw(life: Life) -> None:
    # then
    assert life.first["model"]["alias"] == "champion" and life.first["release"]["revision"] == 1
    assert life.second["gate"] in ("promote", "keep", "reject")
    assert "rows that neither was trained on" in life.second["gate_reasons"][0]
    manifest = json.loads(life.manifest.read_text())
    assert (manifest["name"], manifest["champion"]["version"]) == (NAME, life.first["model"]["version"])


def test_the_config_of_each_version_is_kept_and_compared(life: Life) -> None:
    # given
    folder = life.project.path / "releases" / NAME
    newest = yaml.safe_load((folder / "model_config.yaml").read_text())
    [made] = life.project.load(life.second["run"], "model_config.yaml")

    # then: the file in the repository is the newest version's, and its artifact says the same
    assert (newest["version"], newest["seed"], newest["model_sha256"]) == (
        "2",
        7,
        life.second["model"]["model_sha256"],
    )
    assert made.model_dump(mode="json") | {"aliases": []} == newest | {"aliases": []}
    assert newest["runs"]["zenml"] == life.second["run"]

    # when
    differs = life.project.run("models", "diff", "1", "2", "--model", NAME)

    # then
    assert differs.returncode == 0, differs.stderr
    assert "-seed: 42" in differs.stdout.splitlines() and "+seed: 7" in differs.stdout.splitlines()


def test_promote_and_roll_back_while_the_service_answers(life: Life, served: Served) -> None:
    # given
    load = Load(served)
    threads = [threading.Thread(target=load.run) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        before = life.champion()
        other = "2" if before == "1" else "1"
        assert eventually(lambda: before in load.versions)

        # when
        life.models("promote", other, "--to", "champion", "--force", "--reason", "to see it", "--yes")
        assert life.champion() == other and eventually(lambda: load.versions[-1] == other)
        life.models("rollback", "--yes")

        # then
        assert life.champion() == before and eventually(lambda: load.versions[-1] == before)
    finally:
        load.ended.set()
        for thread in threads:
            thread.join()
    assert load.failures == [] and set(load.versions) == {"1", "2"}
    assert life.models("release", "verify")["ok"]
    assert [entry.change.action for entry in life.entries()][-2:] == ["promote", "rollback"]


def test_the_promotion_pipeline_does_what_the_gate_says(life: Life) -> None:
    # given
    settings = overrides(f"promotion.model={NAME}", 'promotion.version="2"', "promotion.to=champion")
    life.models("promote", "1", "--to", "champion", "--force", "--reason", "start from the first", "--yes")

    # when
    finished = life.project.run("--config", "configs/promote.yaml", *settings)
    decided = life.second["gate"] == "promote"

    # then: the same decision as when it was trained, and an exit code that a scheduler understands
    assert finished.returncode == (0 if decided else 1), finished.stdout + finished.stderr
    assert life.champion() == ("2" if decided else "1")
    assert "rows that neither was trained on" in finished.stdout


def test_zenml_stages_follow_the_aliases(life: Life) -> None:
    # given
    life.models("rollback", "--to", "1", "--yes") if life.champion() != "1" else None

    # when
    with life.project.opened() as client:
        found = client.list_model_versions(model=NAME)
        stages = {
            version.run_metadata["registry"]["version"]: version.stage for version in found if version.run_metadata
        }

    # then
    assert stages["1"] == "production" and stages["2"] != "production"
