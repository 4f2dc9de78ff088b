"""The summary of a training: the file in `reports/`, and the lines at the end of the run."""

import hashlib
import json
import os
import shlex
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from zenml.models import ArtifactVersionResponse, PipelineRunResponse

from commands.common.announcement import SAMPLE_WARNING
from commands.common.arguments import Configuration
from registry.mlflow_registry import registry_uri
from tabular import names
from tabular.reports.plain_json import json_text
from tabular.storage.addresses import public
from tabular.storage.atomic import write_atomically

SHOWN_CLASSES = 3
"""Number of classes that are named at the end of a run."""


def artifacts_of(run: PipelineRunResponse) -> dict[str, ArtifactVersionResponse]:
    """The artifacts of a run's steps by name."""
    return {
        name: artifact
        for step in run.steps.values()
        for name, versions in step.outputs.items()
        for artifact in versions
    }


def collect(run: PipelineRunResponse, configuration: Configuration, stack: str) -> dict[str, Any]:
    """Collect the summary of a run from the artifacts of its steps; an artifact that the run did not make is None."""
    made = artifacts_of(run)

    def load(name: str) -> Any:
        return made[name].load() if name in made else None

    resolved = configuration.resolved.model_dump(mode="json")
    evaluation, registration, decision = load(names.EVALUATION), load(names.REGISTRATION), load(names.GATE_DECISION)
    imputation, features, best = load(names.IMPUTATION_REPORT), load(names.FEATURE_REPORT), load(names.BEST_PARAMETERS)
    packaged, bento = load(names.PACKAGE_REPORT), load(names.BENTO)
    provenance, search, promotion = load(names.PROVENANCE), load(names.SEARCH_REPORT), load(names.PROMOTION)
    return {
        "pipeline": run.pipeline.name if run.pipeline else None,
        "run": run.name,
        "stack": stack,
        "config_sha256": hashlib.sha256(json.dumps(resolved, sort_keys=True).encode()).hexdigest(),
        "data": provenance and provenance.model_dump(mode="json"),
        "metrics": evaluation and {name: interval.value for name, interval in evaluation.metrics.items()},
        "intervals": evaluation and {name: [i.low, i.high] for name, i in evaluation.metrics.items()},
        "baseline": evaluation and evaluation.baseline,
        "cross_validation": evaluation
        and evaluation.cross_validation
        and evaluation.cross_validation.model_dump(mode="json"),
        "by_class": evaluation and [score.model_dump(mode="json") for score in evaluation.by_class],
        "imputer": imputation and imputation.best,
        "clusters": features and features.clusters,
        "algorithm": best and best.algorithm,
        "target_transform": best and best.target_transform,
        "parameters": best and best.parameters,
        "trials": search
        and {
            "started": len(search.trials),
            "complete": sum(trial.state == "complete" for trial in search.trials),
            "resumed": search.resumed,
        },
        "gate": decision and decision.decision,
        "gate_reasons": decision and decision.reasons,
        "model": registration and {**registration.model_dump(mode="json"), "alias": promotion and promotion.alias},
        "release": promotion and promotion.model_dump(mode="json", include={"revision", "manifest", "reason"}),
        "package": packaged and packaged.model_dump(mode="json", include={"compiled", "why", "seconds"}),
        "bento": bento,
        "seconds": {name: _seconds(step) for name, step in run.steps.items() if step.status != "cached"},
        "cached": [name for name, step in run.steps.items() if step.status == "cached"],
        "artifacts": {name: artifact.uri for name, artifact in made.items()},
        "mlflow": public(registry_uri()),
        "wandb": _wandb_run(run),
    }


def write(report: dict[str, Any], reports: Path, name: str) -> Path:
    """Write `reports/<name>/summary.json` and make `reports/latest` the same, each by write-then-rename.

    A metric that is undefined on the held-out rows is null.

    Returns:
        The folder `reports/latest`.
    """
    text = json_text(report) + "\n"
    for folder in (reports / name, reports / "latest"):
        write_atomically(folder / "summary.json", text.encode())
    return reports / "latest"


