"""The model: one scikit-learn pipeline from raw columns to a prediction."""

import pandas as pd
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from tabular.algorithms import estimator
from tabular.config.stages import TargetConfig
from tabular.reports import BestParameters

ROWS_WORTH_THREADS = 100_000


def fit(
    rows: pd.DataFrame,
    target: TargetConfig,
    preprocessing: Pipeline,
    best: BestParameters,
    seed: int,
    threads: int,
) -> Pipeline:
    """Fit imputer, features and estimator on all training rows.

    Args:
        rows: the training rows, target included.
        target: the target and the task.
        preprocessing: the unfitted way from raw columns to the matrix.
        best: the algorithm with its parameters.
        seed: of the estimator.
        threads: how many it may use.

    Returns:
        A fitted pipeline with the steps `columns`, `impute`, `features` and `estimator`; its input is a DataFrame of
        the raw columns without the target, of which any value and any column may be missing.
    """
    # On a small table threads gain little, and on a busy machine they wait for each other far longer than they work.
    threads = threads if len(rows) >= ROWS_WORTH_THREADS else 1
    built = estimator(best.algorithm, target.task, best.parameters, best.target_transform, seed, threads)
    model = Pipeline([*clone(preprocessing).steps, ("estimator", built)])
    with threadpool_limits(threads):  # scikit-learn's boosting has no such parameter
        return model.fit(rows.drop(columns=target.column), rows[target.column].to_numpy())
