"""What training has packaged, behind HTTP: it answers as the pipeline that was trained."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tabular.bundles import bundle
from tests.support import imports
from tests.support.ports import free_port
from tests.support.runs import Trained
from tests.support.served import Served

pytestmark = pytest.mark.slow


NEWER = """
import bentoml

with bentoml.models.create("stackhouse:newer") as model:
    open(model.path_of("bundle.json"), "w").write("{}")
assert bentoml.models.get("stackhouse:latest").tag.version == "newer"
"""
"""Another model in the store, newer than that of the Bento, which nobody could serve."""


@pytest.fixture(scope="module")
def served(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`bentoml serve` with the Bento of the run, from a copy of its store that holds a newer model as well."""
    project, port = trained.project, free_port()
    home = tmp_path_factory.mktemp("store") / "bentoml"
    shutil.copytree(project.home / "bentoml", home)
    environment = {"BENTOML_HOME": str(home)}
    made = project.execute(sys.executable, "-c", NEWER, env=environment)
    assert made.returncode == 0, made.stderr
    command = (sys.executable, "-m", "bentoml", "serve", trained.summary["bento"], "--port", str(port))
    process = project.start(*command, env=environment)
    service = Served(process, port)
    try:
        service.wait()
        yield service
    finally:
        if process.poll() is None:
            service.stop()


def test_the_model_ships_compiled(trained: Trained) -> None:
    # when
    summary = trained.summary
    [report] = trained.project.load(summary["run"], "package_report")

    # then: it agrees with the original on every held-out row and on each variant
    assert summary["package"]["compiled"] is report.compiled is True
    assert report.parity.agrees and report.parity.held_out == 300
    assert report.parity.largest <= 1e-5
    assert {"held out", "total_bedrooms missing", "ocean_proximity unseen", "all missing"} <= set(report.parity.cases)
    assert summary["bento"].startswith(f"stackhouse:{summary['model']['version']}-")


def test_the_bento_holds_the_modules_that_the_service_imports_and_no_other(trained: Trained) -> None:
    # given
    source = trained.project.home / "bentoml" / "bentos" / trained.summary["bento"].replace(":", "/") / "src"

    # when
    held = {path.relative_to(source) for path in source.rglob("*.py")}

    # then
    assert held == imports.service()


def test_predictions_over_http_are_those_of_the_pipeline(trained: Trained, served: Served) -> None:
    # given: the held-out rows, and the model that was trained
    model, rows = trained.project.load(trained.summary["run"], "model", "test_rows")
    inputs = rows.drop(columns="median_house_value")
    wanted = model.predict(inputs)

    # when
    columns = {name: [None if value != value else value for value in inputs[name]] for name in inputs.columns}
    batch = np.asarray(served.ask("/predict_batch", {"columns": columns})["predictions"])
    single = [
        served.ask("/predict", {name: values[row] for name, values in columns.items()})["prediction"]
        for row in range(20)
    ]

    # then
    assert np.max(np.abs(batch / wanted - 1)) <= 1e-5
    assert np.max(np.abs(np.asarray(single) / wanted[:20] - 1)) <= 1e-5


def test_the_service_says_which_model_answers(trained: Trained, served: Served) -> None:
    # when
    info, health = served.ask("/model_info"), served.ask("/health")

    # then
    assert info["version"] == trained.summary["model"]["version"]
    assert info["model_sha256"] == trained.summary["model"]["model_sha256"]
    assert info["metrics"]["rmse"] == trained.summary["metrics"]["rmse"]
    assert [column["name"] for column in info["columns"]][:2] == ["longitude", "latitude"]
    assert health["status"] == "healthy" and health["source"] == "bento"


def test_a_store_that_was_lost_is_filled_from_the_artifact(trained: Trained, tmp_path: Path) -> None:
    # given: the Bento store is gone, the artifact store is not
    project, port = trained.project, free_port()
    with project.opened() as client:
        [newest] = client.list_artifact_versions(artifact="bundle", sort_by="desc:created", size=1, hydrate=True).items
        packaged = bundle.read(newest.load().path)
    _, aliases = project.registered(packaged.name)

    # when
    command = (sys.executable, "run.py", "serve", "--port", str(port))
    service = Served(project.start(*command, env={"BENTOML_HOME": str(tmp_path)}), port)
    try:
        service.wait()
        info = service.ask("/model_info")
    finally:
        service.stop()

    # then: the newest model, in the version that is released, and nothing was trained
    assert (info["name"], info["version"]) == (packaged.name, aliases.get("champion", packaged.version))
    with project.opened() as client:
        found = client.list_artifact_versions(artifact="bundle", sort_by="desc:created", size=1).items
        assert [one.id for one in found] == [newest.id]
