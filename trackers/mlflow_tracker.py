"""Send a run's findings to MLflow."""

import datetime
import tempfile
from collections.abc import Mapping
from typing import Literal

import mlflow
import yaml
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID
from zenml.io import fileio

from tabular.reports.plain_json import json_text
from tabular.reports.registered import Registration
from tabular.reports.training import SearchReport, TrainingFindings
from tabular.reports.verdicts import Verdict
from trackers import figures
from trackers.figures import named


def send(
    findings: TrainingFindings,
    registration: Registration,
    pictures: Mapping[str, str],
    seed: int,
    trials: Literal["table", "runs"],
) -> None:
    """Log to the active MLflow run; each trial of the search becomes a nested run with its own start and end.

    Pictures go to `pictures`. A trial has the metric that was searched by, `seconds`, `iterations` and, for each of
    the columns that mattered most, `importance.COLUMN`. `active.Sender` documents the arguments; `trials` is not used,
    because a nested run costs next to nothing in MLflow.
    """
    mlflow.log_params(figures.parameters(findings, seed))
    mlflow.log_metrics(figures.metrics(findings))
    mlflow.set_tags(figures.tags(findings, registration))
    with tempfile.TemporaryDirectory() as folder:
        for name, uri in pictures.items():
            fileio.copy(uri, f"{folder}/{name}")
        mlflow.log_artifacts(folder, "pictures")
    mlflow.log_text(yaml.safe_dump(findings.best_parameters.model_dump(), sort_keys=False), "best_params.yaml")
    evaluation = findings.evaluation.model_dump(mode="json", include={"metrics", "slices"})
    mlflow.log_text(json_text(evaluation), "evaluation.json")
    rows = [candidate.model_dump(mode="json") for candidate in findings.leaderboard.candidates]
    columns = ("algorithm", "target_transform", "mean", "std", "seconds")
    mlflow.log_table({column: [row[column] for row in rows] for column in columns}, "leaderboard.json")
    _send_trials(findings.search_report)


def send_verdict(verdict: Verdict, drift_page: str) -> None:
    """Log a verdict to the active MLflow run: its figures and tags, and it and the drift report as files."""
    mlflow.log_metrics(figures.verdict_metrics(verdict))
    mlflow.set_tags(figures.verdict_tags(verdict) | {"window_start": verdict.start, "window_end": verdict.end})
    mlflow.log_text(json_text(verdict.model_dump(mode="json")), "verdict.json")
    mlflow.log_text(drift_page, "drift_report.html")


def _send_trials(search: SearchReport) -> None:
    run = mlflow.active_run()
    assert run is not None, "ZenML opens the run before the step"
    client = MlflowClient()
    for trial in search.trials:
        start = round(datetime.datetime.fromisoformat(trial.started).timestamp() * 1000)  # in milliseconds
        child = client.create_run(
            run.info.experiment_id,
            start_time=start,
            run_name=f"trial-{trial.number:03d}",
            tags={MLFLOW_PARENT_RUN_ID: run.info.run_id, "state": trial.state},
        )
        end = start + round(trial.seconds * 1000)
        importances = {f"importance.{column}": share for column, share in trial.importances.items()}
        values = {
            search.metric: trial.value,
            "seconds": trial.seconds,
            "iterations": trial.iterations,
            **named(importances),
        }
        client.log_batch(
            child.info.run_id,
            metrics=[Metric(name, float(value), end, 0) for name, value in values.items()],
            params=[Param(name, str(value)) for name, value in trial.parameters.items()],
            tags=[RunTag("best", "true")] if trial.number == search.best else [],
        )
        client.set_terminated(child.info.run_id, "FINISHED", end)
