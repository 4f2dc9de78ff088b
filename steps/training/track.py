"""Send what the steps found out to one tracker of the active stack."""

from typing import Literal

from zenml import get_step_context, step

from materializers.caching import depends_on
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
from trackers import active
from trackers.findings import Findings


@step(cache_policy=depends_on(active))
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
    trials: Literal["table", "runs"],
    tracker: str,
    seed: int,
) -> None:
    """Params, metrics, every picture, the leaderboard and each trial.

    The step is instantiated once for each tracker of the stack.

    Args:
        provenance, validation_report, imputation_report, feature_report, leaderboard, best_parameters,
            search_report, evaluation, decision, registration: what is sent.
        trials: how W&B shows the trials.
        tracker: the name of the one that this step serves. ZenML's cache key holds a step's parameters but not its
            tracker: without this one, what was sent to one tracker would count as sent to the next.
        seed: the run's.
    """
    context = get_step_context()
    pictures = {
        item.uri.rpartition("/")[2]: item.uri
        for versions in context.inputs.values()
        for version in versions
        for item in version.visualizations or []
        if item.type in ("image", "html")
    }
    active.sender(tracker).send(
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
            trials=trials,
            pictures=pictures,
        )
    )
