"""Score the model on the held-out rows, once."""

from typing import Annotated

import pandas as pd
from sklearn.pipeline import Pipeline
from zenml import step

from materializers.caching import depends_on
from tabular import names
from tabular.config.stages import EvaluationConfig, TargetConfig
from tabular.learning import evaluation
from tabular.reports.training import CrossValidation, Evaluation


@step(cache_policy=depends_on(evaluation))
def evaluate(
    model: Pipeline,
    test_rows: pd.DataFrame,
    train_rows: pd.DataFrame,
    cross_validation: CrossValidation,
    target: TargetConfig,
    config: EvaluationConfig,
    metric: str,
    seed: int,
) -> Annotated[Evaluation, names.EVALUATION]:
    """Score the model on rows that it has never seen: metrics with intervals, slices, importances and SHAP values.

    The training rows give the baseline. `metric` is the one by which the importances are measured.
    """
    return evaluation.evaluate(model, test_rows, train_rows, target, config, metric, seed, cross_validation)
