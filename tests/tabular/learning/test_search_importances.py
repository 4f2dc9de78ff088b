"""What each trial remembers: the columns that mattered most, and the sweep that it was part of."""

from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from sklearn.base import clone

from tabular.config.sweep import Sweep
from tabular.errors import UserError
from tabular.learning.algorithms import estimator
from tabular.learning.folds import Fold, importances, mean_importances
from tabular.learning.search import as_file, summarise
from tabular.reports.training import Trial
from tests.support.searches import BOOSTED, RIDGE, Counting, Known, searched

COLUMNS = ("strong", "weak", "idle", "constant")


def _fold(task: str = "regression") -> Fold:
    """Columns of different spread; the last one never changes."""
    random = np.random.default_rng(0)
    x = (random.normal(size=(200, 4)) * [10.0, 1.0, 100.0, 0.0]).astype(np.float32)
    price = (x[:, 0] + 3.0 * x[:, 1]).astype(np.float64)
    labels = np.array(["low", "middle", "high"], dtype=object)[np.digitize(price, [-5.0, 5.0])]
    target = price if task == "regression" else labels
    return Fold(x, target, x, target, COLUMNS)


@pytest.mark.parametrize("task", ["regression", "classification"])
@pytest.mark.parametrize("name", ["linear", "random_forest", "lightgbm", "xgboost"])
def test_shares_of_all_columns_sum_to_one_whatever_the_unit_of_a_column(name: str, task: Any) -> None:
    # given
    fold = _fold(task)
    fitted = estimator(name, task, {}, "none", 1, 1).fit(fold.train, fold.train_target)
    # when
    shares = importances(fitted, fold.columns)
    # then the widest column is not the most important one
    assert set(shares) == set(COLUMNS) and sum(shares.values()) == pytest.approx(1)
    assert shares["strong"] > 2 * max(shares["weak"], shares["idle"])
    assert shares["weak"] > shares["idle"] >= shares["constant"] == 0


def test_boosters_count_the_gain_of_all_splits_and_not_their_number() -> None:
    # given
    fold = _fold()
    lightgbm, xgboost = (
        estimator(name, "regression", {"n_estimators": 9}, "none", 1, 1).fit(fold.train, fold.train_target)
        for name in ("lightgbm", "xgboost")
    )
    by_hand = lightgbm.regressor_.booster_.feature_importance("gain")
    total = xgboost.regressor_.get_booster().get_score(importance_type="total_gain")
    # then
    assert list(importances(lightgbm, fold.columns).values()) == pytest.approx(by_hand / by_hand.sum())
    shares = [total.get(f"f{place}", 0) / sum(total.values()) for place in range(4)]
    assert list(importances(xgboost, fold.columns).values()) == pytest.approx(shares, rel=1e-6)


def test_a_coefficient_counts_per_standard_deviation_of_its_column() -> None:
    # given: a ridge on scaled columns has coefficients that are those of the raw ones times their spread
    fold = _fold()
    fitted = estimator("linear", "regression", {"alpha": 1e-3}, "none", 1, 1).fit(fold.train, fold.train_target)
    # then a price of 1 x strong + 3 x weak
    spread = fold.train.std(axis=0)
    expected = spread[:2] * [1.0, 3.0] / (spread[0] + 3.0 * spread[1])
    assert [importances(fitted, fold.columns)[name] for name in COLUMNS[:2]] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("name", "parameters"), [("hist_gradient_boosting", {}), ("xgboost", {"booster": "gblinear"})])
def test_an_algorithm_that_keeps_none_has_none(name: str, parameters: dict[str, str]) -> None:
    fold = _fold()
    fitted = estimator(name, "regression", parameters, "none", 1, 1).fit(fold.train, fold.train_target)
    assert importances(fitted, fold.columns) == {}


def test_a_model_without_a_split_has_none() -> None:
    fold = _fold()
    fitted = estimator("lightgbm", "regression", {}, "none", 1, 1).fit(fold.train, np.ones(200))
    assert importances(fitted, fold.columns) == {}


def test_the_mean_counts_a_column_that_a_fold_lacks_as_nothing_and_keeps_the_largest() -> None:
    assert mean_importances([{"a": 0.5, "b": 0.5}, {"b": 0.25, "c": 0.75}], 9) == {"b": 0.375, "c": 0.375, "a": 0.25}
    assert list(mean_importances([{str(n): n / 100 for n in range(20)}], 10)) == [str(n) for n in range(19, 9, -1)]


