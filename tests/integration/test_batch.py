"""Scoring a table on the command line with the model that was trained there."""

from pathlib import Path

import pandas as pd
import pytest

from tests.support.runs import Trained, overrides

pytestmark = pytest.mark.slow

CHAMPION = "champion"


def test_a_table_is_scored_by_the_champion_and_bad_rows_are_told(trained: Trained, table: Path, tmp_path: Path) -> None:
    # given: the rows of the training, one in ten of them with a word for a number
    rows = pd.read_csv(table, dtype="str", keep_default_na=False)
    rows.loc[::10, "population"] = "many"
    rows.to_csv(tmp_path / "new.csv", index=False)
    name = trained.summary["model"]["name"]
    given = [f"batch.model={name}", f"batch.input={tmp_path / 'new.csv'}", f"batch.output={tmp_path / 'scored'}"]
    command = ["--config", "configs/batch.yaml", *overrides(*given, "batch.keep=[median_house_value]")]

    # when
    finished = trained.project.run(*command)

    # then: too many rows are bad, and the others are scored all the same
    assert finished.returncode == 1, finished.stdout + finished.stderr
    assert "rows: 1,500, scored 1,350, rejected 150\n  150 x population: not a number\n" in finished.stdout
    assert "10.00% of the rows were rejected, and batch.max_rejected is 5.00%" in finished.stdout
    found = pd.read_parquet(tmp_path / "scored" / "predictions")
    actual = found["median_house_value"].astype(float)
    assert (found["prediction"] - actual).abs().median() < 0.5 * (actual - actual.median()).abs().median()
    assert (found["model_version"] == trained.aliases[CHAMPION]).all()
    bad = pd.read_parquet(tmp_path / "scored" / "rejects")
    assert sorted([*found["row"], *bad["row"]]) == list(range(1500))
