"""Filling holes: what is compared, what is fitted, and that nothing comes from the target."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.impute import KNNImputer
from sklearn.preprocessing import StandardScaler

from tabular.config.stages import ImputationConfig, SplitConfig, TargetConfig
from tabular.errors import UserError
from tabular.learning.imputation import FEWEST_KNOWN, ImputerPair, ScaledImputer, compare, strategy
from tabular.storage.persistence import to_bytes
from tabular.table.splitting import split

STRATEGIES = ("median", "mean", "knn", "iterative")
INPUTS = ["rooms", "bedrooms", "people"]


def _rows(count: int = 300) -> pd.DataFrame:
    """`bedrooms` follows from `rooms`, in another unit; `price` follows from `bedrooms` exactly."""
    random = np.random.default_rng(0)
    rooms = random.uniform(100, 1000, count)
    bedrooms = rooms / 5 + random.normal(0, 5, count)
    rows = pd.DataFrame(
        {"rooms": rooms, "kind": "x", "bedrooms": bedrooms, "people": random.uniform(0, 1e6, count), "price": bedrooms}
    )
    rows.loc[::10, "bedrooms"] = np.nan
    return rows


def _only(*strategies: Any) -> ImputationConfig:
    return ImputationConfig(strategies=strategies)


def _scaled(pair: ImputerPair, values: pd.DataFrame) -> Any:
    """What the pair makes of the values, written out: scale, impute, scale back."""
    if pair.scaler is None:
        return pair.imputer.transform(values.to_numpy())
    return pair.scaler.inverse_transform(pair.imputer.transform(pair.scaler.transform(values.to_numpy())))


def test_the_best_strategy_by_error_wins_and_is_fitted_on_all_rows() -> None:
    # given / when
    pair, report = compare(_rows(), "price", ImputationConfig(), 42)
    # then
    assert [score.strategy for score in report.scores] == list(STRATEGIES)
    assert report.best == min(report.mean_nrmse, key=lambda name: report.mean_nrmse[name]) in ("knn", "iterative")
    assert report.missing == {"rooms": 0, "bedrooms": 30, "people": 0}
    assert pair.imputer.n_features_in_ == 3
    assert list(report.seconds) == list(STRATEGIES)


def test_the_errors_are_those_of_a_computation_by_hand() -> None:
    # given the draw that the comparison makes: a fifth of the 270 known values
    values = _rows()[INPUTS].to_numpy()
    known = np.flatnonzero(~np.isnan(values[:, 1]))
    at = np.random.default_rng(7).choice(known, size=54, replace=False)
    rest = np.delete(values[:, 1], at)
    guesses = {"median": np.nanmedian(rest), "mean": np.nanmean(rest)}
    # when
    _, report = compare(_rows(), "price", _only("median", "mean"), 7)
    # then
    for score in report.scores:
        by_hand = np.sqrt(np.mean((values[at, 1] - guesses[score.strategy]) ** 2))
        assert score.rmse == pytest.approx(by_hand, rel=1e-12)
        assert score.nrmse == pytest.approx(by_hand / np.nanstd(values[:, 1]), rel=1e-12)
        assert score.masked == 54


def test_a_masked_value_is_not_seen_by_the_strategy_that_rebuilds_it() -> None:
    # given a column that nothing predicts: whoever sees the truth rebuilds it without error
    rows = _rows().assign(noise=np.random.default_rng(1).normal(size=300))
    rows.loc[5, "noise"] = np.nan
    # when
    _, report = compare(rows[["rooms", "noise", "price"]], "price", ImputationConfig(), 42)
    # then
    assert all(score.nrmse > 0.8 for score in report.scores)


def test_every_numeric_column_with_holes_is_compared_and_the_mean_decides() -> None:
    # given
    rows = _rows()
    rows.loc[3:40, "people"] = np.nan
    # when
    _, report = compare(rows, "price", ImputationConfig(), 42)
    # then
    assert {(score.column, score.strategy) for score in report.scores} == {
        (column, name) for column in ("bedrooms", "people") for name in STRATEGIES
    }
    for name, mean in report.mean_nrmse.items():
        assert mean == pytest.approx(np.mean([s.nrmse for s in report.scores if s.strategy == name]))


def test_the_target_is_no_input() -> None:
    # given a target that would rebuild the holes exactly, and another that would not
    rows = _rows()
    other = rows.assign(price=0.0)
    # when
    pair, report = compare(rows, "price", ImputationConfig(), 42)
    other_pair, other_report = compare(other, "price", ImputationConfig(), 42)
    # then nothing is different
    assert to_bytes(tuple(pair)) == to_bytes(tuple(other_pair))
    assert report.scores == other_report.scores
    assert "price" not in report.missing


def test_knn_comes_with_its_scaler_and_without_it_would_be_wrong() -> None:
    # given
    rows = _rows()
    # when
    pair, _ = compare(rows, "price", _only("knn"), 42)
    # then the distances are in standard deviations, so that `people` in a million does not drown `rooms`
    assert isinstance(pair.scaler, StandardScaler) and isinstance(pair.imputer, KNNImputer)
    np.testing.assert_allclose(pair.scaler.mean_, rows[INPUTS].mean(), rtol=1e-12)
    hole = rows.loc[[0], INPUTS]
    raw = KNNImputer().fit(rows[INPUTS].to_numpy()).transform(hole.to_numpy())
    truth = rows.loc[0, "price"]
    assert abs(_scaled(pair, hole)[0, 1] - truth) < abs(raw[0, 1] - truth)


@pytest.mark.parametrize("name", ["median", "mean", "iterative"])
def test_the_other_strategies_need_no_scaler(name: str) -> None:
    pair, _ = compare(_rows(), "price", _only(name), 42)
    assert pair.scaler is None
    assert type(pair.imputer).__name__ == ("IterativeImputer" if name == "iterative" else "SimpleImputer")


def test_the_iterative_strategy_fits_no_model_for_a_column_without_holes() -> None:
    # given / when
    pair, _ = compare(_rows(), "price", _only("iterative"), 42)
    # then one column has holes, so one model was fitted, for that column
    assert [step.feat_idx for step in pair.imputer.imputation_sequence_] == [1]
    # given two columns with holes, which see each other's estimates in three rounds
    rows = _rows()
    rows.loc[50:60, "people"] = np.nan
    # when
    pair, _ = compare(rows, "price", _only("iterative"), 42)
    # then
    assert sorted(step.feat_idx for step in pair.imputer.imputation_sequence_) == [1, 1, 1, 2, 2, 2]


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("holes", [True, False])
def test_any_column_may_be_missing_when_serving(name: str, holes: bool) -> None:
    # given a fitted transformer, of a table with holes in one column or in none
    rows = _rows()[INPUTS]
    fitted = strategy(name, ImputationConfig(), 1, 42).fit(rows if holes else rows.dropna())
    for column in INPUTS:
        served = rows.dropna().head(3).assign(**{column: np.nan})
        # when
        filled = fitted.transform(served)
        # then the hole is filled with a plausible value, and the others are as they were to the last digit
        at = INPUTS.index(column)
        assert rows[column].min() <= filled[:, at].min() and filled[:, at].max() <= rows[column].max()
        np.testing.assert_array_equal(np.delete(filled, at, axis=1), np.delete(served.to_numpy(), at, axis=1))
    # and so is a row of which nothing is known
    assert np.isfinite(fitted.transform(pd.DataFrame([[None] * 3], columns=INPUTS))).all()


def test_a_column_that_was_complete_is_filled_with_its_median_by_the_iterative_strategy() -> None:
    # given
    rows = _rows()[INPUTS]
    fitted = strategy("iterative", ImputationConfig(), 1, 42).fit(rows)
    # when
    filled = fitted.transform(rows.head(1).assign(rooms=np.nan))
    # then
    assert filled[0, 0] == rows["rooms"].median()


def test_a_known_zero_stays_zero_through_the_scaler() -> None:
    # given
    rows = _rows()[INPUTS]
    rows.loc[:20, "people"] = 0.0
    # when
    filled = strategy("knn", ImputationConfig(), 1, 42).fit(rows).transform(rows)
    # then a ratio by it stays defined as 0
    assert (filled[:21, 2] == 0.0).all()


def test_the_pair_and_the_transformer_fill_alike() -> None:
    # given
    rows = _rows()
    pair, _ = compare(rows, "price", _only("knn"), 42)
    # when
    transformer = ScaledImputer(clone(pair.scaler), clone(pair.imputer)).fit(rows[INPUTS])
    # then
    np.testing.assert_allclose(_scaled(pair, rows[INPUTS]), transformer.transform(rows[INPUTS]), rtol=1e-12)
    assert list(transformer.get_feature_names_out()) == INPUTS
    assert to_bytes(tuple(transformer.pair())) == to_bytes(tuple(pair))


def test_numbers_that_pandas_calls_missing_in_its_own_way_are_missing() -> None:
    # given whole numbers with holes, as Parquet keeps them
    rows = pd.DataFrame({"a": pd.array([1, None, 3] * 10, dtype="Int64"), "b": np.arange(30.0), "y": 1.0})
    # when
    pair, report = compare(rows, "y", _only("median"), 1)
    # then
    assert report.missing == {"a": 10, "b": 0}
    assert ScaledImputer(None, clone(pair.imputer)).fit(rows[["a", "b"]]).transform(rows[["a", "b"]])[1, 0] == 2.0


def test_without_holes_the_first_strategy_wins_unopposed_and_still_fills() -> None:
    # given / when
    pair, report = compare(_rows().dropna(), "price", _only("knn", "median"), 42)
    # then
    assert (report.best, report.scores, report.mean_nrmse) == ("knn", [], {})
    assert np.isfinite(_scaled(pair, pd.DataFrame([[np.nan] * 3], columns=INPUTS))).all()


def test_a_table_without_numbers_needs_no_filling() -> None:
    # given / when
    pair, report = compare(_rows()[["kind", "price"]], "price", ImputationConfig(), 42)
    # then
    assert report.missing == {} and report.best == "median"
    assert not hasattr(pair.imputer, "statistics_")


@pytest.mark.parametrize("known", [0, 1, FEWEST_KNOWN - 1])
def test_a_column_of_which_next_to_nothing_is_known_is_refused(known: int) -> None:
    rows = _rows()
    rows.loc[rows["bedrooms"].dropna().index[known:], "bedrooms"] = np.nan
    with pytest.raises(UserError, match=rf"^'bedrooms' has {known} known values .* data\.drop_columns$"):
        compare(rows, "price", ImputationConfig(), 42)


def test_equal_inputs_give_equal_pairs() -> None:
    # given / when
    (first, report), (again, report_again) = (compare(_rows(), "price", ImputationConfig(), 42) for _ in range(2))
    _, other = compare(_rows(), "price", ImputationConfig(), 43)
    # then
    assert to_bytes(tuple(first)) == to_bytes(tuple(again))
    assert report.content() == report_again.content()
    assert other.scores != report.scores


@pytest.mark.slow
def test_the_real_table_is_rebuilt_within_55_bedrooms(data_dir: Path) -> None:
    # given the training rows as configs/train.yaml draws them: a plain split with seed 42 holds out all 207 holes
    target = TargetConfig(column="median_house_value")
    rows, held_out = split(pd.read_csv(data_dir / "housing.csv"), target, SplitConfig(stratify="median_income"), 42)
    assert rows["total_bedrooms"].isna().any() and held_out["total_bedrooms"].isna().any()
    # when
    pair, report = compare(rows, target.column, ImputationConfig(), 42)
    # then
    rmse = {score.strategy: score.rmse for score in report.scores}
    assert report.best == "iterative" and rmse["iterative"] <= 55 < rmse["knn"] < rmse["mean"] < rmse["median"]
    assert len(pair.imputer.imputation_sequence_) == 1
