"""Send a verdict and its report to one tracker of the active stack."""

import math
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from zenml import step
from zenml.client import Client
from zenml.types import HTMLString

from tabular.reports.verdicts import SEVERITY, Verdict


@step(enable_cache=False)
def track_verdict(verdict: Verdict, drift_page: HTMLString, tracker: str) -> None:
    """Figures, tags, the verdict as JSON and the report as HTML; instantiated once for each tracker of the stack.

    Args:
        verdict: what was found.
        drift_page: Evidently's report.
        tracker: the name of the one that this step serves.
    """
    component = next(t for t in Client().active_stack.experiment_trackers.values() if t.name == tracker)
    SENDERS[component.flavor](verdict, str(drift_page))


def figures(verdict: Verdict) -> dict[str, float]:
    """Every finite number of a verdict by a name that trackers take."""
    found = {"level": float(SEVERITY[verdict.level]), "rows": float(verdict.rows), "retrain": float(verdict.retrain)}
    for finding in verdict.findings:
        subject = re.sub(r"[^\w.\- ]", "_", finding.subject)
        found[f"{finding.kind}.{subject}"] = finding.value
        if finding.psi is not None:
            found[f"psi.{subject}"] = finding.psi
    if verdict.traffic:
        for name in ("p50_ms", "p95_ms", "p99_ms", "rows_per_second", "error_share", "refused_share"):
            value = getattr(verdict.traffic, name)
            found[name] = math.nan if value is None else value
    if verdict.performance:
        for name, interval in verdict.performance.metrics.items():
            found |= {name: interval.value, f"{name}.low": interval.low, f"{name}.high": interval.high}
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _tags(verdict: Verdict) -> dict[str, str]:
    return {"model_name": verdict.model, "model_version": verdict.version, "level": verdict.level}


def _send_to_mlflow(verdict: Verdict, drift_page: str) -> None:
    import mlflow

    mlflow.log_metrics(figures(verdict))
    mlflow.set_tags(_tags(verdict) | {"window_start": verdict.start, "window_end": verdict.end})
    mlflow.log_text(verdict.model_dump_json(indent=1), "verdict.json")
    mlflow.log_text(drift_page, "drift_report.html")


def _send_to_wandb(verdict: Verdict, drift_page: str) -> None:
    import wandb

    run = wandb.run
    assert run is not None, "ZenML opens the run before the step"
    run.summary.update(figures(verdict) | {"window_start": verdict.start, "window_end": verdict.end})
    run.tags = (*(run.tags or ()), *(f"{name}:{value}"[:64] for name, value in _tags(verdict).items()))
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "drift_report.html")
        page.write_text(drift_page, encoding="utf-8")
        run.log({"drift_report": wandb.Html(str(page), inject=False)})


SENDERS: dict[str, Callable[[Verdict, str], None]] = {"mlflow": _send_to_mlflow, "wandb": _send_to_wandb}
"""How to send, by the tracker's flavor."""
