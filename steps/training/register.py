"""Put the model into the registry."""

from typing import Annotated, Any

import pandas as pd
from sklearn.pipeline import Pipeline
from zenml import get_step_context, log_metadata, step
from zenml.types import MarkdownString

from materializers.caching import depends_on
from materializers.model_config import ModelConfigMaterializer
from registry import registering
from registry.mlflow_registry import registry_client
from registry.registering import TrainedModel, TrainingRecord
from tabular import names
from tabular.config.stages import GateConfig, TargetConfig
from tabular.learning.model_config import Artifacts, ModelConfig
from tabular.pages import card
from tabular.reports.findings import TrainingFindings
from tabular.reports.registered import Registration


@step(
    cache_policy=depends_on(registering, card),
    output_materializers={names.MODEL_CONFIG: ModelConfigMaterializer},
)
def register(
    model: Pipeline,
    train_rows: pd.DataFrame,
    test_rows: pd.DataFrame,
    reports: list[Any],
    target: TargetConfig,
    gate: GateConfig,
    model_name: str,
    seed: int,
) -> tuple[
    Annotated[Registration, names.REGISTRATION],
    Annotated[ModelConfig, names.MODEL_CONFIG],
    Annotated[MarkdownString, names.MODEL_CARD],
]:
    """Create a version with everything it needs. It gets its alias later, when it can be served.

    Args:
        model: the fitted pipeline.
        train_rows: for the signature, the input example and the record of the inputs.
        test_rows: for their hash, by which a later challenger knows whether a comparison is fair.
        reports: what the earlier steps found out.
        target: the target and the task.
        gate: how this version is judged, now and later.
        model_name: name in the registry.
        seed: random seed of the run.

    Returns:
        The version and its run, its `model_config.yaml`, and its card.
    """
    context = get_step_context()
    findings = TrainingFindings.of(reports)
    text = card.model_card(name=model_name, task=target.task, target=target.column, findings=findings, seed=seed)
    (trained,), (train,), (held_out,) = (context.inputs[name] for name in ("model", "train_rows", "test_rows"))
    run = context.pipeline_run
    record = TrainingRecord(
        run=run.name,
        model_version=str(run.model_version.id) if run.model_version else None,
        model_sha256=str(trained.content_hash),
        train_sha256=str(train.content_hash),
        held_out_sha256=str(held_out.content_hash),
        artifacts=Artifacts(train_rows=str(train.id), test_rows=str(held_out.id)),
    )
    registration, config = registering.register(
        registry_client(),
        TrainedModel(model_name, model, train_rows, len(test_rows), findings, target, gate, seed, text, record),
    )
    log_metadata(metadata={"registry": registration.model_dump()}, infer_model=True)
    return registration, config, MarkdownString(text)
