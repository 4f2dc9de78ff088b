"""What a run leaves in `reports/`, and what it says at its end."""

import io
import json
from pathlib import Path
from typing import Any

from rich.console import Console

from commands.common import summary
from commands.common.announcement import SAMPLE_WARNING

REPORT: dict[str, Any] = {
    "algorithm": "lightgbm",
    "metrics": {"r2": 0.87, "wmape": 12.5},
    "intervals": {"r2": [0.85, 0.89], "wmape": [12.0, 13.0]},
    "baseline": {"r2": -0.05, "wmape": 42.0},
    "cross_validation": None,
    "by_class": [],
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


def test_an_undefined_metric_is_null_in_the_file_and_nan_on_the_screen(tmp_path: Path) -> None:
    # given
    nan = float("nan")
    report = REPORT | {"metrics": {"wmape": nan}, "intervals": {"wmape": [nan, nan]}, "baseline": {"wmape": nan}}
    # when
    text = (summary.write(report, tmp_path, "a-run") / "summary.json").read_text()
    # then
    assert json.loads(text)["metrics"] == {"wmape": None}
    assert "NaN" not in text and any("wmape" in line and "nan" in line for line in _shown(report))


def test_the_end_of_a_run_says_what_came_out(tmp_path: Path) -> None:
    said = "\n".join(_shown(REPORT))
    assert "wmape" in said and "12.5" in said and "12 to 13" in said and "42" in said
    assert "gate: promote: there is no champion yet" in said
    assert "model: homes version 3 as champion" in said
    assert "steps: 1 run, 2 cached; summary: reports/latest/summary.json" in said
    assert "Bento: stackhouse:3-0123456789ab: the compiled predictor agrees with the original" in said
    assert "zenml login --local" in said and "`bentoml serve`" in said
    assert "`mlflow ui --backend-store-uri sqlite:////store/mlflow.db`" in said


def test_the_folds_stand_beside_the_held_out_rows() -> None:
    # given: two metrics in two folds
    folds = {
        "r2": {"mean": 0.86, "std": 0.05, "folds": [0.81, 0.91]},
        "wmape": {"mean": 13.25, "std": 0.75, "folds": [12.5, 14.0]},
    }

    # when
    lines = _shown(REPORT | {"cross_validation": {"rows": 1669, "metrics": folds}})

    # then
    assert any("2-fold on 1,669 training rows" in line for line in lines)
    assert "0.86 ± 0.05" in next(line for line in lines if "r2" in line)
    assert "13.25 ± 0.75" in next(line for line in lines if "wmape" in line)
    assert not any("fold" in line for line in _shown(REPORT))


def test_the_weakest_classes_are_named() -> None:
    # given
    by_class = [
        {"label": label, "precision": 1.0, "recall": 0.5, "f1": f1, "support": rows}
        for label, f1, rows in (("a", 0.9, 1200), ("[b]", 0.25, 7), ("c", 1.0, 30), ("d", 0.8, 40))
    ]

    # when
    said = "\n".join(_shown(REPORT | {"by_class": by_class}))

    # then: the worst first, with the rows behind it
    assert "weakest of 4 classes: [b] (F1 0.25 on 7 rows), d (F1 0.8 on 40 rows), a (F1 0.9 on 1,200 rows)" in said
    assert "weakest" not in "\n".join(_shown(REPORT))


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
    parts = dict.fromkeys(("metrics", "by_class", "gate", "model", "algorithm", "package", "bento"))

    # then
    said = "\n".join(_shown(REPORT | parts))
    assert "gate:" not in said and "model:" not in said and "Bento:" not in said
    assert "steps: 1 run, 2 cached" in said


def test_the_sample_is_announced_in_the_last_line() -> None:
    lines = _shown(REPORT | {"data": {"data_source": "sample"}})
    assert SAMPLE_WARNING in lines[-1]
    assert not any(SAMPLE_WARNING in line for line in _shown(REPORT))
