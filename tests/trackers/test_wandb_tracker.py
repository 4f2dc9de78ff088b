"""What W&B is sent, read back from the folders that its own client leaves without a network."""

import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
import wandb
import yaml

from tabular.reports.training import Interval
from tests.support.findings import HARD, IMPORTANCES, REGISTRATION, SWEEP, findings, pictures
from tests.support.project import ROOT
from tests.support.reports import features, imputation, regression
from tests.support.wandb_reader import OfflineRun, read_runs
from trackers import figures, wandb_tracker
from trackers.figures import figure_name

Send = Callable[..., list[OfflineRun]]


@pytest.fixture(scope="module")
def send(tmp_path_factory: pytest.TempPathFactory) -> Send:
    """Opens a run as ZenML does before the step, sends findings, closes it, and reads what was left."""

    def sent(trials: Literal["table", "runs"] = "table", **changes: Any) -> list[OfflineRun]:
        folder = tmp_path_factory.mktemp("wandb")
        drawn = {} if changes else pictures(folder / "pictures")
        with pytest.MonkeyPatch.context() as patch:
            for name in ("DATA", "CACHE", "CONFIG"):
                patch.setenv(f"WANDB_{name}_DIR", str(folder / name.lower()))
            wandb.init(
                entity="homes",
                project="prices",
                name="training_track_wandb",
                group="training",
                tags=["zenml"],
                dir=folder,
                mode="offline",
                settings=wandb.Settings(silent=True, console="off"),
            )
            try:
                opened = wandb.run
                wandb_tracker.send(findings(**changes), REGISTRATION, drawn, 42, trials)
                assert wandb.run is opened, "the step's run stays the open one"
            finally:
                wandb.finish()
                wandb.teardown()  # `finish` does not wait for the last lines on disk, the end of W&B's service does
        return read_runs(folder / "wandb")

    return sent


@pytest.fixture(scope="module")
def run(send: Send) -> OfflineRun:
    """What is sent by default: one run, with the trials as a table."""
    [only] = send()
    assert only.exit_code == 0
    return only


@pytest.fixture(scope="module")
def runs(send: Send) -> list[OfflineRun]:
    """The step's run and one for each trial."""
    return send(trials="runs")


def test_choices_and_the_sweep_are_the_config(run: OfflineRun) -> None:
    expected = figures.parameters(findings(), 42)
    assert {name: run.config[name] for name in expected} == expected
    assert run.config["imputer"] == "knn" and run.config["best.leaves"] == 10
    assert run.config["sweep"] == SWEEP


def test_figures_have_the_names_they_have_in_mlflow(run: OfflineRun) -> None:
    # given
    expected = figures.metrics(findings())
    # then
    assert {name: run.summary[name] for name in expected} == expected
    assert (run.summary["wmape"], run.summary["wmape.low"], run.summary["wmape.high"]) == (12.5, 11.0, 14.0)
    assert run.summary["imputation.best"] == "knn" and run.summary["imputation.rooms.knn.rmse"] == 48.2
    assert run.summary[figure_name(f"imputation.{HARD}.median.rmse")] == 450.5
    assert (run.summary["clusters.optimal"], run.summary["clusters.silhouette"]) == (20, 0.4)


def test_the_registered_model_can_be_found_from_the_run(run: OfflineRun) -> None:
    link = {
        "model.name": "homes",
        "model.version": "3",
        "model.sha256": "ab" * 32,
        "model.uri": "models:/homes/3",
        "model.mlflow_run_id": "0123456789abcdef",
    }
    assert {name: run.config[name] for name in link} == link == {name: run.summary[name] for name in link}


def test_tags_are_added_to_those_of_zenml(run: OfflineRun) -> None:
    assert run.tags == ("zenml", "data_source:path", "gate:promote", "model_name:homes", "model_version:3")


