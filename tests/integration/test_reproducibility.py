"""The same seed gives the same model, and held-out rows have no say in it."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.support.runs import QUICK, Trained, overrides

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def repeated(trained: Trained) -> dict[str, Any]:
    """The summary of a second run with nothing taken from the first."""
    return trained.project.train(*trained.command, "--no-cache")


def test_two_runs_are_equal_to_the_last_digit(trained: Trained, repeated: dict[str, Any]) -> None:
    # given
    first = trained.summary

    # then: nothing was reused
    assert repeated["cached"] == [] and set(repeated["seconds"]) == set(first["seconds"])
    assert repeated["trials"] == first["trials"] and repeated["trials"]["resumed"] == 0

    # then: all numbers are the same
    for key in ("metrics", "intervals", "baseline", "imputer", "clusters", "algorithm", "parameters"):
        assert repeated[key] == first[key]
    old, new = (trained.project.load(run["run"], "evaluation")[0] for run in (first, repeated))
    assert old.predicted == new.predicted

    # then: and so is the model, byte for byte
    assert repeated["model"]["model_sha256"] == first["model"]["model_sha256"]
    hashes = [trained.project.hashes(run["run"]) for run in (first, repeated)]
    there_is_a_champion_by_now = {"gate_decision", "promotion", "findings", "model_card.md"}
    own = {
        "registration",
        "pictures",
        "model_config.yaml",
        "bundle",
        "package_report",
        "bento",
        *there_is_a_champion_by_now,
    }
    assert {name: value for name, value in hashes[0].items() if name not in own} == {
        name: value for name, value in hashes[1].items() if name not in own
    }


def test_an_equal_model_gets_no_second_version(trained: Trained, repeated: dict[str, Any]) -> None:
    assert repeated["model"]["reused"] is True
    assert repeated["model"]["version"] == trained.summary["model"]["version"]
    found = trained.project.registry().search_model_versions("name = 'california-housing'")
    same = [v for v in found if v.tags["model_sha256"] == repeated["model"]["model_sha256"]]
    assert len(same) == 1


def test_held_out_rows_have_no_say_in_the_model(trained: Trained, table: Path, tmp_path: Path) -> None:
    # given: the same table, the held-out rows' target, columns and categories beyond recognition
    train, test = trained.project.load(trained.summary["run"], "train_rows", "test_rows")
    rows = pd.read_csv(table)
    keys = ["longitude", "latitude", "median_income", "median_house_value", "total_rooms"]
    held_out = rows.set_index(keys).index.isin(test.set_index(keys).index)
    assert held_out.sum() == len(test) == 300
    rows.loc[held_out, "median_house_value"] = rows.loc[held_out, "median_house_value"].to_numpy()[::-1] * 3 + 7
    rows.loc[held_out, "total_rooms"] *= 5
    rows.loc[held_out, "total_bedrooms"] = float("nan")
    rows.loc[held_out, "longitude"] = -120.0
    rows.loc[held_out, "ocean_proximity"] = "ISLAND"
    rows.to_csv(tmp_path / "perturbed.csv", index=False)
    command = overrides(
        f"data.path={tmp_path / 'perturbed.csv'}",
        "validation.columns.total_bedrooms.max_missing=1",
        *QUICK,
    )

    # when
    summary = trained.project.train(*command, "--no-cache", "--until", "fit")

    # then: all was fitted anew, on other held-out rows, and is the same byte for byte
    assert summary["cached"] == [] and "fit" in summary["seconds"]
    old, new = trained.project.hashes(trained.summary["run"]), trained.project.hashes(summary["run"])
    assert new["test_rows"] != old["test_rows"]
    fitted = ("train_rows", "imputer", "imputation_report", "feature_pipeline", "feature_report", "leaderboard")
    for name in (*fitted, "search_report", "best_params.yaml", "model"):
        assert new[name] == old[name], name
    assert len(train) == 1200
