"""One run from a table to a registered model, with the real ZenML and MLflow."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import numpy as np
import pandas as pd
import pytest
from mlflow.models import Model
from sklearn.pipeline import Pipeline

from tabular.config.stages import REGRESSION_METRICS
from tabular.learning.imputation import ImputerPair
from tabular.reports.training import Evaluation, SearchReport
from tests.support.runs import Trained

pytestmark = pytest.mark.slow

ARTIFACTS = {
    "dataset", "provenance", "validation_report", "train_rows", "test_rows", "tuning_rows", "imputer",
    "imputation_report", "feature_pipeline", "feature_report", "leaderboard", "search_report", "best_params.yaml",
    "model", "cross_validation", "evaluation", "gate_decision", "registration", "model_config.yaml", "model_card.md",
    "findings", "pictures", "bundle", "package_report", "bento", "promotion",
}  # fmt: skip
STEPS = {
    "ingest", "validate", "split", "impute", "features", "select", "search", "fit", "evaluate", "gate", "register",
    "package", "promote", "track_local_mlflow",
}  # fmt: skip
PICTURES = {
    "validation_report": {"missing.png"},
    "imputation_report": {"imputation.png"},
    "feature_report": {"clusters.png"},
    "leaderboard": {"leaderboard.png"},
    "search_report": {"search_history.png"},
    "evaluation": {"predicted_against_actual.png", "residuals.png", "importances.png"},
}
PNG = b"\x89PNG\r\n\x1a\n"

PREDICT = """
import sys
import mlflow, numpy, pandas
uri, model, rows, answers = sys.argv[1:]
mlflow.set_tracking_uri(uri)
loaded = mlflow.pyfunc.load_model(model)
numpy.save(answers, numpy.asarray(loaded.predict(pandas.read_parquet(rows))))
"""


@pytest.fixture(scope="module")
def outputs(trained: Trained) -> dict[str, dict[str, Any]]:
    """Each artifact of the run: its value and the files of its visualizations by name."""
    found = {}
    with trained.project.opened() as client:
        for name, artifact in trained.project.outputs(client, trained.summary["run"]).items():
            shown = client.get_artifact_version(artifact.id).visualizations or []
            files = {item.uri.rpartition("/")[2]: Path(item.uri).read_bytes() for item in shown}
            found[name] = {"value": artifact.load(), "files": files}
    return found


@pytest.fixture(scope="module")
def linked(trained: Trained) -> set[str]:
    """Names of the artifacts that the run's ZenML model version links."""
    with trained.project.opened() as client:
        version = client.get_pipeline_run(trained.summary["run"]).model_version
        assert version is not None and version.model.name == "california-housing"
        links = client.list_model_version_artifact_links(model_version_id=version.id, size=100)
        return {link.artifact_version.artifact.name for link in links.items}


def test_the_run_says_what_it_did_and_where_to_look(trained: Trained, table: Path) -> None:
    # given / when: the run of the fixture
    said = trained.finished.stdout

    # then
    assert f"training with {table}" in said.splitlines()
    assert "stack: local" in said
    assert "model: california-housing version 1 as champion" in said
    assert "next: `zenml login --local`" in said
    assert "Traceback" not in said + trained.finished.stderr


def test_the_summary_is_as_the_design_says(trained: Trained, table: Path) -> None:
    # given
    summary = trained.summary

    # then: what ran, on what, and how good it is
    assert (summary["pipeline"], summary["stack"]) == ("training", "local")
    assert len(summary["config_sha256"]) == 64
    assert summary["data"]["data_source"] == "path"
    assert summary["data"]["location"] == str(table)
    assert summary["data"]["rows"] == 1500
    assert set(summary["metrics"]) == set(REGRESSION_METRICS)
    for name, value in summary["metrics"].items():
        low, high = summary["intervals"][name]
        assert low <= value <= high
    assert summary["metrics"]["r2"] > 0.6 > summary["baseline"]["r2"]

    # then: the choices
    assert summary["imputer"] in ("median", "mean", "knn", "iterative")
    assert summary["clusters"] in (None, 5, 10)
    assert summary["algorithm"] in ("linear", "lightgbm")
    assert summary["parameters"]
    assert summary["trials"]["started"] == 3 and summary["trials"]["resumed"] == 0

    # then: the model, the seconds, the cache and where things lie
    assert summary["model"]["name"] == "california-housing" and summary["model"]["version"] == "1"
    assert set(summary["seconds"]) == STEPS and all(seconds >= 0 for seconds in summary["seconds"].values())
    assert summary["cached"] == []
    assert all(Path(uri).is_dir() for uri in summary["artifacts"].values())
    assert summary["mlflow"] == trained.project.tracking_uri()
    kept = trained.project.path / "reports" / summary["run"] / "summary.json"
    assert json.loads(kept.read_text()) == summary


