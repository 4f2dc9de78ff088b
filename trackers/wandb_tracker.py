"""Send a run's findings to Weights & Biases; with `WANDB_MODE=offline` they wait in a folder for `wandb sync`."""

import math
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml
from rich.console import Console
from rich.progress import track
from zenml.io import fileio

from tabular.reports.registered import Registration
from tabular.reports.training import SearchReport, TrainingFindings, Trial
from tabular.reports.verdicts import Verdict
from trackers import figures
from trackers.figures import named

if TYPE_CHECKING:
    import wandb
    from wandb.plot.custom_chart import CustomChart

LONGEST_TAG = 64
"""W&B refuses longer ones."""


def send(
    findings: TrainingFindings,
    registration: Registration,
    pictures: Mapping[str, str],
    seed: int,
    trials: Literal["table", "runs"],
) -> None:
    """Log to the run that ZenML has opened for the step.

    The config holds what was chosen, the sweep as it was run, and the model's place in the registry. The summary holds
    the same figures as MLflow, under the same names, and the model again. Then follow every picture under `pictures/`,
    every list under `tables/`, the course of the search under `trials/`, and `best_params.yaml` as a file.
    `active.Sender` documents the arguments.
    """
    import wandb

    run = wandb.run
    assert run is not None, "ZenML opens the run before the step"
    search, best = findings.search_report, findings.best_parameters
    model = {
        "model.name": registration.name,
        "model.version": registration.version,
        "model.sha256": registration.model_sha256,
        "model.uri": f"models:/{registration.name}/{registration.version}",
        "model.mlflow_run_id": registration.run_id,
    }
    config: Any = run.config  # untyped
    config.update({**figures.parameters(findings, seed), **model, "sweep": search.sweep}, allow_val_change=True)
    run.summary.update({**figures.metrics(findings), **model, "imputation.best": findings.imputation_report.best})
    _tag(run, figures.tags(findings, registration))
    _log_course(run, search)
    _log_pictures(run, pictures)
    _log_tables(run, findings, with_trials=trials == "table")
    if trials == "runs":
        _send_trials(run, search)
    file = Path(run.dir, "best_params.yaml")
    file.write_text(yaml.safe_dump(best.model_dump(), sort_keys=False))
    run.save(file, base_path=file.parent, policy="now", glob=False)


def send_verdict(verdict: Verdict, drift_page: str) -> None:
    """Log a verdict to the run that ZenML has opened for the step: its figures, its tags and the drift report."""
    import wandb

    run = wandb.run
    assert run is not None, "ZenML opens the run before the step"
    run.summary.update(figures.verdict_metrics(verdict) | {"window_start": verdict.start, "window_end": verdict.end})
    _tag(run, figures.verdict_tags(verdict))
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "drift_report.html")
        page.write_text(drift_page, encoding="utf-8")
        run.log({"drift_report": wandb.Html(str(page), inject=False)})


def _tag(run: "wandb.Run", tags: dict[str, str]) -> None:
    run.tags = (*(run.tags or ()), *(f"{name}:{value}"[:LONGEST_TAG] for name, value in tags.items()))


def _log_course(run: "wandb.Run", search: SearchReport) -> None:
    """The value of each trial and the best so far, as lines over the number of the trial."""
    run.define_metric("trials/number", summary="none")
    for name in ("trials/value", "trials/best"):
        run.define_metric(name, step_metric="trials/number", summary="none")
    better = min if search.goal == "minimize" else max
    complete: list[float] = []
    for trial in search.trials:
        complete += [trial.value] if trial.state == "complete" else []
        best = {"trials/best": better(complete)} if complete else {}
        run.log({"trials/number": trial.number, "trials/value": trial.value, **best})


def _log_pictures(run: "wandb.Run", pictures: Mapping[str, str]) -> None:
    import wandb

    with tempfile.TemporaryDirectory() as folder:
        media: dict[str, Any] = {}
        for name, uri in pictures.items():
            copy = Path(folder, name)
            fileio.copy(uri, str(copy))
            page = copy.suffix == ".html"
            media[f"pictures/{copy.stem}"] = wandb.Html(copy, inject=False) if page else wandb.Image(copy)
        run.log(media)


def _log_tables(run: "wandb.Run", findings: TrainingFindings, with_trials: bool) -> None:
    """Log the lists that have entries; the trials only where they do not become runs of their own."""
    search = findings.search_report
    lists = {
        "imputation": [score.model_dump() for score in findings.imputation_report.scores],
        "clusters": [score.model_dump() for score in findings.feature_report.scores],
        "leaderboard": [
            candidate.model_dump(exclude={"folds"})
            | {"parameters": ", ".join(f"{name}={value}" for name, value in candidate.parameters.items())}
            for candidate in findings.leaderboard.candidates
        ],
        "slices": [part.model_dump(exclude={"metrics"}) | part.metrics for part in findings.evaluation.slices],
    }
    if with_trials:
        lists["trials"] = [
            trial.model_dump(include={"number", "state", "iterations", "seconds"})
            | {search.metric: trial.value, **trial.parameters}
            for trial in search.trials
        ]
        lists["importances"] = [
            {"trial": trial.number, "column": column, "importance": share}
            for trial in search.trials
            for column, share in trial.importances.items()
        ]
    run.log({f"tables/{name}": _table(rows) for name, rows in lists.items() if rows})
    best = search.trials[search.best]
    if best.importances:
        run.log({"charts/importances": _bars(best)})


def _send_trials(run: "wandb.Run", search: SearchReport) -> None:
    """Each trial as a run of its own in the group of the step's run, which stays open."""
    import wandb

    console = Console()
    settings = wandb.Settings(silent=True, console="off", mode=run.settings.mode, root_dir=run.settings.root_dir)
    for trial in track(search.trials, "trials to W&B", console=console, disable=not console.is_terminal):
        with wandb.init(
            entity=run.entity,
            project=run.project,
            group=run.group or run.name,
            job_type="trial",
            name=f"trial-{trial.number:03d}",
            tags=["best"] if trial.number == search.best else [],
            config={**trial.parameters, "sweep": search.sweep},
            reinit="create_new",
            settings=settings,
        ) as child:
            summary = trial.model_dump(include={"number", "state", "iterations", "started", "seconds"})
            importances = {f"importance.{column}": share for column, share in trial.importances.items()}
            child.summary.update({**summary, search.metric: trial.value, **named(importances)})
            if trial.importances:
                child.log({"charts/importances": _bars(trial)})


def _bars(trial: Trial) -> "CustomChart":
    import wandb

    table = wandb.Table(columns=["column", "importance"], data=list(map(list, trial.importances.items())))
    return wandb.plot.bar(table, "column", "importance", title=f"What mattered most in trial {trial.number}")


def _table(rows: list[dict[str, Any]]) -> "wandb.Table":
    """A table with the columns of all rows. NaN, which JSON does not have, becomes an empty cell."""
    import wandb

    def cell(value: Any) -> Any:
        return None if isinstance(value, float) and not math.isfinite(value) else value

    columns: list[str | int] = list(dict.fromkeys(name for row in rows for name in row))
    data = [[cell(row.get(str(name))) for name in columns] for row in rows]
    return wandb.Table(columns=columns, data=data, allow_mixed_types=True)  # as the values of a parameter may be
