"""Each step of the way from a table to a decision, called once with a small table, in the order of the pipeline."""

from typing import Any

import numpy as np
import pytest

from steps.training.validate import validate
from tabular.config import stages
from tabular.errors import UserError
from tests.support.way import COUNT, TARGET


def test_the_table_is_read_and_checked_and_says_where_it_came_from(way: dict[str, Any]) -> None:
    assert len(way["dataset"]) == way["provenance"].rows == way["validation"].rows == COUNT
    assert way["provenance"].data_source == "path" and way["validation"].failures == []


def test_a_table_that_breaks_its_contract_stops_the_run(way: dict[str, Any]) -> None:
    # given
    rules = stages.ValidationConfig(columns={"rooms": stages.ColumnConfig(kind="number", max=2, max_missing=1)})
    # when / then
    with pytest.raises(UserError, match="rooms"):
        validate.entrypoint(way["dataset"], TARGET, rules)


def test_no_held_out_row_is_trained_on(way: dict[str, Any]) -> None:
    places = {name: set(way[name]["east"]) for name in ("train", "test", "tuning")}
    assert (len(places["train"]), len(places["test"]), len(places["tuning"])) == (240, 60, 200)
    assert not places["train"] & places["test"] and places["tuning"] < places["train"]


def test_the_choices_hand_on_what_was_chosen(way: dict[str, Any]) -> None:
    # then: a fitted imputer for people, and one preprocessing that nothing was fitted on
    assert way["imputation"].best in ("median", "knn")
    assert hasattr(way["imputer"].imputer, "n_features_in_")
    assert [name for name, _ in way["unfitted"].steps] == ["columns", "impute", "features"]
    assert not hasattr(way["unfitted"], "feature_names_in_")
    assert "per_home" in way["features"].columns


def test_the_search_tunes_the_winner_and_keeps_its_trials(way: dict[str, Any]) -> None:
    assert way["best"].algorithm == way["leaderboard"].winner.algorithm == "linear"
    assert [trial.state for trial in way["search"].trials] == ["complete"] * 2
    assert 0.1 <= way["best"].parameters["alpha"] <= 10.0


def test_the_model_answers_raw_rows_and_is_scored_and_judged_on_held_out_ones(way: dict[str, Any]) -> None:
    # given
    raw = way["test"].drop(columns="price")
    # then
    np.testing.assert_array_equal(way["model"].predict(raw), way["evaluation"].predicted)
    assert way["evaluation"].metrics["r2"].value > 0.8
    assert way["evaluation"].cross_validation == way["validated"]
    assert way["decision"].decision == "promote" and "no champion yet" in way["decision"].reasons[0]
