"""Send what the steps found out to one tracker of the active stack."""

from collections.abc import Callable

from zenml import get_step_context, step
from zenml.client import Client

from steps import mlflow_tracker
from steps.caching import depends_on
from steps.findings import Findings
from tabular.reports import (
    BestParameters,
    Evaluation,
    FeatureReport,
    GateDecision,
    ImputationReport,
    Leaderboard,
    Provenance,
    Registration,
    SearchReport,
    ValidationReport,
)

SENDERS: dict[str, Callable[[Findings], None]] = {"mlflow": mlflow_tracker.send}
"""How to send, by the tracker's flavor."""


@step(cache_policy=depends_on(mlflow_tracker))
def track(
    provenance: Provenance,
    validation_report: ValidationReport,
    imputation_report: ImputationReport,
    feature_report: FeatureReport,
    leaderboard: Leaderboard,
    best_parameters: BestParameters,
    search_report: SearchReport,
    evaluation: Evaluation,
    decision: GateDecision,
    registration: Registration,
    seed: int,
) -> None:
    """Params, metrics, every picture, the leaderboard and each trial.

    The step is instantiated once for each tracker of the stack; which one it serves stands in its configuration.

    Args:
        provenance, validation_report, imputation_report, feature_report, leaderboard, best_parameters,
            search_report, evaluation, decision, registration: what is sent.
        seed: the run's.
    """
    context = get_step_context()
    name = context.step_run.config.experiment_tracker
    tracker = next(t for t in Client().active_stack.experiment_trackers.values() if t.name == name)
    pictures = {
        item.uri.rpartition("/")[2]: item.uri
        for versions in context.inputs.values()
        for version in versions
        for item in version.visualizations or []
        if item.type in ("image", "html")
    }
    SENDERS[tracker.flavor](
        Findings(
            provenance=provenance,
            validation=validation_report,
            imputation=imputation_report,
            features=feature_report,
            leaderboard=leaderboard,
            best=best_parameters,
            search=search_report,
            evaluation=evaluation,
            decision=decision,
            registration=registration,
            seed=seed,
            pictures=pictures,
        )
    )
