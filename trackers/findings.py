"""Everything a tracker is told about a run."""

import math
from dataclasses import dataclass
from typing import Any, Literal

from tabular.reports.registered import Registration
from tabular.reports.training import (
    BestParameters,
    Evaluation,
    FeatureReport,
    GateDecision,
    ImputationReport,
    Leaderboard,
    Provenance,
    SearchReport,
    ValidationReport,
)


@dataclass(frozen=True)
class Findings:
    """The reports of one run and the addresses of their pictures."""

    provenance: Provenance
    validation: ValidationReport
    imputation: ImputationReport
    features: FeatureReport
    leaderboard: Leaderboard
    best: BestParameters
    search: SearchReport
    evaluation: Evaluation
    decision: GateDecision
    registration: Registration
    seed: int
    trials: Literal["table", "runs"]
    """How W&B shows the trials; in MLflow each is a nested run, which costs next to nothing there."""
    pictures: dict[str, str]
    """File name to its address in the artifact store; PNG and HTML."""

    def parameters(self) -> dict[str, Any]:
        """What was chosen, by plain name."""
        return {
            "seed": self.seed,
            "data_source": self.provenance.data_source,
            "data_sha256": self.provenance.sha256,
            "rows": self.provenance.rows,
            "imputer": self.imputation.best,
            "clusters": self.features.clusters,
            "algorithm": self.best.algorithm,
            "target_transform": self.best.target_transform,
            **{f"best.{name}": value for name, value in self.best.parameters.items()},
        }

    def metrics(self) -> dict[str, float]:
        """Held-out metrics by plain name, the ends of their intervals, and what the choices rested on; all finite."""
        values: dict[str, float] = {}
        for name, interval in self.evaluation.metrics.items():
            values |= {name: interval.value, f"{name}.low": interval.low, f"{name}.high": interval.high}
        for score in self.imputation.scores:
            values[f"imputation.{score.column}.{score.strategy}.rmse"] = score.rmse
        for cluster in self.features.scores:
            if cluster.count == self.features.clusters:
                values |= {
                    "clusters.optimal": cluster.count,
                    "clusters.silhouette": cluster.silhouette,
                    "clusters.error": cluster.error,
                }
        values[f"selection.{self.leaderboard.metric}"] = self.leaderboard.winner.mean
        values[f"search.{self.search.metric}"] = self.search.trials[self.search.best].value
        return {name: value for name, value in values.items() if math.isfinite(value)}

    def tags(self) -> dict[str, str]:
        """What to find the run by."""
        return {
            "data_source": self.provenance.data_source,
            "gate": self.decision.decision,
            "model_name": self.registration.name,
            "model_version": self.registration.version,
        }
