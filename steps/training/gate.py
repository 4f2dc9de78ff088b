"""Decide whether the model may replace the champion."""

from typing import Annotated

import pandas as pd
from sklearn.pipeline import Pipeline
from zenml import get_step_context, step

from materializers.caching import depends_on
from registry import mlflow_registry, version_gate
from registry.labels import CHAMPION
from tabular import names
from tabular.config.stages import GateConfig, TargetConfig
from tabular.learning import gate as gating
from tabular.learning.model_config import inputs_of
from tabular.reports.training import Evaluation, GateDecision, Provenance


@step(cache_policy=depends_on(gating, version_gate))
def gate(
    model: Pipeline,
    evaluation: Evaluation,
    train_rows: pd.DataFrame,
    test_rows: pd.DataFrame,
    provenance: Provenance,
    target: TargetConfig,
    config: GateConfig,
    model_name: str,
    seed: int,
) -> Annotated[GateDecision, names.GATE_DECISION]:
    """Apply the absolute limits, then compare with the champion on rows that neither was trained on.

    A first model is compared with the baseline.

    The current champion is not part of the cache key, because a model is judged once, when it is new: the content hash
    of a new challenger makes this step run again. A model of the built-in sample is never promoted.
    """
    client = mlflow_registry.registry_client()
    version = mlflow_registry.by_alias(client, model_name, CHAMPION)
    champion = version_gate.hold(client, model_name, str(version.version) if version else None)
    held_out = str(get_step_context().inputs["test_rows"][0].content_hash)
    answers = version_gate.against(model, train_rows, test_rows, held_out, target, champion, config.metric)
    obstacles = version_gate.obstacles(provenance.data_source, inputs_of(train_rows, target.column), champion)
    return gating.decide(evaluation.metrics, evaluation.task, config, seed, obstacles, answers)