def test_a_trial_has_the_mean_over_the_folds_that_its_value_is_of(tmp_path: Path) -> None:
    # given
    objective = Counting("lightgbm")
    _, report = searched(objective, BOOSTED, 6, tmp_path / "trials.db")
    pruned = next(trial for trial in report.trials if trial.state == "pruned")
    assert pruned.iterations == 1

    def by_hand(trial: Trial, folds: list[Fold], share: float) -> dict[str, float]:
        rounds = round(trial.parameters["n_estimators"] * share)
        built = estimator("lightgbm", "regression", {**trial.parameters, "n_estimators": rounds}, "none", 4, 1)
        parts = [importances(clone(built).fit(fold.train, fold.train_target), fold.columns) for fold in folds]
        return {name: float(np.mean([part[name] for part in parts])) for name in ("a", "b", "c")}

    # then: all rounds in all folds, or a quarter of them in two
    for trial, folds, share in ((report.trials[0], objective.folds, 1.0), (pruned, objective.folds[:2], 0.25)):
        assert trial.importances == pytest.approx(by_hand(trial, folds, share))
        assert list(trial.importances.values()) == sorted(trial.importances.values(), reverse=True)


def test_a_trial_of_an_algorithm_that_keeps_none_is_stored_and_read_without(tmp_path: Path) -> None:
    sweep = {"metric": RIDGE["metric"], "parameters": {"max_iter": {"min": 3, "max": 6}}}
    for _ in range(2):
        _, report = searched(Counting("hist_gradient_boosting"), sweep, 2, tmp_path / "trials.db")
        assert [trial.importances for trial in report.trials] == [{}, {}]


def test_the_importances_are_told_before_the_trial_is_asked_to_end() -> None:
    # given a handle that is no trial of Optuna's
    class Handle:
        number = 0

        def __init__(self) -> None:
            self.told: list[str] = []

        def report(self, value: float, step: int) -> None:
            self.told.append(f"value {step}")

        def should_prune(self) -> bool:
            self.told.append("asked")
            return True

        def set_user_attr(self, key: str, value: Any) -> None:
            self.told.append(key)

    handle: Any = Handle()
    # when / then
    with pytest.raises(optuna.TrialPruned):
        Counting("lightgbm")(handle, {})
    assert handle.told == ["importances", "value 1", "asked"]


def test_the_report_holds_the_sweep_as_a_file_would(tmp_path: Path) -> None:
    # given
    sweep = {**BOOSTED, "parameters": {**BOOSTED["parameters"], "max_depth": {"value": None}}}  # type: ignore[dict-item]
    # when
    _, report = searched(Known(lambda number, _: float(number)), sweep, 2, tmp_path / "trials.db")
    # then nothing is in it that was not written, but for the method, which has a default
    assert report.sweep == {"method": "bayes", **sweep}
    assert as_file(Sweep.model_validate(report.sweep)) == report.sweep


@pytest.mark.parametrize(("goal", "best"), [("minimize", 1), ("maximize", 3)])
def test_of_equal_trials_the_first_complete_one_is_the_best(goal: Any, best: int) -> None:
    # given
    sweep = Sweep.model_validate({"metric": {"name": "rmse", "goal": goal}, "parameters": {"x": {"min": 1, "max": 9}}})
    drawn: list[tuple[float, Any]] = [
        (0.0 if goal == "minimize" else 9.0, "pruned"),
        (1.0, "complete"),
        (1.0, "complete"),
        (2.0, "complete"),
        (2.0, "complete"),
    ]
    trials = [
        Trial(
            number=number,
            state=state,
            parameters={"x": number},
            value=value,
            iterations=3,
            started="",
            seconds=1.0,
            importances={},
        )
        for number, (value, state) in enumerate(drawn)
    ]
    # when
    parameters, report = summarise(Counting("lightgbm"), sweep, trials, {"x": 1.0}, 2)
    # then
    assert (report.best, parameters.parameters) == (best, {"x": best})
    assert (report.resumed, report.importances, report.rungs) == (2, {"x": 1.0}, 3)
    with pytest.raises(UserError, match=r"^none of the 1 trials of the search is complete"):
        summarise(Counting("lightgbm"), sweep, trials[:1], {}, 0)
