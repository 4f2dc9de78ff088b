"""Scores a table, and compares it with the table of the training."""

from zenml import pipeline
from zenml.enums import ExecutionMode

from steps.batch.score import score
from steps.monitoring.assess import assess_batch
from steps.monitoring.drift_report import drift_report
from steps.monitoring.track_verdict import track_verdict
from tabular.config.batch import BatchConfig
from trackers.active import tracker_names


@pipeline(name="batch_inference", enable_cache=False, execution_mode=ExecutionMode.FAIL_FAST)
def batch_inference(batch: BatchConfig) -> None:
    """Score a table and judge it. No step is cached: the output folder records what is scored already."""
    report, sample = score(batch)
    verdict = assess_batch(report, batch)
    page = drift_report(verdict, sample, batch.seed)
    for tracker in tracker_names():
        track_verdict.with_options(experiment_tracker=tracker)(verdict, page, tracker, id=f"track_{tracker}")
