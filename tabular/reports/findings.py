"""All reports of one training run in one record."""

from tabular.reports.report import Report
from tabular.reports.training import (
    BestParameters,
    CrossValidation,
    Evaluation,
    FeatureReport,
    GateDecision,
    ImputationReport,
    Leaderboard,
    Provenance,
    SearchReport,
    ValidationReport,
)


class TrainingFindings(Report):
    """The reports of all steps of one training run, from the data to the gate's decision."""

    provenance: Provenance
    validation_report: ValidationReport
    imputation_report: ImputationReport
    feature_report: FeatureReport
    leaderboard: Leaderboard
    search_report: SearchReport
    best_parameters: BestParameters
    cross_validation: CrossValidation
    evaluation: Evaluation
    gate_decision: GateDecision
