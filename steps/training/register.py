"""Put the model into the registry."""

from typing import Annotated

import pandas as pd
from sklearn.pipeline import Pipeline
from zenml import get_step_context, log_metadata, step
from zenml.types import MarkdownString

from materializers.caching import depends_on
from materializers.model_config import ModelConfigMaterializer
from materializers.report import ReportMaterializer
from registry import registering
from registry.mlflow_registry import registry_client
from registry.registering import TrainedModel
from tabular import names
from tabular.config.stages import GateConfig, TargetConfig
from tabular.learning.model_config import Artifacts, ModelConfig
from tabular.pages import card as cards
from tabular.reports import training as reports
from tabular.reports.registered import Registration
from tabular.reports.training import TrainingFindings


@step(
    cache_policy=depends_on(registering, cards),
    output_materializers={names.MODEL_CONFIG: ModelConfigMaterializer, names.FINDINGS: ReportMaterializer},
)
def register(
    model: Pipeline,
    train_rows: pd.DataFrame,
    test_rows: pd.DataFrame,
    provenance: reports.Provenance,
    validation_report: reports.ValidationReport,
    imputation_report: reports.ImputationReport,
    feature_report: reports.FeatureReport,
    leaderboard: reports.Leaderboard,
    search_report: reports.SearchReport,
    best_parameters: reports.BestParameters,
    cross_validation: reports.CrossValidation,
    evaluation: reports.Evaluation,
    gate_decision: reports.GateDecision,
    target: TargetConfig,
    gate: GateConfig,
    model_name: str,
    seed: int,
) -> tuple[
    Annotated[Registration, names.REGISTRATION],
    Annotated[ModelConfig, names.MODEL_CONFIG],
    Annotated[MarkdownString, names.MODEL_CARD],
    Annotated[TrainingFindings, names.FINDINGS],
    Annotated[dict[str, str], names.PICTURES],
]:
    """Create a version with everything it needs. It gets its alias later, when it can be served.

    The training rows give the signature, the input example and the record of the inputs. The hash of the held-out rows
    is recorded, and tells a later challenger whether a comparison is fair.

    Returns:
        The version and its run, its `model_config.yaml`, its card, all reports in one, and the addresses of their
        pictures and pages by file name.
    """
    findings = TrainingFindings(
        provenance=provenance,
        validation_report=validation_report,
        imputation_report=imputation_report,
        feature_report=feature_report,
        leaderboard=leaderboard,
        search_report=search_report,
        best_parameters=best_parameters,
        cross_validation=cross_validation,
        evaluation=evaluation,
        gate_decision=gate_decision,
    )
    card = cards.model_card(name=model_name, task=target.task, target=target.column, findings=findings, seed=seed)
    inputs, run = get_step_context().inputs, get_step_context().pipeline_run
    (trained,), (train,), (held_out,) = inputs["model"], inputs["train_rows"], inputs["test_rows"]
    made = TrainedModel(
        name=model_name,
        pipeline=model,
        train_rows=train_rows,
        held_out_rows=len(test_rows),
        findings=findings,
        target=target,
        gate=gate,
        seed=seed,
        card=card,
        run=run.name,
        model_version=str(run.model_version.id) if run.model_version else None,
        model_sha256=str(trained.content_hash),
        train_sha256=str(train.content_hash),
        held_out_sha256=str(held_out.content_hash),
        artifacts=Artifacts(train_rows=str(train.id), test_rows=str(held_out.id)),
    )
    registration, config = registering.register(registry_client(), made)
    pictures = {
        item.uri.rpartition("/")[2]: item.uri
        for versions in inputs.values()
        for version in versions
        for item in version.visualizations or []
        if item.type in ("image", "html")
    }
    log_metadata(metadata={"registry": registration.model_dump()}, infer_model=True)
    return registration, config, MarkdownString(card), findings, pictures
