"""The leaderboard: the same folds for all, and a reason that is true."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from tabular.config.stages import SelectionConfig, TargetConfig
from tabular.learning import selection
from tabular.learning.algorithms import ALGORITHMS, estimator
from tabular.learning.folds import fit_and_score, fold_rows, prepare
from tabular.learning.imputation import ScaledImputer
from tabular.learning.selection import select
from tabular.reports.training import Candidate, Leaderboard
from tests.support.fitted import unfitted

PRICE = TargetConfig(column="price")
COUNT = 150


def _rows() -> pd.DataFrame:
    random = np.random.default_rng(0)
    rows = pd.DataFrame(random.normal(size=(COUNT, 3)), columns=["a", "b", "c"])
    rows["price"] = np.exp(rows["a"] + 0.1 * random.normal(size=COUNT))
    rows.loc[::8, "b"] = np.nan
    return rows


def _way(rows: pd.DataFrame, target: str = "price") -> Pipeline:
    return unfitted(rows, TargetConfig(column=target))


def _select(*algorithms: str, threads: int = 1, rows: pd.DataFrame | None = None, **config: Any) -> Leaderboard:
    rows = _rows() if rows is None else rows
    asked = SelectionConfig(algorithms=algorithms, **{"metric": "rmse", **config})
    return select(rows, PRICE, _way(rows), asked, 4, threads)


def _candidate(algorithm: str, *folds: float) -> Candidate:
    mean, std = float(np.mean(folds)), float(np.std(folds))
    return Candidate(
        algorithm=algorithm, parameters={}, target_transform="none", mean=mean, std=std, folds=list(folds), seconds=1.0
    )


def _board(scores: Mapping[str, tuple[float, ...]], metric: str = "rmse") -> Leaderboard:
    """The leaderboard of algorithms, listed in this order, whose scores in the folds are given."""
    sign = 1 if metric == "rmse" else -1
    ranked = sorted((_candidate(name, *folds) for name, folds in scores.items()), key=lambda c: sign * c.mean)
    chosen = selection.choose(ranked, list(scores))
    return Leaderboard(metric=metric, candidates=ranked, chosen=chosen, why=selection.why(ranked, chosen, metric))


def test_every_point_of_every_grid_is_scored_in_the_same_folds() -> None:
    # given / when
    board = _select("linear", "lightgbm")
    # then
    asked = [
        (name, transform, p)
        for name in ("linear", "lightgbm")
        for transform in ("none", "log")
        for p in ALGORITHMS[name].grid
    ]
    held = [(c.algorithm, c.target_transform, c.parameters) for c in board.candidates]
    assert len(held) == len(asked) == 10 and all(point in held for point in asked)
    # and one of them by hand
    rows = _rows()
    candidate = next(c for c in board.candidates if c.algorithm == "linear" and c.target_transform == "log")
    built = estimator("linear", "regression", candidate.parameters, "log", 4, 1)
    folds = [prepare(parts, "price", _way(rows)) for parts in fold_rows(rows, PRICE, 3, 4)]
    assert candidate.folds == [fit_and_score(built, fold, PRICE, "rmse")[0] for fold in folds]
    assert candidate.mean == pytest.approx(np.mean(candidate.folds)) and candidate.seconds > 0


def test_the_best_mean_comes_first_for_either_goal() -> None:
    for metric, sign in (("rmse", 1), ("r2", -1)):
        means = [sign * candidate.mean for candidate in _select("linear", "lightgbm", metric=metric).candidates]
        assert means == sorted(means)


def test_the_board_is_the_same_each_time_whatever_the_threads() -> None:
    first, again = (_select("linear", "lightgbm", "xgboost", threads=threads) for threads in (1, 2))
    assert first.content() == again.content()


def test_nothing_is_fitted_outside_the_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    rows = _rows()
    way = _way(rows)
    sizes: list[int] = []
    original = ScaledImputer.fit

    def fit(self: Any, X: Any, y: Any = None) -> Any:
        sizes.append(len(X))
        return original(self, X, y)

    monkeypatch.setattr(ScaledImputer, "fit", fit)
    # when
    select(rows, PRICE, way, SelectionConfig(algorithms=("linear",), metric="rmse"), 4, 1)
    # then
    assert sizes == [COUNT * 2 // 3] * 3


def test_no_log_where_the_target_is_not_positive() -> None:
    rows = _rows().assign(price=lambda frame: frame["price"] - 1)
    assert {c.target_transform for c in _select("linear", rows=rows).candidates} == {"none"}


def test_of_those_within_one_standard_error_the_first_listed_wins() -> None:
    # given the best with folds 8, 10, 12: a standard deviation of 2 (n - 1), a standard error of 2 / sqrt(3) = 1.155
    scores = {
        "linear": (11.2,) * 3,
        "lightgbm": (11.1,) * 3,
        "xgboost": (8.0, 10.0, 12.0),
        "random_forest": (10.5,) * 3,
    }
    # when
    board = _board(scores)
    # then lightgbm at 11.1 ties, linear at 11.2 does not, and random_forest ties but is listed later
    assert board.winner.algorithm == "lightgbm" and board.candidates[0].algorithm == "xgboost"
    assert board.why == (
        "xgboost has the best mean rmse over 3 folds, 10; lightgbm with 11.1 is within one standard error (1.2) of it, "
        "and of those selection.algorithms lists it first."
    )


def test_the_rule_holds_where_higher_is_better() -> None:
    # given
    board = _board({"linear": (0.7,) * 3, "lightgbm": (0.8,) * 3, "xgboost": (0.85, 0.9, 1.0)}, "r2")
    # then the standard error is 0.044: neither ties
    assert (board.winner.algorithm, board.chosen) == ("xgboost", 0)
    assert "the next algorithm, lightgbm, has 0.8: a gap of 0.12 with a standard error of 0.044" in board.why


def test_the_order_of_the_config_decides_only_among_ties() -> None:
    board = _board({"linear": (10.0, 11.0, 12.0), "xgboost": (10.0, 11.0, 12.0)})
    assert board.winner.algorithm == "linear" and board.chosen == 0
    board = _board({"xgboost": (10.0, 11.0, 12.0), "linear": (10.0, 11.0, 12.0)})
    assert board.winner.algorithm == "xgboost"


def test_within_an_algorithm_its_best_point_wins() -> None:
    # given three points of one algorithm, all within one standard error
    ranked = [_candidate("linear", 1, 2, 3), _candidate("linear", 1.1, 2.1, 3.1), _candidate("xgboost", 1, 2, 3.2)]
    assert selection.choose(ranked, ["linear", "xgboost"]) == 0
    assert selection.choose(ranked, ["xgboost", "linear"]) == 2


def test_a_single_algorithm_says_so() -> None:
    assert _select("linear").why.endswith("no other algorithm was asked for.")


def test_classes_compete_too() -> None:
    # given
    rows = _rows().assign(label=lambda frame: np.where(frame["a"] > 0, "up", "down")).drop(columns="price")
    target = TargetConfig(column="label", task="classification")
    config = SelectionConfig(algorithms=("linear", "xgboost"), metric="accuracy")
    # when
    board = select(rows, target, _way(rows, "label"), config, 4, 1)
    # then
    assert len(board.candidates) == 5 and board.winner.mean > 0.9
    assert {candidate.target_transform for candidate in board.candidates} == {"none"}
