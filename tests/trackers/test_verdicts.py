"""What the trackers are sent of a verdict, read back from what their own clients leave."""

from pathlib import Path

import mlflow
import pytest
import wandb
from mlflow import MlflowClient

from tabular.reports.training import Interval
from tabular.reports.verdicts import MonitoringFinding, Performance, ServiceTraffic, Verdict
from tests.support.wandb_reader import read_runs
from trackers import mlflow_tracker, wandb_tracker

PAGE = "<!DOCTYPE html><title>drift</title><p>µ</p>"
SEEN = {
    "level": 2.0,
    "rows": 500.0,
    "retrain": 1.0,
    "missing.size of _it_": 0.25,
    "psi.size of _it_": 0.3,
    "p50_ms": 1.5,
    "p99_ms": 9.0,
    "rows_per_second": 0.5,
    "error_share": 0.0,
    "refused_share": 0.5,
    "wmape": 20.0,
    "wmape.low": 19.0,
    "wmape.high": 21.0,
}


@pytest.fixture
def verdict() -> Verdict:
    """An alert; the 95th percentile is not known."""
    counts = {
        "requests": 500,
        "rows": 500,
        "peak_requests": 9,
        "failed": 0,
        "fallback": 0,
        "refused": 500,
        "causes": {},
    }
    figures = {"p50_ms": 1.5, "p95_ms": None, "p99_ms": 9.0, "rows_per_second": 0.5}
    span = {"start": "2026-03-01T00:00:00.000+00:00", "end": "2026-03-02T00:00:00.000+00:00"}
    finding = MonitoringFinding(
        kind="missing", subject="size of 'it'", level="alert", measure="share", value=0.25, psi=0.3, words="missing"
    )
    performance = Performance(
        rows=300,
        metric="wmape",
        metrics={"wmape": Interval(value=20.0, low=19.0, high=21.0)},
        held_out={"wmape": 12.0},
        **span,
    )
    return Verdict(
        source="log",
        model="homes",
        version="3",
        rows=500,
        level="alert",
        reasons=["missing"],
        findings=[finding],
        traffic=ServiceTraffic.model_validate(counts | figures),
        performance=performance,
        retrain=True,
        **span,
    )


def test_mlflow_gets_figures_tags_and_both_files(verdict: Verdict, tmp_path: Path) -> None:
    # given the run that ZenML would have opened
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    try:
        client = MlflowClient()
        experiment = client.create_experiment("monitoring", (tmp_path / "artifacts").as_uri())

        # when
        with mlflow.start_run(experiment_id=experiment) as run:
            mlflow_tracker.send_verdict(verdict, PAGE)

        # then
        found = client.get_run(run.info.run_id)
        assert found.data.metrics == SEEN
        tags = {"model_name": "homes", "model_version": "3", "level": "alert", "window_end": verdict.end}
        assert tags.items() <= found.data.tags.items()
        folder = f"runs:/{run.info.run_id}"
        assert mlflow.artifacts.load_text(f"{folder}/drift_report.html") == PAGE
        assert Verdict.model_validate_json(mlflow.artifacts.load_text(f"{folder}/verdict.json")) == verdict
    finally:
        mlflow.set_tracking_uri(before)


def test_wandb_gets_figures_tags_and_the_page(
    verdict: Verdict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given the run that ZenML would have opened
    for name in ("DATA", "CACHE", "CONFIG"):
        monkeypatch.setenv(f"WANDB_{name}_DIR", str(tmp_path / name.lower()))
    wandb.init(project="prices", dir=tmp_path, mode="offline", settings=wandb.Settings(silent=True, console="off"))

    # when
    try:
        wandb_tracker.send_verdict(verdict, PAGE)
    finally:
        wandb.finish()
        wandb.teardown()

    # then
    [run] = read_runs(tmp_path / "wandb")
    assert SEEN.items() <= run.summary.items()
    assert {"model_name:homes", "model_version:3", "level:alert"} <= set(run.tags)
    assert run.file("drift_report").read_text() == PAGE
