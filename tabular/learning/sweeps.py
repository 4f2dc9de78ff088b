"""Reads the search spaces of the algorithms from their sweep files."""

from pathlib import Path

import yaml
from pydantic import ValidationError

from tabular.config.base import explain
from tabular.config.stages import SearchConfig, SelectionConfig, Task
from tabular.config.sweep import Sweep
from tabular.errors import UserError, nearest_hint, one_line
from tabular.learning.algorithms import ALGORITHMS
from tabular.learning.metrics import goal, names
from tabular.storage.repository import ROOT


def load_sweeps(search: SearchConfig, selection: SelectionConfig, task: Task) -> dict[str, Sweep]:
    """Read the search space of each algorithm in the selection.

    A sweep file that does not name a metric gets that of the selection.

    Raises:
        UserError: an unknown algorithm, or a sweep file that is missing, unreadable or not meant for the task.
    """
    for name in selection.algorithms:
        if name not in ALGORITHMS:
            hint = f"{nearest_hint(name, ALGORITHMS)}, and there are {', '.join(ALGORITHMS)}"
            raise UserError(f"selection.algorithms: there is no '{name}'{hint}")
    files = {name: ROOT / search.spaces / f"{name}.yaml" for name in selection.algorithms}
    return {name: _sweep(file, task, selection.metric) for name, file in files.items()}


def _sweep(file: Path, task: Task, metric: str) -> Sweep:
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
        raise UserError(f"{shown}: '{improved.name}' is not a metric of a {task}; there are {', '.join(names(task))}")
    if improved.goal != goal(improved.name):
        raise UserError(f"{shown}: the goal of '{improved.name}' is to {goal(improved.name)} it")
    return sweep
