"""Putting a trained model into the MLflow registry: the logged model, the version with its tags, its configuration."""

import importlib.metadata
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema, TensorSpec
from sklearn.pipeline import Pipeline

from registry import configs
from registry.author import git_commit
from registry.labels import HELD_OUT_SHA256, METRIC, ZENML_MODEL_VERSION, ZENML_RUN
from registry.mlflow_registry import with_tags
from tabular.config.stages import GateConfig, TargetConfig
from tabular.learning.model_config import Artifacts, Data, Gate, ModelConfig, Runs, inputs_of
from tabular.reports.registered import Registration
from tabular.reports.training import Interval, TrainingFindings
from tabular.storage.persistence import TRUSTED_TYPES
from tabular.storage.repository import ROOT
from tabular.table.tables import date_columns, numeric_columns

REQUIREMENTS = ("scikit-learn", "pandas", "numpy", "skops", "lightgbm", "xgboost-cpu", "pydantic")
"""Distributions that a stored model needs in order to load."""


@dataclass(frozen=True)
class TrainedModel:
    """A fitted pipeline with everything that the registry records of it."""

    name: str
    """Name in the registry."""
    pipeline: Pipeline
    train_rows: pd.DataFrame
    """Training rows with the target: for the signature, the input example and the record of the inputs."""
    held_out_rows: int
    """Number of held-out rows."""
    findings: TrainingFindings
    target: TargetConfig
    gate: GateConfig
    """How this version is judged, now and later."""
    seed: int
    card: str
    """The model card in Markdown."""
    run: str
    """Name of the pipeline run."""
    model_version: str | None
    """ZenML's id of its own model version, where the run has one."""
    model_sha256: str
    """Content hash of the fitted pipeline; those of the rows likewise."""
    train_sha256: str
    held_out_sha256: str
    artifacts: Artifacts
    """Where ZenML keeps the rows."""


def register(client: MlflowClient, trained: TrainedModel) -> tuple[Registration, ModelConfig]:
    """Create a version without an alias, and log the model, its card and its `model_config.yaml` to MLflow.

    A model that the registry already holds, byte for byte, gets no second version. So a run that is repeated after a
    crash ends with one version, whichever write it was killed at, and of several runs that register one model at once
    all end with the first one's version. A new model is logged to MLflow's active run.
    """
    identity = {
        "model_sha256": trained.model_sha256,
        "data_sha256": trained.findings.provenance.sha256,
        HELD_OUT_SHA256: trained.held_out_sha256,
    }
    known = with_tags(client, trained.name, identity)[:1]
    number = str(known[0].version) if known else _create(client, trained, identity)
    client.update_model_version(trained.name, number, description=trained.card)
    version = client.get_model_version(trained.name, number)
    config = config_of(trained, version)
    configs.write(client, version, config)
    registration = Registration(
        name=trained.name,
        version=number,
        model_sha256=trained.model_sha256,
        run_id=str(version.run_id),
        reused=bool(known),
    )
    return registration, config


def _create(client: MlflowClient, trained: TrainedModel, identity: dict[str, str]) -> str:
    """The number of a new version, or of that of another run which has registered the same model at the same time."""
    mine = mlflow.register_model(_log(trained), trained.name, tags={**identity, **_tags(trained)})
    number = str(with_tags(client, trained.name, identity)[-1].version)
    if number != str(mine.version):
        client.delete_model_version(trained.name, str(mine.version))
    return number