def test_every_picture_arrives_byte_for_byte(run: OfflineRun, tmp_path: Path) -> None:
    # given
    drawn = pictures(tmp_path)
    # then
    assert set(drawn) == {"imputation.png", "clusters.png", "evaluation.html"}
    for name, path in drawn.items():
        assert run.file(f"pictures/{Path(name).stem}").read_bytes() == Path(path).read_bytes()
    kinds = {name: run.summary[f"pictures/{Path(name).stem}"]["_type"] for name in drawn}
    assert kinds == {"imputation.png": "image-file", "clusters.png": "image-file", "evaluation.html": "html-file"}


def test_the_lists_behind_the_choices_are_tables(run: OfflineRun) -> None:
    assert run.table("tables/imputation")[0] == {
        "column": "rooms",
        "strategy": "median",
        "rmse": 450.5,
        "nrmse": 450.5 / 500,
        "masked": 1234,
    }
    assert len(run.table("tables/imputation")) == 6
    assert [list(line.values()) for line in run.table("tables/clusters")] == [
        [n, 14 - n / 50, 0.2, 0.4, 0.8, 1e5 / n] for n in (5, 20, 100)
    ]
    assert list(run.table("tables/clusters")[0]) == [
        "count",
        "error",
        "error_std",
        "silhouette",
        "davies_bouldin",
        "inertia",
    ]
    board = run.table("tables/leaderboard")
    assert [line["mean"] for line in board] == [12.5, 12.9, 24.75, 26.0, 30.0]
    assert set(board[0]) == {"algorithm", "parameters", "target_transform", "mean", "std", "seconds"}
    assert run.table("tables/slices") == [
        {"column": "sea", "part": "near", "rows": 100, "wmape": 10.0, "r2": 0.5},
        {"column": "sea", "part": "far", "rows": 100, "wmape": 20.0, "r2": 1.0},
    ]


def test_the_trials_are_a_table_with_every_parameter_of_any_type(run: OfflineRun) -> None:
    lines = run.table("tables/trials")
    assert [line["number"] for line in lines] == [0, 1, 2, 3]
    assert lines[3] == {
        "number": 3,
        "state": "pruned",
        "iterations": 1,
        "seconds": 3.0,
        "wmape": 20.0,
        "rate": 0.001 * 4.0**3,
        "leaves": 11,
        "mode": "b",
        "fixed": 5,
    }


def test_parameters_of_mixed_types_share_a_column(send: Send) -> None:
    # given
    search = findings().search_report
    values: list[Any] = [1, "two", None, False]
    trials = [t.model_copy(update={"parameters": {"mode": v}}) for t, v in zip(search.trials, values, strict=True)]
    # when
    [run] = send(search_report=search.model_copy(update={"trials": trials}))
    # then
    assert [line["mode"] for line in run.table("tables/trials")] == values


def test_the_importances_of_each_trial_are_a_table_and_those_of_the_best_a_chart(run: OfflineRun) -> None:
    lines = run.table("tables/importances")
    assert [line for line in lines if line["trial"] == 2] == [
        {"trial": 2, "column": column, "importance": share} for column, share in IMPORTANCES.items()
    ]
    assert {line["trial"] for line in lines} == {1, 2, 3}
    assert run.charts == {"charts/importances": "wandb/bar/v0"}
    assert run.table("charts/importances_table") == [
        {"column": column, "importance": share} for column, share in IMPORTANCES.items()
    ]


def test_the_course_of_the_search_is_a_line(run: OfflineRun) -> None:
    course = [step for step in run.history if "trials/number" in step]
    assert [step["trials/number"] for step in course] == [0, 1, 2, 3]
    assert [step["trials/value"] for step in course] == [12.0, 11.0, 10.5, 20.0]
    assert [step["trials/best"] for step in course] == [12.0, 11.0, 10.5, 10.5]
    assert run.axes == {"trials/value": "trials/number", "trials/best": "trials/number"}


