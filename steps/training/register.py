"""Put the model into the registry."""

import importlib.metadata
from datetime import UTC, datetime
from typing import Annotated

import mlflow
import pandas as pd
from mlflow.entities.model_registry import ModelVersion
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema, TensorSpec
from sklearn.pipeline import Pipeline
from zenml import get_step_context, log_metadata, step
from zenml.steps import StepContext

from materializers.caching import depends_on
from materializers.model_config import ModelConfigMaterializer
from registry import configs
from registry import mlflow_registry as registry
from registry.author import git_commit
from registry.stages import ZENML_VERSION
from tabular import names
from tabular.config.stages import GateConfig, TargetConfig
from tabular.learning.model_config import Artifacts, Data, Gate, ModelConfig, Runs, inputs_of
from tabular.pages import card
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
)
from tabular.storage.repository import ROOT
from tabular.table.tables import date_columns, numeric_columns

REQUIREMENTS = ("scikit-learn", "pandas", "numpy", "skops", "lightgbm", "xgboost-cpu", "pydantic")


@step(
    cache_policy=depends_on(configs, registry, card),
    output_materializers={names.MODEL_CONFIG: ModelConfigMaterializer},
)
def register(
    model: Pipeline,
    train_rows: pd.DataFrame,
    test_rows: pd.DataFrame,
    provenance: Provenance,
    imputation_report: ImputationReport,
    feature_report: FeatureReport,
    leaderboard: Leaderboard,
    search_report: SearchReport,
    best_parameters: BestParameters,
    evaluation: Evaluation,
    decision: GateDecision,
    target: TargetConfig,
    gate: GateConfig,
    model_name: str,
    seed: int,
) -> tuple[Annotated[Registration, names.REGISTRATION], Annotated[ModelConfig, names.MODEL_CONFIG]]:
    """Create a version with everything it needs. It has no alias yet: that is given when it can be served.

    A model that the registry already holds, byte for byte, gets no second version. So a run that is repeated after a
    crash ends with one version, whichever write it was killed at.

    Args:
        model: the fitted pipeline.
        train_rows: for the signature, the input example and the record of what went in.
        test_rows: only their hash, by which later challengers know whether a comparison is fair.
        provenance, imputation_report, feature_report, leaderboard, search_report, best_parameters, evaluation,
            decision: for tags and card.
        target: the target and the task.
        gate: how this version is to be judged, now and later.
        model_name: in the registry.
        seed: for the card.

    Returns:
        The version and its run; its `model_config.yaml`, which is also kept in the run and in `releases/`.
    """
    context = get_step_context()
    client = registry.registry_client()
    identity = {
        "model_sha256": str(context.inputs["model"][0].content_hash),
        "data_sha256": provenance.sha256,
        "held_out_sha256": str(context.inputs["test_rows"][0].content_hash),
    }
    text = card.model_card(
        name=model_name,
        task=target.task,
        target=target.column,
        provenance=provenance,
        imputation=imputation_report,
        features=feature_report,
        leaderboard=leaderboard,
        search=search_report,
        best=best_parameters,
        evaluation=evaluation,
        gate=decision,
        seed=seed,
    )
    known = registry.by_tags(client, model_name, identity)
    if known is None:
        tags = {
            **identity,
            **{f"metric.{name}": f"{interval.value:.6g}" for name, interval in evaluation.metrics.items()},
            "algorithm": best_parameters.algorithm,
            "target_transform": best_parameters.target_transform,
            "task": target.task,
            "data_source": provenance.data_source,
            "git_commit": git_commit(ROOT),
            "zenml_run": context.pipeline_run.name,
            "gate": decision.decision,
        }
        if context.pipeline_run.model_version is not None:
            tags[ZENML_VERSION] = str(context.pipeline_run.model_version.id)
        uri = _log(model, train_rows.drop(columns=target.column), target, text)
        version = mlflow.register_model(uri, model_name, tags=tags)
    else:
        version = known
    client.update_model_version(model_name, version.version, description=text)
    version = client.get_model_version(model_name, str(version.version))
    result = Registration(
        name=model_name,
        version=str(version.version),
        model_sha256=identity["model_sha256"],
        run_id=str(version.run_id),
        reused=known is not None,
    )
    config = ModelConfig(
        name=model_name,
        version=result.version,
        created=datetime.fromtimestamp(version.creation_timestamp / 1000, UTC).isoformat(timespec="seconds"),
        task=target.task,
        target=target.column,
        algorithm=best_parameters.algorithm,
        target_transform=best_parameters.target_transform,
        parameters=best_parameters.parameters,
        imputer=imputation_report.best,
        clusters=feature_report.clusters,
        seed=seed,
        metrics=evaluation.metrics,
        baseline=evaluation.baseline,
        gate=Gate(config=gate, decision=decision.decision, reason=decision.reasons[0]),
        inputs=inputs_of(train_rows, target.column),
        features=tuple(feature_report.columns),
        data=Data(
            source=provenance.data_source,
            location=provenance.location,
            sha256=provenance.sha256,
            rows=provenance.rows,
            train_rows=len(train_rows),
            held_out_rows=len(test_rows),
            train_sha256=str(context.inputs["train_rows"][0].content_hash),
            held_out_sha256=identity["held_out_sha256"],
        ),
        artifacts=_rows_of(context),
        model_sha256=identity["model_sha256"],
        runs=_runs(version, search_report),
        git_commit=version.tags["git_commit"],
    )
    configs.write(client, version, config)
    configs.export(ROOT, model_name, configs.FILE, config)
    log_metadata(metadata={"registry": result.model_dump()}, infer_model=True)
    return result, config


def _rows_of(context: StepContext) -> Artifacts:
    train, test = (str(context.inputs[name][0].id) for name in ("train_rows", "test_rows"))
    return Artifacts(train_rows=train, test_rows=test)


def _runs(version: ModelVersion, search: SearchReport) -> Runs:
    """Those that made the version; not the one that has made the same model again."""
    return Runs(
        zenml=version.tags["zenml_run"],
        mlflow=str(version.run_id),
        sweep=search.sweep_id,
        zenml_model_version=version.tags.get(ZENML_VERSION),
    )


def _log(model: Pipeline, inputs: pd.DataFrame, target: TargetConfig, text: str) -> str:
    """Store the model in the active MLflow run, with its card, and with our estimators so that it loads anywhere."""
    numbers = set(numeric_columns(inputs, target.column))
    columns: list[ColSpec | TensorSpec] = [
        ColSpec(DataType.double if name in numbers else DataType.string, name, required=False)
        for name in inputs.columns
    ]
    output = ColSpec(DataType.double if target.task == "regression" else DataType.string)
    example = inputs.head(5).astype({name: "float64" for name in inputs.columns if name in numbers})
    # The schema has no date that may be missing; the model takes text in ISO 8601 as well.
    example = example.assign(
        **{
            name: [None if pd.isna(moment) else moment.isoformat() for moment in example[name]]
            for name in date_columns(inputs, target.column)
        }
    )
    mlflow.log_text(text, "model_card.md")
    return registry.log(
        model,
        "model",
        signature=ModelSignature(inputs=Schema(columns), outputs=Schema([output])),
        input_example=example,
        pip_requirements=[f"{package}=={importlib.metadata.version(package)}" for package in REQUIREMENTS],
        code_paths=[str(ROOT / "tabular")],
    )
