"""What the composition of a pipeline needs to know before its first step runs."""

import os
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import ValidationError
from zenml.client import Client
from zenml.pipelines.pipeline_context import PipelineContext

from steps.training.track import SENDERS
from tabular.config.base import explain
from tabular.config.offline import is_offline
from tabular.config.stages import DataConfig, SearchConfig, SelectionConfig, Task, ValidationConfig
from tabular.config.sweep import Sweep
from tabular.errors import UserError, one_line
from tabular.learning.algorithms import ALGORITHMS
from tabular.learning.metrics import goal, names
from tabular.storage.remote import is_remote
from tabular.storage.repository import ROOT
from tabular.table.sources import Source, locate
from trackers.wandb_account import require_online


def find_table(data: DataConfig, validation: ValidationConfig) -> Source:
    """Where the rows will be read from; fails before any work when they cannot be.

    Args:
        data: the configuration.
        validation: its rules say which columns are categories or dates, whatever they look like.

    Raises:
        UserError: see `tabular.table.sources.locate`; or a file on this machine, and steps that run elsewhere.
    """
    orchestrator = Client().active_stack.orchestrator
    if data.path and not is_remote(data.path) and orchestrator.config.is_remote:
        raise UserError(
            f"data.path: {data.path} lies on this machine, and the orchestrator '{orchestrator.name}' runs the steps "
            "elsewhere; put the file into a bucket and give its gs:// or https:// address"
        )
    return locate(data, ROOT / ".cache" / "data", ROOT, validation.columns)


def load_sweeps(search: SearchConfig, selection: SelectionConfig, task: Task) -> dict[str, Sweep]:
    """The search space of each algorithm that competes, from its sweep file.

    Raises:
        UserError: an unknown algorithm, a sweep file that is missing, unreadable or not meant for the task, or a
            search on W&B's server where W&B is offline.
    """
    require_online(search.backend)
    for name in selection.algorithms:
        if name not in ALGORITHMS:
            raise UserError(f"selection.algorithms: there is no '{name}'; there are {', '.join(ALGORITHMS)}")
    files = {name: ROOT / search.spaces / f"{name}.yaml" for name in selection.algorithms}
    return {name: _sweep(file, task, selection.metric) for name, file in files.items()}


def model_name(context: PipelineContext) -> str:
    """What the registry calls the model: the `model` of the run configuration.

    Raises:
        UserError: the configuration names none.
    """
    if context.model is None:
        raise UserError("the run configuration has no 'model'; add 'model: {name: ...}'")
    return context.model.name


def tracker_names() -> list[str]:
    """The trackers of the active stack, the default one first; W&B stays offline where it has no key.

    Raises:
        UserError: the stack lacks an MLflow tracker or registry, or has a tracker that nothing can be sent to.
    """
    stack = Client().active_stack
    trackers = list(stack.experiment_trackers.values())
    lacking = [
        *(["an MLflow experiment tracker"] if "mlflow" not in [tracker.flavor for tracker in trackers[:1]] else []),
        *(["an MLflow model registry"] if getattr(stack.model_registry, "flavor", None) != "mlflow" else []),
    ]
    if lacking:
        raise UserError(
            f"the active stack '{stack.name}' lacks {' and '.join(lacking)}: run `zenml stack set local`, "
            f"or add them with `zenml stack update {stack.name} -e TRACKER -r REGISTRY`"
        )
    for tracker in trackers:
        if tracker.flavor not in SENDERS:
            raise UserError(
                f"the stack's tracker '{tracker.name}' has the flavor '{tracker.flavor}'; "
                f"this project sends to {', '.join(SENDERS)}: take it out of the stack or set another stack"
            )
        if tracker.flavor == "wandb" and is_offline(cast(Any, tracker.config).api_key, os.environ):
            os.environ["WANDB_MODE"] = os.environ.get("WANDB_MODE") or "offline"
    return [tracker.name for tracker in trackers]


def _sweep(file: Path, task: Task, metric: str) -> Sweep:
    """The sweep of a file; one that names no metric improves the one that decides the selection."""
    shown = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file
    if not file.is_file():
        raise UserError(f"search.spaces: there is no sweep file {shown}; write it or leave the algorithm out")
    try:
        given = yaml.safe_load(file.read_text())
        if isinstance(given, dict):
            given.setdefault("metric", {"name": metric, "goal": goal(metric)})
        sweep = Sweep.model_validate(given)
    except ValidationError as error:
        raise UserError(f"{shown}: {explain(error, Sweep)}") from None
    except yaml.YAMLError as error:
        raise UserError(f"{shown} is not YAML: {one_line(error)}") from None
    improved = sweep.metric
    if improved.name not in names(task):
        raise UserError(f"{shown}: '{improved.name}' is no metric of a {task}; there are {', '.join(names(task))}")
    if improved.goal != goal(improved.name):
        raise UserError(f"{shown}: the goal of '{improved.name}' is to {goal(improved.name)} it")
    return sweep