def test_every_artifact_of_the_design_is_there(trained: Trained, outputs: dict[str, dict[str, Any]]) -> None:
    assert set(outputs) == set(trained.summary["artifacts"]) == ARTIFACTS


@pytest.mark.parametrize("report", PICTURES)
def test_a_report_shows_its_pictures(
    trained: Trained, outputs: dict[str, dict[str, Any]], report: str, tmp_path: Path
) -> None:
    # given
    files = outputs[report]["files"]

    # then: in ZenML
    pictures = {name for name in files if name.endswith(".png")}
    assert pictures >= PICTURES[report]
    assert all(files[name].startswith(PNG) for name in pictures)

    # then: the same in MLflow
    client, run = trained.project.registry(), _tracked_run(trained)
    for name in pictures:
        copy = client.download_artifacts(run.info.run_id, f"pictures/{name}", str(tmp_path))
        assert Path(copy).read_bytes() == files[name]


def test_a_tree_model_is_explained_by_shap(outputs: dict[str, dict[str, Any]]) -> None:
    evaluation: Evaluation = outputs["evaluation"]["value"]
    assert evaluation.shap is not None
    assert "shap_summary.png" in outputs["evaluation"]["files"]
    assert b"<html" in outputs["evaluation"]["files"]["evaluation.html"][:200]


def test_the_imputer_is_the_pair(outputs: dict[str, dict[str, Any]]) -> None:
    # given
    pair, rows = outputs["imputer"]["value"], outputs["train_rows"]["value"]
    numbers = rows.drop(columns=["median_house_value", "ocean_proximity"]).to_numpy(dtype=float)
    assert np.isnan(numbers).any()

    # when
    scaled = numbers if pair.scaler is None else pair.scaler.transform(numbers)
    filled = pair.imputer.transform(scaled)

    # then
    assert isinstance(pair, ImputerPair)
    assert filled.shape == numbers.shape and not np.isnan(filled).any()


def test_held_out_rows_are_apart(outputs: dict[str, dict[str, Any]]) -> None:
    train, test = outputs["train_rows"]["value"], outputs["test_rows"]["value"]
    assert (len(train), len(test)) == (1200, 300)
    both = pd.concat([train, test]).sort_values(list(train.columns), ignore_index=True)
    whole = outputs["dataset"]["value"].sort_values(list(train.columns), ignore_index=True)
    pd.testing.assert_frame_equal(both, whole)


def test_the_best_parameters_are_those_of_the_best_trial(trained: Trained, outputs: dict[str, dict[str, Any]]) -> None:
    report, best = outputs["search_report"]["value"], outputs["best_params.yaml"]["value"]
    assert best.parameters == report.trials[report.best].parameters == trained.summary["parameters"]


def test_each_trial_is_a_nested_run(trained: Trained, outputs: dict[str, dict[str, Any]]) -> None:
    # given
    report: SearchReport = outputs["search_report"]["value"]
    client, parent = trained.project.registry(), _tracked_run(trained)

    # when
    nested = client.search_runs(
        [parent.info.experiment_id], f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'", order_by=["start_time"]
    )

    # then
    assert [run.info.run_name for run in nested] == ["trial-000", "trial-001", "trial-002"]
    for run, trial in zip(nested, report.trials, strict=True):
        assert run.data.params == {name: str(value) for name, value in trial.parameters.items()}
        assert run.data.metrics["wmape"] == pytest.approx(trial.value)
        assert run.data.metrics["seconds"] == pytest.approx(trial.seconds)
        assert run.info.end_time - run.info.start_time == pytest.approx(trial.seconds * 1000, abs=1)
        assert run.info.status == "FINISHED"
    assert [run.data.tags.get("best") for run in nested].index("true") == report.best


