"""The numbers and tags by which a tracker finds a verdict again."""

import math

from tabular.reports.verdicts import SEVERITY, Verdict
from trackers.figure_names import named


def figures(verdict: Verdict) -> dict[str, float]:
    """Every finite number of a verdict, under names that all trackers accept."""
    found = {"level": float(SEVERITY[verdict.level]), "rows": float(verdict.rows), "retrain": float(verdict.retrain)}
    for finding in verdict.findings:
        found[f"{finding.kind}.{finding.subject}"] = finding.value
        if finding.psi is not None:
            found[f"psi.{finding.subject}"] = finding.psi
    if verdict.traffic:
        for name in ("p50_ms", "p95_ms", "p99_ms", "rows_per_second", "error_share", "refused_share"):
            value = getattr(verdict.traffic, name)
            found[name] = math.nan if value is None else value
    if verdict.performance:
        for name, interval in verdict.performance.metrics.items():
            found |= {name: interval.value, f"{name}.low": interval.low, f"{name}.high": interval.high}
    return named({name: value for name, value in found.items() if math.isfinite(value)})


def tags(verdict: Verdict) -> dict[str, str]:
    """The model, its version and the level of a verdict."""
    return {"model_name": verdict.model, "model_version": verdict.version, "level": verdict.level}
