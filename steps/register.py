"""Put the model into the registry."""

import importlib.metadata
import subprocess
from pathlib import Path
from typing import Annotated

import mlflow
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema, TensorSpec
from sklearn.pipeline import Pipeline
from zenml import get_step_context, log_metadata, step

from steps import names, registry
from steps.caching import ROOT, depends_on
from tabular import card
from tabular.config.stages import TargetConfig
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
)
from tabular.tables import numeric_columns

REQUIREMENTS = ("scikit-learn", "pandas", "numpy", "skops", "lightgbm", "xgboost-cpu", "pydantic")


@step(cache_policy=depends_on(registry, card))
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
    model_name: str,
    seed: int,
) -> Annotated[Registration, names.REGISTRATION]:
    """Create a version with everything it needs, then move the alias: a crash in between leaves the champion as it was.

    A model that the registry already holds, byte for byte, gets no second version. So a run that is repeated after a
    crash ends with one version, whichever write it was killed at.

    Args:
        model: the fitted pipeline.
        train_rows: for the signature and the input example.
        test_rows: only their hash, by which later challengers know whether a comparison is fair.
        provenance, imputation_report, feature_report, leaderboard, search_report, best_parameters, evaluation,
            decision: for tags and card.
        target: the target and the task.
        model_name: in the registry.
        seed: for the card.

    Returns:
        The version, its alias and its run.
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
            "git_commit": _git_commit(),
            "zenml_run": context.pipeline_run.name,
            "gate": decision.decision,
        }
        uri = _log(model, train_rows.drop(columns=target.column), target, text)
        version = mlflow.register_model(uri, model_name, tags=tags)
    else:
        version = known
    client.update_model_version(model_name, version.version, description=text)
    alias = registry.move_alias(client, model_name, str(version.version), decision.decision)
    result = Registration(
        name=model_name,
        version=str(version.version),
        alias=alias,
        model_sha256=identity["model_sha256"],
        run_id=str(version.run_id),
        reused=known is not None,
    )
    log_metadata(metadata={"registry": result.model_dump()}, infer_model=True)
    return result


def _log(model: Pipeline, inputs: pd.DataFrame, target: TargetConfig, text: str) -> str:
    """Store the model in the active MLflow run, with its card, and with our estimators so that it loads anywhere."""
    numbers = set(numeric_columns(inputs, target.column))
    columns: list[ColSpec | TensorSpec] = [
        ColSpec(DataType.double if name in numbers else DataType.string, name, required=False)
        for name in inputs.columns
    ]
    output = ColSpec(DataType.double if target.task == "regression" else DataType.string)
    example = inputs.head(5).astype({name: "float64" for name in inputs.columns if name in numbers})
    mlflow.log_text(text, "model_card.md")
    return registry.log(
        model,
        "model",
        signature=ModelSignature(inputs=Schema(columns), outputs=Schema([output])),
        input_example=example,
        pip_requirements=[f"{package}=={importlib.metadata.version(package)}" for package in REQUIREMENTS],
        code_paths=[str(ROOT / "tabular")],
    )


def _git_commit() -> str:
    """The commit that trained the model, marked when files were changed since; `unknown` outside a checkout."""
    try:
        commit = _git("rev-parse", "HEAD")
        return f"{commit}-dirty" if _git("status", "--porcelain") else commit
    except (subprocess.CalledProcessError, FileNotFoundError):
        return "unknown"


def _git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=Path(ROOT), capture_output=True, text=True, check=True
    ).stdout.strip()
