"""Make the preprocessing, and choose the number of clusters."""

from typing import Annotated

import pandas as pd
from sklearn.pipeline import Pipeline
from zenml import step

from materializers.caching import depends_on
from materializers.estimator import EstimatorMaterializer
from tabular import names
from tabular.config.stages import FeatureConfig, TargetConfig
from tabular.learning import cluster_choice
from tabular.learning.folds import available_cores
from tabular.learning.imputation import ImputerPair
from tabular.reports.training import FeatureReport


@step(cache_policy=depends_on(cluster_choice), output_materializers={names.FEATURE_PIPELINE: EstimatorMaterializer})
def features(
    tuning_rows: pd.DataFrame, imputer: ImputerPair, target: TargetConfig, config: FeatureConfig, metric: str, seed: int
) -> tuple[Annotated[Pipeline, names.FEATURE_PIPELINE], Annotated[FeatureReport, names.FEATURE_REPORT]]:
    """Choose the number of clusters by the model's cross-validated error.

    Returns:
        The unfitted preprocessing, which each later step fits on the rows that it may see, and the figures of each
        number of clusters.
    """
    pipeline, report = cluster_choice.choose(tuning_rows, target, imputer, config, metric, seed, available_cores())
    return pipeline, report