def show(report: dict[str, Any], folder: Path, console: Console) -> None:
    """Print the result in a few lines, and the commands to type next."""
    if report["metrics"]:
        console.print(_metrics(report))
    if weakest := _weakest(report["by_class"] or []):
        console.print(f"weakest of {len(report['by_class'])} classes: {escape(weakest)}", soft_wrap=True)
    if report["gate"]:
        reason = escape(report["gate_reasons"][0])
        console.print(f"gate: [bold]{report['gate']}[/bold]: {reason}", soft_wrap=True)
    if model := report["model"]:
        alias = f" as {model['alias']}" if model["alias"] else ", without an alias"
        again = " (already registered, nothing new)" if model["reused"] else ""
        console.print(f"model: {model['name']} version {model['version']}{alias}{again}")
    if report["package"]:
        console.print(f"Bento: {report['bento']}: {escape(report['package']['why'])}", soft_wrap=True)
    cached = len(report["cached"])
    console.print(f"steps: {len(report['seconds'])} run, {cached} cached; summary: {folder / 'summary.json'}")
    console.print("next: `zenml login --local` shows the run, its artifacts and their pictures")
    if report["bento"]:
        console.print("      `bentoml serve` answers with this model on http://localhost:3000")
    page = report["mlflow"]
    command = f"`mlflow ui --backend-store-uri {shlex.quote(page)}`" if page.startswith("sqlite:") else page
    console.print(f"      {escape(command)} shows the trials and the versions", soft_wrap=True)
    if report["wandb"]:
        online = report["wandb"].startswith("https:")
        upload = f"`wandb sync {shlex.quote(report['wandb'])}` takes it to W&B"
        text = f"{report['wandb']} is the run in W&B" if online else upload
        console.print(f"      {text}", soft_wrap=True)
    if report["data"] and report["data"]["data_source"] == "sample":
        console.print(f"[bold yellow]trained on {SAMPLE_WARNING}[/bold yellow]", soft_wrap=True)


def _metrics(report: dict[str, Any]) -> Table:
    """A table with a line for each metric, and with a column for the folds if the model was cross-validated."""
    table = Table("held-out metric", "value", "interval", "baseline", title=f"{report['algorithm'] or ''}")
    validated: dict[str, Any] = {}
    if report["cross_validation"]:
        validated, rows = report["cross_validation"]["metrics"], report["cross_validation"]["rows"]
        folds = max(len(figures["folds"]) for figures in validated.values())
        table.add_column(f"{folds}-fold on {rows:,} training rows")
    for name, value in report["metrics"].items():
        low, high = report["intervals"][name]
        cells = [f"{value:,.4g}", f"{low:,.4g} to {high:,.4g}", f"{report['baseline'][name]:,.4g}"]
        if figures := validated.get(name):
            cells.append(f"{figures['mean']:,.4g} ± {figures['std']:,.2g}")
        table.add_row(name, *cells)
    return table


def _weakest(classes: list[dict[str, Any]]) -> str:
    """The classes with the lowest F1, the lowest first, each with its number of rows."""
    worst = sorted(classes, key=lambda score: float(score["f1"]))[:SHOWN_CLASSES]
    return ", ".join(f"{one['label']} (F1 {one['f1']:.3g} on {one['support']:,} rows)" for one in worst)


def _wandb_run(run: PipelineRunResponse) -> str | None:
    """The address of the W&B run, or the folder to upload with `wandb sync`; None without W&B."""
    for step in run.steps.values():
        if identifier := step.run_metadata.get("wandb_run_id"):
            folders = Path(os.environ.get("WANDB_DIR", ".")).glob(f"wandb/offline-run-*-{identifier}")
            return next((str(folder) for folder in folders), str(step.run_metadata["wandb_url"]))
    return None


def _seconds(step: Any) -> float | None:
    if step.start_time is None or step.end_time is None:
        return None
    return round(float((step.end_time - step.start_time).total_seconds()), 2)