def test_the_best_of_a_search_that_maximizes_rises_and_waits_for_a_complete_trial(send: Send) -> None:
    # given a first trial that was pruned
    search = findings().search_report
    states = ["pruned", "complete", "complete", "complete"]
    trials = [t.model_copy(update={"state": s}) for t, s in zip(search.trials, states, strict=True)]
    # when
    [run] = send(search_report=search.model_copy(update={"goal": "maximize", "trials": trials, "best": 3}))
    # then
    course = [step for step in run.history if "trials/number" in step]
    assert [step.get("trials/best") for step in course] == [None, 11.0, 11.0, 20.0]


def test_the_best_parameters_are_a_file(run: OfflineRun) -> None:
    assert "best_params.yaml" in run.saved
    best = yaml.safe_load((run.files / "best_params.yaml").read_text())
    assert best["algorithm"] == "lightgbm" and best["parameters"]["leaves"] == 10


def test_each_trial_can_be_a_run_of_its_own_in_the_group(runs: list[OfflineRun]) -> None:
    step, *trials = sorted(runs, key=lambda run: run.job_type)
    # then
    assert (step.name, step.group, step.job_type) == ("training_track_wandb", "training", "")
    assert [trial.name for trial in trials] == ["trial-000", "trial-001", "trial-002", "trial-003"]
    assert {(trial.group, trial.job_type, trial.exit_code) for trial in trials} == {("training", "trial", 0)}
    assert [trial.tags for trial in trials] == [(), (), ("best",), ()]
    last = trials[3]
    assert last.config == {"rate": 0.001 * 4.0**3, "leaves": 11, "mode": "b", "fixed": 5, "sweep": SWEEP}
    shown = {name: value for name, value in last.summary.items() if not name.startswith("charts/")}
    assert shown == {
        "number": 3,
        "state": "pruned",
        "iterations": 1,
        "started": "2024-01-01T00:00:00Z",
        "seconds": 3.0,
        "wmape": 20.0,
        **{figure_name(f"importance.{column}"): share for column, share in IMPORTANCES.items()},
    }
    assert last.charts == {"charts/importances": "wandb/bar/v0"}
    assert trials[0].charts == {} and "importance.rooms" not in trials[0].summary


def test_trials_that_are_runs_are_no_table_and_the_rest_is_the_same(run: OfflineRun, runs: list[OfflineRun]) -> None:
    [step] = [found for found in runs if not found.job_type]
    assert set(run.summary) - set(step.summary) == {"tables/trials", "tables/importances"}
    assert set(step.summary) <= set(run.summary) and step.config == run.config and "best_params.yaml" in step.saved


def test_what_is_undefined_breaks_nothing_and_is_left_out(send: Send) -> None:
    # given figures that are not defined on a tiny table, and lists with no lines
    clusters = features(chosen=None, counts=(5,))
    clusters = clusters.model_copy(
        update={"scores": [score.model_copy(update={"silhouette": math.nan}) for score in clusters.scores]}
    )
    undefined = Interval(value=1.0, low=math.nan, high=math.inf)
    # when
    [run] = send(
        feature_report=clusters,
        imputation_report=imputation().model_copy(update={"scores": []}),
        evaluation=regression(metrics={"r2": undefined}, slices=[]),
    )
    # then
    assert run.exit_code == 0
    assert run.summary["r2"] == 1.0 and not {"r2.low", "r2.high", "clusters.optimal"} & set(run.summary)
    assert run.table("tables/clusters")[0]["silhouette"] is None
    assert not {"tables/slices", "tables/imputation"} & set(run.summary)
    assert run.config["clusters"] is None


def test_wandb_is_not_imported_before_it_is_used() -> None:
    # given: every command imports the steps, and W&B takes a second
    code = (
        "import steps.training.track, sys; print(sorted(name for name in sys.modules if name.split('.')[0] == 'wandb'))"
    )
    # when
    child = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    # then
    assert child.stdout.strip() == "[]", child.stdout + child.stderr
