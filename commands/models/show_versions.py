"""The commands that show models and versions: `list`, `versions`, `show` and `best`."""

import math
from typing import TYPE_CHECKING, Any

import click

from commands.common.answering import ModelsCommand, answers
from commands.common.screen import moment, table
from commands.common.session import Session, open_all, open_session
from commands.models.group import models
from registry.labels import ARCHIVED, BUNDLE, BUNDLE_SHA256, CHALLENGER, CHAMPION, HELD_OUT_SHA256, METRIC
from tabular.errors import UserError, nearest_hint

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion
    from rich.table import Table

    from tabular.learning.model_config import ModelConfig

SHOWN = 4
"""Number of metrics in a table of versions."""


@models.command("list")
@answers
def list_(request: ModelsCommand) -> None:
    """Show the registered models."""
    from registry.mlflow_registry import versions

    found, rows = [], []
    for session in open_all(request.root, request.model):
        name, entry, aliases = session.name, session.base.entry, session.base.aliases
        count = len(versions(session.client, name))
        champion, challenger = aliases.get(CHAMPION), aliases.get(CHALLENGER)
        last = f"{entry.changed.at} {entry.change.action} by {entry.changed.by}" if entry else ""
        rows.append((name, count, champion, challenger, last))
        found.append(
            {
                "model": name,
                "versions": count,
                "champion": champion,
                "challenger": challenger,
                "revision": session.base.revision,
                "last_change": entry and entry.changed.model_dump() | {"action": entry.change.action},
            }
        )
    none = "no model is registered yet; `python run.py` trains one"
    next_ = "`python run.py models versions`" if len(found) == 1 else "`python run.py models versions --model NAME`"
    shown = [table(("model", "versions", "champion", "challenger", "last change"), rows) if found else none]
    request.screen.answer({"models": found}, shown, next_ if found else "")


@models.command()
@click.option("--all", "all_", is_flag=True, help="Show archived versions, too.")
@answers
def versions(request: ModelsCommand, all_: bool) -> None:
    """Show the versions of a model, the newest first."""
    from registry.mlflow_registry import versions as versions_of

    session = open_session(request.root, request.model)
    rows = [summary(version, session) for version in versions_of(session.client, session.name)]
    shown = [row for row in rows if all_ or not row["archived"]]
    names = list(dict.fromkeys(name for row in shown for name in row["metrics"]))[:SHOWN]
    cells = []
    for row in shown:
        numbers = [in_words(row["metrics"].get(name)) for name in names]
        marks = [*row["aliases"], *(["(archived)"] if row["archived"] else [])]
        data = f"{row['data_source'] or ''} {(row['data_sha256'] or '')[:8]}".strip()
        cells.append((row["version"], " ".join(marks), row["algorithm"], *numbers, data, row["created"], row["gate"]))
    hidden = len(rows) - len(shown)
    notes = [f"{hidden} archived not shown; --all shows all"] if hidden else []
    document = {"model": session.name, "versions": shown, "archived_hidden": hidden}
    heads = ("version", "aliases", "algorithm", *names, "data", "created", "gate")
    request.screen.answer(
        document, [table(heads, cells, title=session.name), *notes], "`python run.py models show newest`"
    )


@models.command()
@click.argument("version", metavar="V")
@answers
def show(request: ModelsCommand, version: str) -> None:
    """Show everything about a version."""
    from registry import configs

    session = open_session(request.root, request.model)
    found = session.version(version)
    row = summary(found, session)
    config, lacking = None, ""
    try:
        config = configs.read(session.client, found)
    except UserError as error:  # a version that was registered without one still has its tags
        lacking = str(error)
    document = row | {
        "model": session.name,
        "tags": dict(sorted(found.tags.items())),
        "mlflow_run": found.run_id,
        "source": found.source,
        "bundle": found.tags.get(BUNDLE),
        "bundle_sha256": found.tags.get(BUNDLE_SHA256),
        "config": config and config.model_dump(mode="json"),
    }
    marks = f" ({', '.join(row['aliases'])})" if row["aliases"] else ""
    title = f"{session.name} version {row['version']}{marks}{', archived' if row['archived'] else ''}"
    tables = _of_config(config) if config else [lacking, _pairs("tag", dict(sorted(found.tags.items())))]
    bundle = document["bundle"] or "not packaged"
    where = _pairs("where", {"bundle": bundle, "MLflow run": found.run_id, "MLflow model": found.source})
    next_ = "`python run.py models release show`"
    if CHAMPION not in row["aliases"]:
        next_ = f"`python run.py models promote {row['version']} --to champion --dry-run`"
    request.screen.answer(document, [title, *tables, where], next_)


