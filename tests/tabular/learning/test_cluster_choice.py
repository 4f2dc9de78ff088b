"""How many clusters: decided by the model's error in folds that are prepared on their own training rows."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import davies_bouldin_score, silhouette_score
from sklearn.pipeline import Pipeline

from tabular.config.stages import ClusterConfig, FeatureConfig, ImputationConfig, TargetConfig
from tabular.learning.cluster_choice import FOLDS, choose
from tabular.learning.clusters import ClusterSimilarity
from tabular.learning.imputation import ImputerPair, ScaledImputer, compare
from tabular.reports.training import FeatureReport
from tabular.storage.persistence import to_bytes

PRICE = TargetConfig(column="price")
COUNT = 240


def _rows(located: bool = True) -> pd.DataFrame:
    """Nine towns on a grid, each with a price of its own (or, not located, prices that follow nothing)."""
    random = np.random.default_rng(0)
    town = random.integers(0, 9, COUNT)
    prices = random.permutation(np.linspace(10, 100, 9))[town] if located else random.uniform(10, 100, COUNT)
    rows = pd.DataFrame(
        {
            "east": town % 3 + random.normal(0, 0.1, COUNT),
            "north": town // 3 + random.normal(0, 0.1, COUNT),
            "price": prices + random.normal(0, 1, COUNT),
        }
    )
    rows.loc[::12, "east"] = np.nan
    return rows


def _pair(rows: pd.DataFrame, target: str = "price") -> ImputerPair:
    return compare(rows, target, ImputationConfig(strategies=("median",)), 1)[0]


def _choose(rows: pd.DataFrame, config: FeatureConfig, threads: int = 1, metric: str = "rmse") -> Any:
    return choose(rows, PRICE, _pair(rows), config, metric, 3, threads)


def _config(*counts: int, **others: Any) -> FeatureConfig:
    return FeatureConfig(clusters=ClusterConfig(columns=("east", "north"), counts=counts, **others))


def _parts(way: Pipeline) -> list[tuple[str, Any]]:
    """The unfitted transformers that make the estimator's columns."""
    return [(name, part) for name, part, _ in way["features"]["columns"].transformers]


def _by_count(report: FeatureReport) -> dict[int | None, float]:
    assert report.error_without is not None
    return {None: report.error_without} | {score.count: score.error for score in report.scores}


def test_the_number_with_the_smallest_error_wins() -> None:
    # given / when
    way, report = _choose(_rows(), _config(2, 9))
    # then
    errors = _by_count(report)
    assert report.clusters == min(errors, key=lambda count: errors[count])
    assert dict(_parts(way))["clusters"].n_clusters == report.clusters
    assert report.columns == ["east", "north", *(f"cluster_{i}" for i in range(report.clusters or 0))]


def test_a_metric_where_higher_is_better_is_turned_round() -> None:
    # given / when
    _, report = _choose(_rows(), _config(2, 9), metric="r2")
    # then
    errors = _by_count(report)
    assert report.clusters == max(errors, key=lambda count: errors[count])


def test_no_clusters_win_where_the_place_says_nothing() -> None:
    # given prices that follow nothing
    # when
    way, report = _choose(_rows(located=False), _config(2, 9))
    # then
    assert report.clusters is None
    assert "clusters" not in dict(_parts(way))
    assert len(report.scores) == 2 and min(_by_count(report).values()) == report.error_without


def test_the_figures_beside_the_error_are_scikit_learns() -> None:
    # given a sample that holds every row
    rows = _rows()
    # when
    _, report = _choose(rows, _config(4, 9))
    # then
    values = rows[["east", "north"]].fillna(rows[["east", "north"]].median()).to_numpy()
    for score in report.scores:
        kmeans = ClusterSimilarity(score.count, random_state=3).fit(values).kmeans_
        assert score.silhouette == pytest.approx(silhouette_score(values, kmeans.labels_))
        assert score.davies_bouldin == pytest.approx(davies_bouldin_score(values, kmeans.labels_))
        assert score.inertia == kmeans.inertia_
    assert report.silhouette_rows == COUNT
    assert report.scores[1].inertia < report.scores[0].inertia


def test_the_figures_are_sampled_where_there_are_more_rows() -> None:
    _, report = _choose(_rows(), _config(4, silhouette_rows=100))
    assert report.silhouette_rows == 100


def test_the_choice_is_the_same_each_time_whatever_the_threads() -> None:
    # given / when
    (first, report), (again, report_again) = (_choose(_rows(), _config(2, 9), threads) for threads in (1, 2))
    # then
    assert to_bytes(first) == to_bytes(again)
    assert report == report_again


def test_everything_is_fitted_on_the_training_rows_of_its_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    # given a record of what the imputer and the clusters are fitted on
    sizes: dict[str, list[int]] = {}
    for kind in (ScaledImputer, ClusterSimilarity):
        original = kind.fit

        def fit(self: Any, X: Any, y: Any = None, original: Any = original) -> Any:
            sizes.setdefault(type(self).__name__, []).append(len(X))
            return original(self, X, y)

        monkeypatch.setattr(kind, "fit", fit)
    # when
    rows = _rows()
    pair = _pair(rows)
    sizes.clear()
    choose(rows, PRICE, pair, _config(2, 9), "rmse", 3, 1)
    # then all fits that an error rests on see two thirds; the final pipeline and the two elbow figures see all
    assert sorted(sizes["ScaledImputer"]) == [COUNT * 2 // 3] * FOLDS + [COUNT]
    assert sorted(sizes["ClusterSimilarity"]) == [COUNT * 2 // 3] * FOLDS * 2 + [COUNT] * 3


def test_without_clusters_nothing_is_compared() -> None:
    # given / when
    _, report = _choose(_rows(), FeatureConfig())
    # then
    assert (report.clusters, report.scores, report.error_without, report.silhouette_rows) == (None, [], None, 0)
    assert report.columns == ["east", "north"]


def test_more_clusters_than_rows_are_no_mistake_and_have_no_shape() -> None:
    # given each row its own cluster
    rows = _rows().dropna().head(30)
    # when
    _, report = _choose(rows, _config(100))
    # then
    assert math.isnan(report.scores[0].silhouette) and math.isnan(report.scores[0].davies_bouldin)
    assert report.scores[0].inertia == pytest.approx(0)


def test_a_classification_is_judged_by_its_own_metric() -> None:
    # given
    rows = _rows().assign(label=lambda frame: np.where(frame["price"] > 50, "dear", "cheap")).drop(columns="price")
    target = TargetConfig(column="label", task="classification")
    # when
    _, report = choose(rows, target, _pair(rows, "label"), _config(9), "accuracy", 3, 1)
    # then
    assert report.metric == "accuracy"
    assert 0.8 < max(value for value in _by_count(report).values()) <= 1
