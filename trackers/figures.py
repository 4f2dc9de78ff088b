"""The parameters, metrics and tags that every tracker is sent, under names that each of them takes."""

import math
import re
from collections.abc import Mapping
from typing import Any

from tabular.reports.registered import Registration
from tabular.reports.training import TrainingFindings
from tabular.reports.verdicts import SEVERITY, Verdict

LONGEST = 250
"""Largest number of characters that MLflow takes."""


def figure_name(text: str) -> str:
    """Return a name that every tracker takes, with `_` for each character that one of them refuses.

    A slash and a colon are replaced as well: W&B would make a section of what precedes a slash, and MLflow refuses
    names that read like a path with empty parts.
    """
    return re.sub(r"[^\w.\- ]", "_", text)[:LONGEST]


def named(values: Mapping[str, float]) -> dict[str, float]:
    """Return the finite figures under names that every tracker takes; of two that get one name, the first is kept."""
    found: dict[str, float] = {}
    for name, value in values.items():
        if math.isfinite(value):
            found.setdefault(figure_name(name), value)
    return found


def parameters(findings: TrainingFindings, seed: int) -> dict[str, Any]:
    """The choices of the run; `best.NAME` is a parameter of the tuned estimator."""
    best = findings.best_parameters
    return {
        "seed": seed,
        "data_source": findings.provenance.data_source,
        "data_sha256": findings.provenance.sha256,
        "rows": findings.provenance.rows,
        "imputer": findings.imputation_report.best,
        "clusters": findings.feature_report.clusters,
        "algorithm": best.algorithm,
        "target_transform": best.target_transform,
        **{f"best.{name}": value for name, value in best.parameters.items()},
    }


def metrics(findings: TrainingFindings) -> dict[str, float]:
    """Held-out metrics with the ends of their intervals, and the figures that the choices rest on; all finite."""
    features, leaderboard, search = findings.feature_report, findings.leaderboard, findings.search_report
    values: dict[str, float] = {}
    for name, interval in findings.evaluation.metrics.items():
        values |= {name: interval.value, f"{name}.low": interval.low, f"{name}.high": interval.high}
    for score in findings.imputation_report.scores:
        values[f"imputation.{score.column}.{score.strategy}.rmse"] = score.rmse
    for cluster in features.scores:
        if cluster.count == features.clusters:
            values |= {
                "clusters.optimal": cluster.count,
                "clusters.silhouette": cluster.silhouette,
                "clusters.error": cluster.error,
            }
    values[f"selection.{leaderboard.metric}"] = leaderboard.winner.mean
    values[f"search.{search.metric}"] = search.trials[search.best].value
    return named(values)


def tags(findings: TrainingFindings, registration: Registration) -> dict[str, str]:
    """Tags to find the run by."""
    return {
        "data_source": findings.provenance.data_source,
        "gate": findings.gate_decision.decision,
        "model_name": registration.name,
        "model_version": registration.version,
    }


def verdict_metrics(verdict: Verdict) -> dict[str, float]:
    """Every finite number of a verdict."""
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
    return named(found)


def verdict_tags(verdict: Verdict) -> dict[str, str]:
    """Tags to find the verdict by."""
    return {"model_name": verdict.model, "model_version": verdict.version, "level": verdict.level}
