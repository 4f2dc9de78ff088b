"""Decide whether the model may take the champion's place."""

from typing import Annotated

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from zenml import get_step_context, step

from steps import names, registry
from steps.caching import depends_on
from tabular import gate as gating
from tabular.config.stages import GateConfig, TargetConfig
from tabular.gate import Challenged, Rival
from tabular.reports import Evaluation, GateDecision, Provenance


@step(cache_policy=depends_on(gating, registry))
def gate(
    model: Pipeline,
    evaluation: Evaluation,
    test_rows: pd.DataFrame,
    provenance: Provenance,
    target: TargetConfig,
    config: GateConfig,
    model_name: str,
    seed: int,
) -> Annotated[GateDecision, names.GATE_DECISION]:
    """Apply the absolute limits, then compare with the champion on the same raw held-out rows.

    The champion of the moment is not in the cache key: a model is judged once, when it is new.

    Args:
        model: the challenger; its hash in the cache key is what makes it new.
        evaluation: the challenger's.
        test_rows: the held-out rows, for the champion to answer.
        provenance: a model of the built-in sample is never promoted.
        target: the target and the task.
        config: limits and tolerance.
        model_name: in the registry.
        seed: of the paired bootstrap.

    Returns:
        The decision with its numbers.
    """
    is_sample = provenance.data_source == "sample"
    return gating.decide(
        evaluation,
        config,
        seed,
        promotable=not is_sample,
        why_not="it was trained on the built-in sample, not on real data" if is_sample else None,
        champion=_champion(model_name, test_rows, target, evaluation.classes),
    )


def _champion(name: str, rows: pd.DataFrame, target: TargetConfig, classes: list[str]) -> Challenged | None:
    """What the champion answers, from raw columns; a sentence where it may have seen these rows."""
    version = registry.by_alias(registry.registry_client(), name, registry.CHAMPION)
    if version is None:
        return None
    held_out = get_step_context().inputs["test_rows"][0].content_hash
    if version.tags.get("held_out_sha256") != held_out:
        return f"version {version.version} was held to other rows, and may have been trained on these"
    model = registry.load(version)
    inputs = rows.drop(columns=target.column)
    if target.task == "regression":
        return Rival(str(version.version), [float(value) for value in model.predict(inputs)])
    labels = [str(label) for label in model.predict(inputs)]
    if [str(label) for label in model.classes_] != classes:
        return f"version {version.version} knows other classes"
    return Rival(str(version.version), labels, np.asarray(model.predict_proba(inputs)).tolist())
