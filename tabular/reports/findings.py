"""All reports of one training run in one record."""

from collections.abc import Iterable
from typing import Self

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
    """What the steps of one training run found out, from the data to the gate's decision."""

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

    @classmethod
    def of(cls, reports: Iterable[Report]) -> Self:
        """The findings from one report of each kind, in any order.

        A step takes the reports as one input, `reports: list[Any]`, to which the pipeline hands a list of artifacts:
        each of them stays an artifact of its own, and ZenML loads it with its own type.

        Raises:
            pydantic.ValidationError: a report is missing.
        """
        names = {field.annotation: name for name, field in cls.model_fields.items()}
        return cls.model_validate({names[type(report)]: report for report in reports})