@models.command()
@click.option("--metric", required=True, help="The metric to compare by, such as wmape.")
@answers
def best(request: ModelsCommand, metric: str) -> None:
    """Show the best version that is not archived, of those scored on the same held-out rows as the newest one."""
    from registry.mlflow_registry import versions as versions_of

    session = open_session(request.root, request.model)
    rows = [summary(found, session) for found in versions_of(session.client, session.name)]
    usable = [row for row in rows if not row["archived"]]
    if not usable:
        raise UserError(f"{session.name} has no version that is not archived; train one: `python run.py`")
    comparable = [row for row in usable if row["held_out_sha256"] == usable[0]["held_out_sha256"]]
    left_out = [row["version"] for row in usable if row not in comparable]
    winner = _best(comparable, metric)
    value = winner["metrics"][metric]
    said = [
        f"version {winner['version']} of {session.name} is the best of {len(comparable)} in {metric}: {in_words(value)}"
    ]
    if left_out:
        said.append(
            f"left out: version {', '.join(left_out)}, scored on other held-out rows than version "
            f"{usable[0]['version']}, the newest"
        )
    document = {
        "model": session.name,
        "metric": metric,
        "version": winner["version"],
        "value": value,
        "compared": [row["version"] for row in comparable],
        "left_out": left_out,
    }
    request.screen.answer(document, said, f"`python run.py models show {winner['version']}`")


def summary(version: "ModelVersion", session: Session) -> dict[str, Any]:
    """A version as its tags describe it, with its aliases, as plain data."""
    tags, number = version.tags, str(version.version)
    metrics = {tag.removeprefix(METRIC): float(value) for tag, value in tags.items() if tag.startswith(METRIC)}
    return {
        "version": number,
        "aliases": sorted(alias for alias, other in session.base.aliases.items() if other == number),
        "archived": tags.get(ARCHIVED) == "true",
        "algorithm": tags.get("algorithm"),
        "task": tags.get("task"),
        "metrics": metrics,
        "data_source": tags.get("data_source"),
        "data_sha256": tags.get("data_sha256"),
        "held_out_sha256": tags.get(HELD_OUT_SHA256),
        "created": moment(version.creation_timestamp),
        "gate": tags.get("gate"),
        "packaged": BUNDLE in tags,
    }


def in_words(value: float | None) -> str:
    """A metric as text for a table; empty for None."""
    from tabular.learning.metrics import as_text

    if value is None:
        return ""
    return "undefined" if math.isnan(value) else as_text(value)


def _best(rows: list[dict[str, Any]], metric: str) -> dict[str, Any]:
    """The row with the best value; the newest of several that are equally good."""
    from tabular.learning.metrics import is_better

    known = sorted({name for row in rows for name in row["metrics"]})
    if metric not in known:
        nearest = f"{nearest_hint(metric, known)}, and there are {', '.join(known)}" if known else "; they have none"
        raise UserError(f"--metric: these versions have no metric '{metric}'{nearest}")
    winner, *others = [row for row in rows if metric in row["metrics"]]
    for row in others:
        if is_better(metric, row["metrics"][metric], winner["metrics"][metric]):
            winner = row
    return winner


def _pairs(title: str, values: dict[str, Any]) -> "Table":
    return table((title, ""), values.items(), folded=("",))


def _of_config(config: "ModelConfig") -> "list[Table]":
    data, baseline = config.data, config.baseline
    made = {
        "algorithm": config.algorithm,
        "target": f"{config.target} ({config.task}, transform {config.target_transform})",
        "imputer": config.imputer,
        "clusters": config.clusters,
        "seed": config.seed,
        **config.parameters,
    }
    scores = [
        (name, in_words(found.value), f"{in_words(found.low)} to {in_words(found.high)}", in_words(baseline.get(name)))
        for name, found in config.metrics.items()
    ]
    rows = {
        "from": f"{data.location} ({data.source})",
        "sha256": data.sha256,
        "rows": f"{data.rows:,}: {data.train_rows:,} to train on, {data.held_out_rows:,} held out",
        "held-out sha256": data.held_out_sha256,
    }
    runs = {"ZenML run": config.runs.zenml, "sweep": config.runs.sweep, "commit": config.git_commit}
    return [
        _pairs("made", made),
        table(("held-out metric", "value", "interval", "baseline"), scores),
        _pairs("data", rows),
        table(("input", "kind", "type"), [(column.name, column.kind, column.dtype) for column in config.inputs]),
        _pairs("gate", {str(config.gate.decision): config.gate.reason}),
        _pairs("made by", {name: value for name, value in runs.items() if value}),
    ]
