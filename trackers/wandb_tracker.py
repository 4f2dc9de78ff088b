"""Send a run's findings to Weights & Biases; with `WANDB_MODE=offline` they wait in a folder for `wandb sync`."""

import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from rich.console import Console
from rich.progress import track
from zenml.io import fileio

from tabular.reports.training import SearchReport, Trial
from tabular.reports.verdicts import Verdict
from trackers.findings import Findings
from trackers.verdict_figures import figures, tags

if TYPE_CHECKING:
    import wandb
    from wandb.plot.custom_chart import CustomChart

LONGEST_TAG = 64
"""W&B refuses longer ones."""


def send(findings: Findings) -> None:
    """Log to the run that ZenML has opened for the step.

    In the config: what was chosen, the sweep as it was run, and where the registry holds the model. In the summary:
    the same figures as in MLflow, under the same names, and the model again. Then every picture under `pictures/`,
    every list under `tables/`, the course of the search under `trials/`, and `best_params.yaml` as a file.
    """
    import wandb

    run = wandb.run
    assert run is not None, "ZenML opens the run before the step"
    model = _model(findings)
    config: Any = run.config  # untyped
    config.update({**findings.parameters(), **model, "sweep": findings.search.sweep}, allow_val_change=True)
    run.summary.update({**findings.metrics(), **model, "imputation.best": findings.imputation.best})
    _tag(run, findings.tags())
    _log_course(run, findings.search)
    _log_pictures(run, findings.pictures)
    _log_tables(run, findings)
    if findings.trials == "runs":
        _send_trials(run, findings.search)
    best = Path(run.dir, "best_params.yaml")
    best.write_text(yaml.safe_dump(findings.best.model_dump(), sort_keys=False))
    run.save(best, base_path=best.parent, policy="now", glob=False)


def send_verdict(verdict: Verdict, drift_page: str) -> None:
    """Log a verdict to the run that ZenML has opened for the step: its figures, its tags and the drift report."""
    import wandb

    run = wandb.run
    assert run is not None, "ZenML opens the run before the step"
    run.summary.update(figures(verdict) | {"window_start": verdict.start, "window_end": verdict.end})
    _tag(run, tags(verdict))
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "drift_report.html")
        page.write_text(drift_page, encoding="utf-8")
        run.log({"drift_report": wandb.Html(str(page), inject=False)})


def _tag(run: "wandb.Run", tags: dict[str, str]) -> None:
    run.tags = (*(run.tags or ()), *(f"{name}:{value}"[:LONGEST_TAG] for name, value in tags.items()))


def _model(findings: Findings) -> dict[str, str | None]:
    """Where the registry holds the model, and what it is."""
    registered = findings.registration
    return {
        "model.name": registered.name,
        "model.version": registered.version,
        "model.sha256": registered.model_sha256,
        "model.uri": f"models:/{registered.name}/{registered.version}",
        "model.mlflow_run_id": registered.run_id,
    }


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


def _log_pictures(run: "wandb.Run", pictures: dict[str, str]) -> None:
    import wandb

    with tempfile.TemporaryDirectory() as folder:
        media: dict[str, Any] = {}
        for name, uri in pictures.items():
            copy = Path(folder, name)
            fileio.copy(uri, str(copy))
            page = copy.suffix == ".html"
            media[f"pictures/{copy.stem}"] = wandb.Html(copy, inject=False) if page else wandb.Image(copy)
        run.log(media)


def _log_tables(run: "wandb.Run", findings: Findings) -> None:
    """The lists that have lines; of the trials only where they do not become runs of their own."""
    search = findings.search
    lists = {
        "imputation": [score.model_dump() for score in findings.imputation.scores],
        "clusters": [score.model_dump() for score in findings.features.scores],
        "leaderboard": [
            candidate.model_dump(exclude={"folds"}) | {"parameters": _text(candidate.parameters)}
            for candidate in findings.leaderboard.candidates
        ],
        "slices": [part.model_dump(exclude={"metrics"}) | part.metrics for part in findings.evaluation.slices],
    }
    if findings.trials == "table":
        lists["trials"] = [_line(trial, search.metric) for trial in search.trials]
        lists["importances"] = [
            {"trial": trial.number, "column": column, "importance": share}
            for trial in search.trials
            for column, share in trial.importances.items()
        ]
    run.log({f"tables/{name}": _table(lines) for name, lines in lists.items() if lines})
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
            figures = trial.model_dump(include={"number", "state", "iterations", "started", "seconds"})
            importances = {f"importance.{column}": share for column, share in trial.importances.items()}
            child.summary.update({**figures, search.metric: trial.value, **importances})
            if trial.importances:
                child.log({"charts/importances": _bars(trial)})


def _bars(trial: Trial) -> "CustomChart":
    import wandb

    table = wandb.Table(columns=["column", "importance"], data=list(map(list, trial.importances.items())))
    return wandb.plot.bar(table, "column", "importance", title=f"What mattered most in trial {trial.number}")


def _line(trial: Trial, metric: str) -> dict[str, Any]:
    figures = trial.model_dump(include={"number", "state", "iterations", "seconds"})
    return {**figures, metric: trial.value, **trial.parameters}


def _text(parameters: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in parameters.items())


def _table(lines: list[dict[str, Any]]) -> "wandb.Table":
    """The columns of all lines; a parameter may have values of several types. JSON knows no NaN: it becomes empty."""
    import wandb

    columns: list[str | int] = list(dict.fromkeys(name for line in lines for name in line))
    rows = [[_finite(line.get(str(name))) for name in columns] for line in lines]
    return wandb.Table(columns=columns, data=rows, allow_mixed_types=True)


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