def config_of(trained: TrainedModel, version: ModelVersion) -> ModelConfig:
    """The configuration of a version, by which it is compared with others and judged."""
    findings, target = trained.findings, trained.target
    provenance, best, decision = findings.provenance, findings.best_parameters, findings.gate_decision
    return ModelConfig(
        name=trained.name,
        version=str(version.version),
        created=datetime.fromtimestamp(version.creation_timestamp / 1000, UTC).isoformat(timespec="seconds"),
        task=target.task,
        target=target.column,
        algorithm=best.algorithm,
        target_transform=best.target_transform,
        parameters=best.parameters,
        imputer=findings.imputation_report.best,
        clusters=findings.feature_report.clusters,
        seed=trained.seed,
        metrics=findings.evaluation.metrics,
        baseline=findings.evaluation.baseline,
        gate=Gate(config=trained.gate, decision=decision.decision, reason=decision.reasons[0]),
        inputs=inputs_of(trained.train_rows, target.column),
        features=tuple(findings.feature_report.columns),
        data=Data(
            source=provenance.data_source,
            location=provenance.location,
            sha256=provenance.sha256,
            rows=provenance.rows,
            train_rows=len(trained.train_rows),
            held_out_rows=trained.held_out_rows,
            train_sha256=trained.train_sha256,
            held_out_sha256=trained.held_out_sha256,
        ),
        artifacts=trained.artifacts,
        model_sha256=trained.model_sha256,
        runs=Runs(  # those that made the version first, where this run has made the same model again
            zenml=version.tags[ZENML_RUN],
            mlflow=str(version.run_id),
            sweep=findings.search_report.sweep_id,
            zenml_model_version=version.tags.get(ZENML_MODEL_VERSION),
        ),
        git_commit=version.tags["git_commit"],
    )


def _tags(trained: TrainedModel) -> dict[str, str]:
    findings = trained.findings
    return {
        **{f"{METRIC}{name}": f"{interval.value:.6g}" for name, interval in _defined(findings.evaluation.metrics)},
        "algorithm": findings.best_parameters.algorithm,
        "target_transform": findings.best_parameters.target_transform,
        "task": trained.target.task,
        "data_source": findings.provenance.data_source,
        "git_commit": git_commit(ROOT),
        ZENML_RUN: trained.run,
        "gate": findings.gate_decision.decision,
        **({ZENML_MODEL_VERSION: trained.model_version} if trained.model_version else {}),
    }


def _defined(metrics: Mapping[str, Interval]) -> list[tuple[str, Interval]]:
    """The metrics that have a value on the held-out rows."""
    return [(name, interval) for name, interval in metrics.items() if math.isfinite(interval.value)]


def _log(trained: TrainedModel) -> str:
    """Log card and model to the active MLflow run, with our code, so that it loads anywhere; return the model's URI."""
    inputs = trained.train_rows.drop(columns=trained.target.column)
    mlflow.log_text(trained.card, "model_card.md")
    info = mlflow.sklearn.log_model(
        trained.pipeline,
        name="model",
        serialization_format="skops",
        skops_trusted_types=TRUSTED_TYPES,
        signature=_signature(inputs, trained.target),
        input_example=_example(inputs, trained.target),
        pip_requirements=[f"{package}=={importlib.metadata.version(package)}" for package in REQUIREMENTS],
        code_paths=[str(ROOT / "tabular")],
    )
    return str(info.model_uri)


def _signature(inputs: pd.DataFrame, target: TargetConfig) -> ModelSignature:
    numbers = set(numeric_columns(inputs, target.column))
    columns: list[ColSpec | TensorSpec] = [
        ColSpec(DataType.double if name in numbers else DataType.string, name, required=False)
        for name in inputs.columns
    ]
    output = ColSpec(DataType.double if target.task == "regression" else DataType.string)
    return ModelSignature(inputs=Schema(columns), outputs=Schema([output]))


def _example(inputs: pd.DataFrame, target: TargetConfig) -> pd.DataFrame:
    example = inputs.head(5).astype(dict.fromkeys(numeric_columns(inputs, target.column), "float64"))
    # MLflow's schema has no date that may be missing; the model takes text in ISO 8601 as well.
    dates = {
        name: [None if pd.isna(moment) else moment.isoformat() for moment in example[name]]
        for name in date_columns(inputs, target.column)
    }
    return example.assign(**dates)
