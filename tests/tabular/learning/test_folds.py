"""Cross-validation: nothing of a fold's test rows reaches what is fitted."""

import time
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_info

from tabular.config.stages import ClusterConfig, FeatureConfig, ImputationConfig, TargetConfig
from tabular.errors import UserError
from tabular.learning.algorithms import estimator
from tabular.learning.folds import Fold, available_cores, fit_and_score, fold_rows, in_parallel, prepare
from tabular.learning.imputation import strategy
from tabular.learning.metrics import metric
from tests.support.fitted import unfitted

PRICE = TargetConfig(column="price")
LABEL = TargetConfig(column="label", task="classification")


def _rows(count: int = 90) -> pd.DataFrame:
    random = np.random.default_rng(0)
    rows = pd.DataFrame(
        {
            "id": np.arange(count),
            "east": random.normal(size=count),
            "kind": random.choice(["a", "b"], count),
            "label": random.choice(["common", "rare"], count, p=[0.8, 0.2]),
            "price": random.uniform(1, 2, count),
        }
    )
    rows.loc[::6, "east"] = np.nan
    return rows


def _way(rows: pd.DataFrame) -> Pipeline:
    """The scaled imputer, clusters and one-hot encoding: all of them learn from rows."""
    config = FeatureConfig(clusters=ClusterConfig(columns=("east",), counts=(3,)))
    return unfitted(rows, PRICE, config, 3, strategy="knn")


def test_every_row_is_tested_once_and_never_trained_on_in_that_fold() -> None:
    # given / when
    folds = fold_rows(_rows(), PRICE, 4, 7)
    # then
    assert sorted(number for _, test in folds for number in test["id"]) == list(range(90))
    assert all(not set(train["id"]) & set(test["id"]) and len(train) + len(test) == 90 for train, test in folds)


def test_the_seed_alone_decides_the_folds() -> None:
    first, again, other = (fold_rows(_rows(), PRICE, 3, seed)[0][1]["id"].tolist() for seed in (7, 7, 8))
    assert first == again != other


def test_a_classification_keeps_the_shares_of_its_classes_in_each_fold() -> None:
    rows = _rows()
    rare = (rows["label"] == "rare").sum()
    for _, test in fold_rows(rows, LABEL, 3, 7):
        assert abs((test["label"] == "rare").sum() - rare / 3) < 1


@pytest.mark.parametrize(("target", "rows"), [(PRICE, _rows(2)), (LABEL, _rows(3).assign(label=["a", "b", "c"]))])
def test_too_few_rows_for_the_folds_are_refused_in_one_line(target: TargetConfig, rows: pd.DataFrame) -> None:
    with pytest.raises(UserError, match=rf"^{len(rows)} training rows cannot be split into 3 folds: .*$"):
        fold_rows(rows, target, 3, 7)


def test_labels_that_are_fractions_are_classes_too() -> None:
    # given: numbers that scikit-learn takes for a regression's
    words = _rows()
    fractions = words.assign(label=words["label"].map({"common": 0.5, "rare": 1.5}))
    # when
    as_words, as_fractions = (fold_rows(rows, LABEL, 3, 7) for rows in (words, fractions))
    # then
    assert [test["id"].tolist() for _, test in as_fractions] == [test["id"].tolist() for _, test in as_words]


def test_a_class_of_fewer_rows_than_folds_is_no_warning() -> None:
    # given warnings that are errors, as everywhere in these tests
    rows = _rows().assign(label=["odd"] * 2 + ["usual"] * 88)
    # when / then
    assert sum("odd" in set(test["label"]) for _, test in fold_rows(rows, LABEL, 5, 7)) == 2


def test_what_the_test_rows_hold_changes_nothing_that_was_fitted() -> None:
    # given a fold, and the same fold with absurd values in its test rows
    rows = _rows()
    way = _way(rows)
    train, test = fold_rows(rows, PRICE, 3, 7)[0]
    absurd = test.assign(east=1e6, id=-1, kind="unseen", price=-5.0)
    # when
    plain, changed = prepare((train, test), "price", way), prepare((train, absurd), "price", way)
    # then the training matrix is the same to the last digit: imputer, clusters and encoder saw the training rows only
    np.testing.assert_array_equal(plain.train, changed.train)
    np.testing.assert_array_equal(plain.train_target, changed.train_target)
    assert not np.array_equal(plain.test, changed.test)


