"""Compare the algorithms."""

from typing import Annotated

import pandas as pd
from sklearn.pipeline import Pipeline
from zenml import step

from materializers.caching import depends_on
from tabular import names
from tabular.config.stages import SelectionConfig, TargetConfig
from tabular.learning import features, selection
from tabular.learning.folds import available_cores
from tabular.reports.training import Leaderboard


@step(cache_policy=depends_on(selection, features))
def select(
    tuning_rows: pd.DataFrame,
    feature_pipeline: Pipeline,
    target: TargetConfig,
    config: SelectionConfig,
    seed: int,
) -> Annotated[Leaderboard, names.LEADERBOARD]:
    """Cross-validate every candidate on the training rows."""
    return selection.select(tuning_rows, target, feature_pipeline, config, seed, available_cores())
