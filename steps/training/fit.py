"""Fit the model with the tuned parameters."""

from typing import Annotated

import pandas as pd
from sklearn.pipeline import Pipeline
from zenml import step

from materializers.caching import depends_on
from materializers.estimator import EstimatorMaterializer
from tabular import names
from tabular.config.stages import TargetConfig
from tabular.learning import features, training
from tabular.learning.folds import available_cores
from tabular.reports.training import BestParameters, CrossValidation


@step(cache_policy=depends_on(training, features), output_materializers={names.MODEL: EstimatorMaterializer})
def fit(
    train_rows: pd.DataFrame,
    tuning_rows: pd.DataFrame,
    feature_pipeline: Pipeline,
    best_parameters: BestParameters,
    target: TargetConfig,
    folds: int,
    seed: int,
) -> tuple[Annotated[Pipeline, names.MODEL], Annotated[CrossValidation, names.CROSS_VALIDATION]]:
    """Cross-validate the model on the rows it was tuned on, then fit it on all training rows.

    Returns:
        The fitted pipeline from raw columns to a prediction, and the cross-validation.
    """
    cores = available_cores()
    validated = training.cross_validate(tuning_rows, target, feature_pipeline, best_parameters, folds, seed, cores)
    temperature = validated.temperature
    model = training.fit(train_rows, target, feature_pipeline, best_parameters, seed, cores, temperature)
    return model, validated
