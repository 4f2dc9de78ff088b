"""The pipeline from the prediction log to a verdict."""

from zenml import pipeline
from zenml.enums import ExecutionMode

from steps.monitoring.assess import assess
from steps.monitoring.drift_report import drift_report
from steps.monitoring.notify import notify
from steps.monitoring.observe import observe
from steps.monitoring.track_verdict import track_verdict
from tabular.config.monitoring import MonitoringConfig
from trackers.active import tracker_names


@pipeline(name="monitoring", enable_cache=False, execution_mode=ExecutionMode.FAIL_FAST)
def monitoring(monitoring: MonitoringConfig) -> None:
    """Judge a window of the prediction log. No step is cached, because ZenML does not know what is in the log."""
    window, sample = observe(monitoring)
    verdict = assess(window, monitoring)
    notify(verdict, monitoring)
    page = drift_report(verdict, sample, monitoring.seed)
    for tracker in tracker_names():
        track_verdict.with_options(experiment_tracker=tracker)(verdict, page, tracker, id=f"track_{tracker}")
