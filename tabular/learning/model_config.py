"""What one version of a model is, how it was made and how it was judged, in a file that git can compare."""

import difflib
from collections.abc import Sequence
from typing import Any, Literal

import pandas as pd
import yaml
from pydantic import ConfigDict, ValidationError

from tabular.config.base import Items, explain
from tabular.config.stages import GateConfig, Task
from tabular.errors import UserError, one_line
from tabular.reports.report import Report
from tabular.reports.training import Interval, TargetTransform
from tabular.table.tables import date_columns, numeric_columns

FILE = "model_config.yaml"


class _Part(Report):
    """A report that takes no value of another type, because a file may have been edited by hand."""

    model_config = ConfigDict(strict=True)


Kind = Literal["number", "category", "date"]


class Input(_Part):
    """One raw column that a client sends."""

    name: str
    kind: Kind
    dtype: str
    """Of the training rows, as pandas calls it."""
    required: bool
    """False where a missing value is imputed."""


class Gate(_Part):
    """How the model is judged, and how it was when it was registered."""

    config: GateConfig
    decision: Literal["promote", "keep", "reject"]
    reason: str


class Data(_Part):
    """The rows behind the model."""

    source: Literal["path", "url", "sample"]
    location: str
    """Without credentials."""
    sha256: str
    """Of the table's file; of the sample, as CSV."""
    rows: int
    train_rows: int
    held_out_rows: int
    train_sha256: str
    held_out_sha256: str


class Artifacts(_Part):
    """Ids of artifact versions in ZenML; None where it keeps none."""

    train_rows: str | None = None
    test_rows: str | None = None


class Runs(_Part):
    """Where the work is recorded."""

    zenml: str
    """The name of the pipeline run."""
    mlflow: str
    """The id of the run that holds the model."""
    sweep: str | None = None
    """The id of the sweep, where one was run."""
    zenml_model_version: str | None = None


class ModelConfig(_Part):
    """Everything that tells one version of a model from another."""

    format: Literal[1] = 1
    name: str
    version: str
    aliases: Items[str] = ()
    """At the time of writing."""
    created: str
    """UTC, ISO 8601."""
    task: Task
    target: str
    algorithm: str
    target_transform: TargetTransform
    parameters: dict[str, Any]
    """Of the estimator; plain values."""
    imputer: str
    clusters: int | None
    seed: int
    metrics: dict[str, Interval]
    """On the version's own held-out rows."""
    baseline: dict[str, float]
    """The same metrics of an answer without a model."""
    gate: Gate
    inputs: Items[Input]
    """In the order of the training rows, without the target."""
    features: Items[str]
    """The columns that the estimator sees, in their order."""
    data: Data
    artifacts: Artifacts = Artifacts()
    model_sha256: str
    runs: Runs
    git_commit: str


class _PlainDumper(yaml.SafeDumper):
    """YAML of which each value stands on its own line, and stands alone."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _PlainDumper, text: str) -> yaml.ScalarNode:
    style = '"' if len(text.splitlines()) > 1 or text.endswith("\n") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_PlainDumper.add_representer(str, _text)


def to_yaml(config: ModelConfig) -> str:
    """The configuration as YAML that git can compare line by line; equal configurations give equal bytes.

    The keys keep the order of the model, those of parameters and limits are sorted, and metrics stand as given. Floats
    have all their digits, each item of a list has its line, and no line is folded.
    """
    plain = config.model_dump(mode="json")
    plain["parameters"] = _sorted(plain["parameters"])
    plain["gate"]["config"]["limits"] = _sorted(plain["gate"]["config"]["limits"])
    return yaml.dump(
        plain, Dumper=_PlainDumper, sort_keys=False, default_flow_style=False, allow_unicode=True, width=float("inf")
    )


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def from_yaml(text: str) -> ModelConfig:
    """Read a configuration back.

    Raises:
        UserError: it is no YAML, or a key is unknown, missing or of the wrong type.
    """
    try:
        return ModelConfig.model_validate(yaml.safe_load(text))
    except yaml.MarkedYAMLError as error:
        line = f" line {error.problem_mark.line + 1}:" if error.problem_mark else ""
        raise UserError(f"{FILE}:{line} {error.problem or error}; mend it or take the registry's copy") from error
    except yaml.YAMLError as error:
        raise UserError(f"{FILE}: {one_line(error)}; take the registry's copy") from error
    except ValidationError as error:
        raise UserError(f"{FILE}: {explain(error, ModelConfig)}; mend it or take the registry's copy") from error


def diff(a: ModelConfig, b: ModelConfig) -> str:
    """What changes from `a` to `b`, as a unified diff of the two files; empty when they are equal."""
    before, after = (to_yaml(config).splitlines(keepends=True) for config in (a, b))
    old, new = (f"{config.name}/{config.version}/{FILE}" for config in (a, b))
    return "".join(difflib.unified_diff(before, after, old, new))


def inputs_of(rows: pd.DataFrame, target: str) -> tuple[Input, ...]:
    """What clients of a model may send: the columns of its training rows but for the target; all may be missing."""
    numbers, dates = set(numeric_columns(rows, target)), set(date_columns(rows, target))

    def kind_of(name: str) -> Kind:
        return "number" if name in numbers else "date" if name in dates else "category"

    return tuple(
        Input(name=name, kind=kind_of(name), dtype=str(rows[name].dtype), required=False)
        for name in rows.columns
        if name != target
    )


def breaking_changes(old: Sequence[Input], new: Sequence[Input]) -> list[str]:
    """Why clients that send the old inputs would no longer be answered, one sentence for each change.

    An input that is gone breaks them, because an unknown one is refused; so does one of another kind. An added input
    does not, because a missing value is imputed; neither does another dtype of the same kind.
    """
    known = {column.name: column.kind for column in new}
    changes = []
    for column in old:
        kind = known.get(column.name)
        if kind is None:
            changes.append(f"the input '{column.name}' is gone, and clients that still send it would be refused")
        elif kind != column.kind:
            changes.append(
                f"the input '{column.name}' was a {column.kind} and is now a {kind}, "
                "and clients that still send the old kind would be refused"
            )
    return changes