def test_a_fold_differs_from_what_a_fit_on_all_rows_would_give() -> None:
    # given the same preparation, wrongly fitted on all rows
    rows = _rows()
    way = _way(rows)
    train, test = fold_rows(rows, PRICE, 3, 7)[0]
    leaking = way.fit(rows.drop(columns="price")).transform(train.drop(columns="price"))
    # when
    fold = prepare((train, test), "price", way)
    # then
    assert fold.train.shape == leaking.shape and not np.array_equal(fold.train, leaking)


def test_preparing_leaves_the_recipe_unfitted_and_the_target_out() -> None:
    # given
    rows = _rows()
    way = _way(rows)
    # when
    fold = prepare(fold_rows(rows, PRICE, 3, 7)[0], "price", way)
    # then
    assert not hasattr(way["impute"], "transformers_")
    assert fold.train.dtype == fold.test.dtype == np.float32
    assert not any(np.array_equal(column, fold.train_target.astype(np.float32)) for column in fold.train.T)


def test_a_score_is_the_metric_of_a_fresh_fit() -> None:
    # given
    random = np.random.default_rng(0)
    x = random.normal(size=(60, 2)).astype(np.float32)
    price, label = x[:, 0] + 5.0, np.where(x[:, 0] > 0, "up", "down").astype(object)
    ridge = estimator("linear", "regression", {}, "none", 1, 1)
    logistic = estimator("linear", "classification", {}, "none", 1, 1)
    # when
    rmse, _ = fit_and_score(ridge, Fold(x[:40], price[:40], x[40:], price[40:]), PRICE, "rmse")
    loss, _ = fit_and_score(logistic, Fold(x[:40], label[:40], x[40:], label[40:]), LABEL, "log_loss")
    # then
    predicted = ridge.fit(x[:40], price[:40]).predict(x[40:])
    assert rmse == metric("rmse", "regression", price[40:], predicted)
    fitted = logistic.fit(x[:40], label[:40])
    chances = fitted.predict_proba(x[40:])
    assert loss == metric("log_loss", "classification", label[40:], fitted.predict(x[40:]), chances, ["down", "up"])


def test_a_class_that_a_fold_never_trained_on_is_a_miss_and_no_crash() -> None:
    # given
    x = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    label = np.where(x[:, 0] > 0, "up", "down").astype(object)
    label[30:] = "new"
    # when
    logistic = estimator("linear", "classification", {}, "none", 1, 1)
    value, _ = fit_and_score(logistic, Fold(x[:30], label[:30], x[30:], label[30:]), LABEL, "accuracy")
    # then
    assert value == 0.0


def test_an_undefined_metric_is_told_rather_than_ranked() -> None:
    # given percentages of nothing
    x = np.ones((4, 1), dtype=np.float32)
    fold = Fold(x, np.arange(4.0), x, np.zeros(4))
    # when / then
    with pytest.raises(UserError, match=r"^'mape' of 'price' is undefined on a fold of 4 rows; choose another metric"):
        fit_and_score(estimator("linear", "regression", {}, "none", 1, 1), fold, PRICE, "mape")


def test_parallel_results_come_in_the_order_of_the_tasks_with_one_core_each() -> None:
    # given tasks of which the first ends last
    def work(number: int) -> tuple[int, set[int]]:
        time.sleep(0.05 / (number + 1))
        return number, {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] in ("blas", "openmp")}

    before = threadpool_info()
    # when
    results = in_parallel(work, range(6), 3)
    # then
    assert [number for number, _ in results] == list(range(6))
    assert all(threads == {1} for _, threads in results)
    assert threadpool_info() == before


def test_imputers_in_several_threads_do_not_warn_and_leave_the_filters_as_they_were() -> None:
    # given warnings that are errors, as everywhere in these tests
    rows = np.random.default_rng(0).normal(size=(40, 3))
    rows[::5, 0] = np.nan
    before = list(warnings.filters)
    assert before[0][0] == "error"
    # when
    filled = in_parallel(
        lambda seed: strategy("iterative", ImputationConfig(), 1, seed).fit_transform(rows), range(16), 4
    )
    # then
    assert all(np.isfinite(values).all() for values in filled)
    assert list(warnings.filters) == before


def test_a_failure_in_a_thread_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        in_parallel(lambda number: 1 / number, [1, 0], 2)


def test_there_is_at_least_one_core() -> None:
    assert available_cores() >= 1
