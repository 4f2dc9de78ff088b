"""The number of clusters, chosen by the cross-validated error of a model that uses them."""

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.metrics import davies_bouldin_score, silhouette_score
from sklearn.pipeline import Pipeline

from tabular.config.stages import ClusterConfig, FeatureConfig, TargetConfig
from tabular.learning.algorithms import estimator, transforms_for
from tabular.learning.clusters import ClusterSimilarity
from tabular.learning.features import preprocessing
from tabular.learning.folds import Parts, fit_and_score, fold_rows, in_parallel, prepare
from tabular.learning.imputation import ImputerPair, expected_warnings_off
from tabular.learning.metrics import goal
from tabular.reports.training import ClusterScore, FeatureReport

FOLDS = 3
JUDGE = {"n_estimators": 200, "learning_rate": 0.1, "num_leaves": 31, "colsample_bytree": 0.3}
"""Parameters of the LightGBM model whose error decides: strong enough to rank the numbers and quick to fit."""

Errors = dict[int | None, NDArray[np.float64]]


def choose(
    rows: pd.DataFrame,
    target: TargetConfig,
    pair: ImputerPair,
    config: FeatureConfig,
    metric: str,
    seed: int,
    threads: int,
) -> tuple[Pipeline, FeatureReport]:
    """The unfitted preprocessing with the best number of clusters, and the figures behind that choice.

    No clusters at all is tried too. `rows` are the training rows, target included.

    Raises:
        UserError: see `tabular.learning.features.preprocessing`.
    """
    errors = _errors(rows, target, pair, config, metric, seed, threads) if config.clusters else {}
    sign = 1 if goal(metric) == "minimize" else -1
    best = min(errors, key=lambda count: sign * float(errors[count].mean())) if errors else None
    inputs = rows.drop(columns=target.column)
    chosen = preprocessing(rows, target, pair, config, best, seed)
    with expected_warnings_off():
        fitted = clone(chosen).fit(inputs, rows[target.column].to_numpy())
    scores = []
    if config.clusters is not None:
        values = fitted["impute"].transform(inputs)[list(config.clusters.columns)].to_numpy()
        scores = _scores(values, config.clusters, errors, seed, threads)
    report = FeatureReport(
        columns=[str(name) for name in fitted.get_feature_names_out()],
        metric=metric,
        clusters=best,
        scores=scores,
        error_without=float(errors[None].mean()) if errors else None,
        silhouette_rows=min(len(rows), config.clusters.silhouette_rows) if config.clusters else 0,
    )
    return chosen, report


def _errors(
    rows: pd.DataFrame,
    target: TargetConfig,
    pair: ImputerPair,
    config: FeatureConfig,
    metric: str,
    seed: int,
    threads: int,
) -> Errors:
    """The error in each fold (FOLDS,) by number of clusters; the imputer is fitted once for each fold."""
    assert config.clusters is not None
    transform = transforms_for(target.task, rows[target.column], ("none", "log"))[-1]
    judge = estimator("lightgbm", target.task, JUDGE, transform, seed, 1, target.class_weight)
    counts: list[int | None] = [None, *config.clusters.counts]
    ways = {count: preprocessing(rows, target, pair, config, count, seed) for count in counts}
    impute = ways[None]["impute"]

    def fill(parts: Parts) -> Parts:
        imputer = clone(impute).fit(parts[0].drop(columns=target.column))
        train, test = (
            imputer.transform(part.drop(columns=target.column)).assign(**{target.column: part[target.column]})
            for part in parts
        )
        return train, test

    def error(task: tuple[int | None, Parts]) -> float:
        count, parts = task
        return fit_and_score(judge, prepare(parts, target.column, ways[count]["features"]), target, metric)[0]

    filled = in_parallel(fill, fold_rows(rows, target, FOLDS, seed), threads)
    errors = in_parallel(error, [(count, parts) for count in counts for parts in filled], threads)
    return dict(zip(counts, np.reshape(errors, (len(counts), FOLDS)), strict=True))


def _scores(
    values: NDArray[np.float64], config: ClusterConfig, errors: Errors, seed: int, threads: int
) -> list[ClusterScore]:
    """The error and the usual figures of cluster shape, on a sample because silhouette needs rows x rows distances."""
    size = min(len(values), config.silhouette_rows)
    sample = values[np.random.default_rng(seed).choice(len(values), size=size, replace=False)]

    def describe(count: int) -> ClusterScore:
        kmeans = ClusterSimilarity(count, random_state=seed).fit(values).kmeans_
        labels = kmeans.predict(sample)
        # Both figures need at least two clusters and a cluster with two rows, which a tiny table may not have.
        defined = 1 < len(np.unique(labels)) < size
        return ClusterScore(
            count=count,
            error=float(errors[count].mean()),
            error_std=float(errors[count].std()),
            silhouette=float(silhouette_score(sample, labels)) if defined else math.nan,
            davies_bouldin=float(davies_bouldin_score(sample, labels)) if defined else math.nan,
            inertia=float(kmeans.inertia_),
        )

    return list(in_parallel(describe, config.counts, threads))