def test_the_tracked_run_holds_metrics_and_choices(trained: Trained) -> None:
    run = _tracked_run(trained)
    assert run.info.status == "FINISHED"
    for name, value in trained.summary["metrics"].items():
        assert run.data.metrics[name] == pytest.approx(value)
    assert run.data.params["algorithm"] == trained.summary["algorithm"]
    assert run.data.params["imputer"] == trained.summary["imputer"]
    assert run.data.tags["model_version"] == "1"


def test_the_version_can_be_found_by_its_tags(trained: Trained) -> None:
    # given
    project, summary = trained.project, trained.summary
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=project.path, capture_output=True, text=True, check=True)

    # when
    version = project.registry().get_model_version("california-housing", "1")

    # then
    assert version.tags["algorithm"] == summary["algorithm"]
    assert version.tags["data_source"] == "path"
    assert version.tags["data_sha256"] == summary["data"]["sha256"]
    assert version.tags["model_sha256"] == summary["model"]["model_sha256"]
    assert version.tags["git_commit"] == head.stdout.strip()
    assert version.tags["zenml_run"] == summary["run"]
    for name, value in summary["metrics"].items():
        assert float(version.tags[f"metric.{name}"]) == pytest.approx(value, rel=1e-5)
    card = version.description or ""
    assert card.startswith("# california-housing") and "## Limits and caveats" in card


def test_the_first_model_becomes_champion(trained: Trained) -> None:
    assert trained.summary["gate"] == "promote"
    assert trained.summary["model"]["alias"] == "champion"
    assert trained.aliases == {"champion": "1"}


def test_the_version_has_signature_example_and_card(trained: Trained, table: Path, tmp_path: Path) -> None:
    # given
    columns = [name for name in pd.read_csv(table, nrows=1).columns if name != "median_house_value"]
    client = trained.project.registry()

    # when
    version = client.get_model_version("california-housing", "1")
    location = client.get_logged_model(str(version.source).rpartition("/")[2]).artifact_location
    logged = Model.load(urlparse(location).path)

    # then
    assert logged.signature is not None
    assert logged.signature.inputs.input_names() == columns
    assert all(not column.required for column in logged.signature.inputs.inputs)
    assert logged.saved_input_example_info is not None
    card = client.download_artifacts(trained.summary["model"]["run_id"], "model_card.md", str(tmp_path))
    assert "# california-housing" in Path(card).read_text()


def test_mlflow_serves_the_very_model(trained: Trained, outputs: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    # given: held-out rows, and a process that knows nothing of the repository
    held_out, model = outputs["test_rows"]["value"], outputs["model"]["value"]
    assert isinstance(model, Pipeline)
    inputs = held_out.drop(columns="median_house_value")
    inputs.to_parquet(tmp_path / "rows.parquet")

    # when
    command = [sys.executable, "-P", "-c", PREDICT, trained.project.tracking_uri(), "models:/california-housing/1"]
    done = subprocess.run(
        [*command, str(tmp_path / "rows.parquet"), str(tmp_path / "answers.npy")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    # then
    assert done.returncode == 0, done.stderr
    answers = np.load(tmp_path / "answers.npy")
    np.testing.assert_array_equal(answers, model.predict(inputs))
    np.testing.assert_array_equal(answers, outputs["evaluation"]["value"].predicted)


def test_the_zenml_model_links_the_artifacts(linked: set[str]) -> None:
    assert linked >= ARTIFACTS


def _tracked_run(trained: Trained) -> Any:
    return trained.project.registry().get_run(trained.summary["model"]["run_id"])
