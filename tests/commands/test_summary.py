"""What a run leaves in `reports/`, and what it says at its end."""

import io
import json
from pathlib import Path
from typing import Any

from rich.console import Console

from commands import summary
from commands.table import SAMPLE_WARNING

REPORT: dict[str, Any] = {
    "algorithm": "lightgbm",
    "metrics": {"r2": 0.87, "wmape": 12.5},
    "intervals": {"r2": [0.85, 0.89], "wmape": [12.0, 13.0]},
    "baseline": {"r2": -0.05, "wmape": 42.0},
    "gate": "promote",
    "gate_reasons": ["there is no champion yet"],
    "model": {"name": "homes", "version": "3", "alias": "champion", "reused": False},
    "seconds": {"fit": 2.0},
    "cached": ["ingest", "split"],
    "data": {"data_source": "path"},
    "mlflow": "sqlite:////store/mlflow.db",
    "wandb": None,
    "package": {"compiled": True, "why": "the compiled predictor agrees with the original"},
    "bento": "stackhouse:3-0123456789ab",
}


def _shown(report: dict[str, Any]) -> list[str]:
    console = Console(file=io.StringIO(), width=200)
    summary.show(report, Path("reports/latest"), console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_the_summary_lies_under_its_run_and_under_latest(tmp_path: Path) -> None:
    # when
    folder = summary.write(REPORT, tmp_path, "first")
    summary.write(REPORT | {"algorithm": "linear"}, tmp_path, "second")

    # then: the newest is the latest, and no half-written file is left
    assert folder == tmp_path / "latest"
    read = {name: json.loads((tmp_path / name / "summary.json").read_text()) for name in ("first", "second", "latest")}
    assert read["first"] == REPORT
    assert read["second"] == read["latest"] == REPORT | {"algorithm": "linear"}
    assert sorted(file.name for file in tmp_path.rglob("*") if file.is_file()) == ["summary.json"] * 3


def test_the_end_of_a_run_says_what_came_out(tmp_path: Path) -> None:
    said = "\n".join(_shown(REPORT))
    assert "wmape" in said and "12.5" in said and "12 to 13" in said and "42" in said
    assert "gate: promote: there is no champion yet" in said
    assert "model: homes version 3 as champion" in said
    assert "steps: 1 run, 2 cached; summary: reports/latest/summary.json" in said
    assert "Bento: stackhouse:3-0123456789ab: the compiled predictor agrees with the original" in said
    assert "zenml login --local" in said and "`bentoml serve`" in said
    assert "`mlflow ui --backend-store-uri sqlite:////store/mlflow.db`" in said


def test_a_run_in_wandb_is_pointed_at() -> None:
    # then: a folder waits to be sent, an address is there to be opened
    offline, address = "wandb/offline-run-20260101_120000-abcdefgh", "https://wandb.ai/team/homes/runs/abcdefgh"
    assert any(f"`wandb sync {offline}`" in line for line in _shown(REPORT | {"wandb": offline}))
    assert any(address in line and "sync" not in line for line in _shown(REPORT | {"wandb": address}))
    assert not any("W&B" in line for line in _shown(REPORT))


def test_a_version_without_an_alias_and_a_reused_one_are_told_apart() -> None:
    rejected = _shown(REPORT | {"model": REPORT["model"] | {"alias": None}})
    reused = _shown(REPORT | {"model": REPORT["model"] | {"reused": True}})
    assert any("version 3, without an alias" in line for line in rejected)
    assert any("already registered, nothing new" in line for line in reused)


def test_a_part_of_a_pipeline_says_less() -> None:
    # given: nothing was evaluated or registered
    parts = dict.fromkeys(("metrics", "gate", "model", "algorithm", "package", "bento"))

    # then
    said = "\n".join(_shown(REPORT | parts))
    assert "gate:" not in said and "model:" not in said and "Bento:" not in said
    assert "steps: 1 run, 2 cached" in said


def test_the_sample_is_announced_in_the_last_line() -> None:
    lines = _shown(REPORT | {"data": {"data_source": "sample"}})
    assert SAMPLE_WARNING in lines[-1]
    assert not any(SAMPLE_WARNING in line for line in _shown(REPORT))
