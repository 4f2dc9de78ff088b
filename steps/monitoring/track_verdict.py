"""Send a verdict and its report to one tracker of the active stack."""

from zenml import step
from zenml.types import HTMLString

from tabular.reports.verdicts import Verdict
from trackers.active import sender


@step(enable_cache=False)
def track_verdict(verdict: Verdict, drift_page: HTMLString, tracker: str) -> None:
    """Send figures, tags, the verdict as JSON and the report as HTML; each tracker has a step of its own."""
    sender(tracker).send_verdict(verdict, str(drift_page))
