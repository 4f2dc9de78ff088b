"""What MLflow is sent, read back from its database."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from tests.support.findings import REGISTRATION, findings, pictures
from trackers import mlflow_tracker


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Run, list[Run]]]:
    """The run that ZenML would have opened, and the nested runs in the order of their names."""
    folder: Path = tmp_path_factory.mktemp("mlflow")
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    try:
        client = MlflowClient()
        experiment = client.create_experiment("prices", (folder / "artifacts").as_uri())
        with mlflow.start_run(experiment_id=experiment) as run:
            mlflow_tracker.send(findings(), REGISTRATION, pictures(folder / "pictures"), 42, "table")
        nested = client.search_runs([experiment], f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{run.info.run_id}'")
        yield client.get_run(run.info.run_id), sorted(nested, key=lambda found: str(found.info.run_name))
    finally:
        mlflow.set_tracking_uri(before)


def test_each_trial_is_a_nested_run_with_its_figures(sent: Any) -> None:
    _, trials = sent
    assert [trial.info.run_name for trial in trials] == ["trial-000", "trial-001", "trial-002", "trial-003"]
    assert {trial.info.status for trial in trials} == {"FINISHED"}
    assert [trial.data.tags["state"] for trial in trials] == ["complete", "complete", "complete", "pruned"]
    assert [trial.data.tags.get("best") for trial in trials] == [None, None, "true", None]
    last = trials[3]
    assert {name: last.data.metrics[name] for name in ("wmape", "seconds", "iterations")} == {
        "wmape": 20.0,
        "seconds": 3.0,
        "iterations": 1,
    }
    assert last.data.params["leaves"] == "11" and last.info.end_time - last.info.start_time == 3000


def test_a_trial_has_its_importances_under_names_that_mlflow_takes(sent: Any) -> None:
    _, trials = sent
    importances = {name: value for name, value in trials[3].data.metrics.items() if name.startswith("importance.")}
    assert importances == {"importance.rooms": 0.5, "importance.sea__1 km _ ö ___": 0.25, "importance.a__b": 0.125}
    assert not any(name.startswith("importance.") for name in trials[0].data.metrics)


def test_a_column_of_any_name_has_its_figures(sent: Any) -> None:
    run, _ = sent
    assert run.data.metrics["imputation.rooms.knn.rmse"] == 48.2
    assert run.data.metrics["imputation.sea__1 km _ ö ___.knn.rmse"] == 48.2
    assert run.data.metrics["clusters.optimal"] == 20
