"""The pipeline from a table to a registered model."""

from zenml import get_pipeline_context, pipeline
from zenml.enums import ExecutionMode

from stacks.orchestrator import require_reachable
from steps.training.evaluate import evaluate
from steps.training.features import features as features_step
from steps.training.fit import fit
from steps.training.gate import gate as gate_step
from steps.training.impute import impute
from steps.training.ingest import ingest
from steps.training.package import package
from steps.training.promote import promote
from steps.training.register import register
from steps.training.search import search as search_step
from steps.training.select import select
from steps.training.split import split as split_step
from steps.training.track import track as track_step
from steps.training.validate import validate
from tabular import names
from tabular.config import stages
from tabular.errors import UserError
from tabular.learning.sweeps import load_sweeps
from tabular.table.sources import locate
from trackers.active import tracker_names


@pipeline(name="training", execution_mode=ExecutionMode.FAIL_FAST)
def training(
    data: stages.DataConfig,
    target: stages.TargetConfig,
    validation: stages.ValidationConfig = stages.ValidationConfig(),
    split: stages.SplitConfig = stages.SplitConfig(),
    imputation: stages.ImputationConfig = stages.ImputationConfig(),
    features: stages.FeatureConfig = stages.FeatureConfig(),
    selection: stages.SelectionConfig = stages.SelectionConfig(),
    search: stages.SearchConfig = stages.SearchConfig(),
    evaluation: stages.EvaluationConfig = stages.EvaluationConfig(),
    gate: stages.GateConfig = stages.GateConfig(),
    track: stages.TrackConfig = stages.TrackConfig(),
    seed: int = 42,
) -> None:
    """Train a model. Each step receives only the part of the config that it uses, so a change re-runs few steps."""
    sweeps = load_sweeps(search, selection, target.task)
    require_reachable(data.path)
    source = locate(data, columns=validation.columns)
    name = _model_name()
    default_tracker, *_ = trackers = tracker_names(search.backend)

    dataset, provenance = ingest(source, target.column, data.drop_columns, data.drop_duplicates, seed)
    validation_report = validate(dataset, target, validation)
    train_rows, test_rows, tuning_rows = split_step(dataset, target, split, seed, after=[names.VALIDATE])

    imputer, imputation_report = impute(tuning_rows, target.column, imputation, seed)
    feature_pipeline, feature_report = features_step(tuning_rows, imputer, target, features, selection.metric, seed)
    leaderboard = select(tuning_rows, feature_pipeline, target, selection, seed)
    best_parameters, search_report = search_step(
        tuning_rows,
        feature_pipeline,
        leaderboard,
        target,
        sweeps,
        search.trials,
        search.folds,
        search.backend,
        seed,
    )
    model, cross_validation = fit(
        train_rows, tuning_rows, feature_pipeline, best_parameters, target, evaluation.folds, seed
    )

    scores = evaluate(model, test_rows, train_rows, cross_validation, target, evaluation, gate.metric, seed)
    decision = gate_step(model, scores, train_rows, test_rows, provenance, target, gate, name, seed)
    register_step = register.with_options(experiment_tracker=default_tracker)
    registration, model_config, card, findings, pictures = register_step(
        model,
        train_rows,
        test_rows,
        provenance,
        validation_report,
        imputation_report,
        feature_report,
        leaderboard,
        search_report,
        best_parameters,
        cross_validation,
        scores,
        decision,
        target,
        gate,
        name,
        seed,
    )
    bundle, _, _ = package(model, train_rows, test_rows, model_config, card, target)
    promote(registration, bundle, decision)
    for tracker in trackers:
        send = track_step.with_options(experiment_tracker=tracker)
        send(findings, pictures, registration, track.trials, tracker, seed, id=f"track_{tracker}")


def _model_name() -> str:
    """The name that the registry gives to the model: `model.name` of the run configuration."""
    if (model := get_pipeline_context().model) is None:
        raise UserError("the run configuration has no 'model'; add 'model: {name: ...}'")
    return model.name
