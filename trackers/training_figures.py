"""The parameters, metrics and tags of a training run, by plain name, for every tracker."""

import math
from typing import Any

from tabular.reports.registered import Registration
from tabular.reports.training import TrainingFindings
from trackers.figure_names import named


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
    return named({name: value for name, value in values.items() if math.isfinite(value)})


def tags(findings: TrainingFindings, registration: Registration) -> dict[str, str]:
    """Tags to find the run by."""
    return {
        "data_source": findings.provenance.data_source,
        "gate": findings.gate_decision.decision,
        "model_name": registration.name,
        "model_version": registration.version,
    }
