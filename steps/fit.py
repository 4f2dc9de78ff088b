"""Fit the model."""

from typing import Annotated

import pandas as pd
from sklearn.pipeline import Pipeline
from zenml import step

from materializers.estimator import EstimatorMaterializer
from steps import names
from steps.caching import depends_on
from tabular import features, training
from tabular.config.stages import TargetConfig
from tabular.folds import available_cores
from tabular.imputation import ImputerPair
from tabular.reports import BestParameters


@step(cache_policy=depends_on(training, features), output_materializers={names.MODEL: EstimatorMaterializer})
def fit(
    train_rows: pd.DataFrame,
    imputer: ImputerPair,
    feature_pipeline: Pipeline,
    best_parameters: BestParameters,
    target: TargetConfig,
    seed: int,
) -> Annotated[Pipeline, names.MODEL]:
    """Fit one pipeline from raw columns to a prediction on all training rows.

    Args:
        train_rows: the training rows.
        imputer: the winning imputation.
        feature_pipeline: the chosen features.
        best_parameters: the tuned algorithm.
        target: the target and the task.
        seed: of the estimator.

    Returns:
        The fitted pipeline.
    """
    preprocessing = features.preprocessing(train_rows, target.column, imputer, feature_pipeline)
    return training.fit(train_rows, target, preprocessing, best_parameters, seed, available_cores())
