"""`model_config.yaml`: what a version of a model is, how it was made and how it was judged; git can compare it."""

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
    """A report that refuses values of another type, because the file may have been edited by hand."""

    model_config = ConfigDict(strict=True)


Kind = Literal["number", "category", "date"]


class Input(_Part):
    """A raw column that clients send."""

    name: str
    kind: Kind
    dtype: str
    """Name of the pandas dtype in the training rows."""
    required: bool
    """False if a missing value is imputed."""


class Gate(_Part):
    """The rules of the gate, and its decision when the version was registered."""

    config: GateConfig
    decision: Literal["promote", "keep", "reject"]
    reason: str


class Data(_Part):
    """The rows that the model was trained and evaluated on."""

    source: Literal["path", "url", "sample"]
    location: str
    """Path or address of the table, without credentials."""
    sha256: str
    """sha256 of the table's file; for the sample, of the table as CSV."""
    rows: int
    train_rows: int
    held_out_rows: int
    train_sha256: str
    held_out_sha256: str


class Artifacts(_Part):
    """Ids of the artifact versions in ZenML; None if ZenML does not keep them."""

    train_rows: str | None = None
    test_rows: str | None = None


class Runs(_Part):
    """Names and ids of the runs that made the version."""

    zenml: str
    """Name of the pipeline run."""
    mlflow: str
    """Id of the MLflow run that holds the model."""
    sweep: str | None = None
    """Id of the sweep on W&B's server; None without one."""
    zenml_model_version: str | None = None


class ModelConfig(_Part):
    """Everything that distinguishes one version of a model from another."""

    format: Literal[1] = 1
    name: str
    version: str
    aliases: Items[str] = ()
    """Aliases of the version when the file was written."""
    created: str
    """Time at which the version was registered: UTC, ISO 8601."""
    task: Task
    target: str
    algorithm: str
    target_transform: TargetTransform
    parameters: dict[str, Any]
    """Parameters of the estimator."""
    imputer: str
    clusters: int | None
    seed: int
    metrics: dict[str, Interval]
    """Metrics on the version's own held-out rows."""
    baseline: dict[str, float]
    """The same metrics of a prediction without a model, such as the training median."""
    gate: Gate
    inputs: Items[Input]
    """The raw columns in the order of the training rows, without the target."""
    features: Items[str]
    """The columns that the estimator sees, in their order."""
    data: Data
    artifacts: Artifacts = Artifacts()
    model_sha256: str
    runs: Runs
    git_commit: str


class _PlainDumper(yaml.SafeDumper):
    """A YAML dumper that writes each value on its own line and in full, without references to equal values."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _PlainDumper, text: str) -> yaml.ScalarNode:
    style = '"' if len(text.splitlines()) > 1 or text.endswith("\n") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_PlainDumper.add_representer(str, _text)


def to_yaml(config: ModelConfig) -> str:
    """The configuration as YAML that git can compare line by line; equal configurations give equal bytes.

    Keys keep the order of the model's fields, those of parameters and limits are sorted, and metrics keep their order.
    Floats have all their digits, each item of a list has its own line, and no line is folded.
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
        UserError: the text is not YAML, or a key is unknown, missing or of the wrong type.
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
    """The unified diff from the file of `a` to the file of `b`; empty if they are equal."""
    before, after = (to_yaml(config).splitlines(keepends=True) for config in (a, b))
    old, new = (f"{config.name}/{config.version}/{FILE}" for config in (a, b))
    return "".join(difflib.unified_diff(before, after, old, new))


def inputs_of(rows: pd.DataFrame, target: str) -> tuple[Input, ...]:
    """The inputs that clients of a model may send: the training columns without the target; all may be missing."""
    kinds: dict[str, Kind] = dict.fromkeys(numeric_columns(rows, target), "number")
    kinds.update(dict.fromkeys(date_columns(rows, target), "date"))
    return tuple(
        Input(name=name, kind=kinds.get(name, "category"), dtype=str(rows[name].dtype), required=False)
        for name in rows.columns
        if name != target
    )


def breaking_changes(old: Sequence[Input], new: Sequence[Input]) -> list[str]:
    """One sentence for each change because of which requests with the old inputs would be refused.

    A removed input breaks clients, because an unknown input is refused; so does an input of another kind. An added
    input does not, because a missing value is imputed; neither does another dtype of the same kind.
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
