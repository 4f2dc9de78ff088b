"""The verbs that put versions and revisions beside each other: `compare`, `diff` and `history`."""

from typing import TYPE_CHECKING, Any

import click

from commands.common.answering import ModelsCommand, answers
from commands.common.session import open_session
from commands.models.group import models
from commands.models.looking import in_words

if TYPE_CHECKING:
    from rich.table import Table

    from registry.history import AliasMove, HistoryEntry
    from tabular.reports.training import GateDecision

COLOURS = {"+": "green", "-": "red", "@": "cyan"}


@models.command()
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@answers
def compare(request: ModelsCommand, a: str, b: str) -> None:
    """Compare two versions on rows that neither was trained on, and write a page with pictures."""
    from registry import comparing

    session = open_session(request.root, request.model)
    first, second = session.version(a), session.version(b)
    name = f"{session.name}-{first.version}-{second.version}.html"
    page = request.root / "reports" / "models" / name.replace("/", "_")
    comparison = comparing.compare(session.releases, first, second, page)
    document = {"model": session.name, "a": str(first.version), "b": str(second.version), "page": str(page)}
    shown = [*_compared(comparison), f"page: {page}"]
    next_ = f"`python run.py models promote {second.version} --to champion --dry-run`"
    request.screen.answer(document | {"comparison": comparison.model_dump(mode="json")}, shown, next_)


@models.command()
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@answers
def diff(request: ModelsCommand, a: str, b: str) -> None:
    """Show how the model_config.yaml of two versions differ, as a unified diff."""
    from registry import configs
    from tabular.learning import model_config

    session = open_session(request.root, request.model)
    first, second = session.version(a), session.version(b)
    text = model_config.diff(*(configs.read(session.client, version) for version in (first, second)))
    if request.screen.is_json:
        pair = {"a": str(first.version), "b": str(second.version)}
        request.screen.answer({"model": session.name, **pair, "diff": text}, [])
        return
    if request.screen.is_terminal:
        text = "".join(_coloured(line) for line in text.splitlines(keepends=True))
    request.screen.text(text)


@models.command()
@answers
def history(request: ModelsCommand) -> None:
    """Show who changed what and why, the newest last; every entry is checked against the one before it."""
    from rich.markup import escape
    from rich.table import Column, Table

    session = open_session(request.root, request.model)
    entries = session.releases.history.read()
    words, why = Column("numbers", overflow="fold"), Column("why", overflow="fold")
    table = Table("revision", "when", "who", "action", "from -> to", "forced", words, why, "commit")
    for entry in entries:
        cells = (
            str(entry.revision),
            entry.changed.at,
            entry.changed.by,
            entry.change.action,
            _what(entry),
            "forced" if entry.change.forced else "",
            gate_in_words(entry.change.gate) if entry.change.gate else "",
            entry.changed.why,
            entry.git_commit[:8] + ("-dirty" if entry.git_commit.endswith("-dirty") else ""),
        )
        table.add_row(*(escape(cell) for cell in cells))
    document = {"model": session.name, "entries": [entry.model_dump(mode="json") for entry in entries]}
    none = f"nothing was changed yet in {session.name}"
    next_ = (
        "`python run.py models rollback --dry-run`"
        if entries
        else "`python run.py models promote newest --to champion`"
    )
    request.screen.answer(document, [table] if entries else [none], next_)


def moves_in_words(moved: "tuple[AliasMove, ...] | list[AliasMove]") -> str:
    """Such as `champion 2 -> 3`."""
    return ", ".join(f"{move.alias} {move.before or 'none'} -> {move.after or 'none'}" for move in moved)


def gate_in_words(gate: "GateDecision") -> str:
    """The numbers that a decision rests on."""
    text = f"{gate.decision}: {gate.metric} {in_words(gate.challenger)}"
    if gate.champion is not None:
        text += f" against {in_words(gate.champion)} of version {gate.champion_version}"
    if gate.difference is not None:
        span = f"{in_words(gate.difference.low)} to {in_words(gate.difference.high)}"
        text += f", better by {in_words(gate.difference.value)} ({span})"
    return text


def _what(entry: "HistoryEntry") -> str:
    change = entry.change
    parts = [moves_in_words(entry.moved)] if entry.moved else []
    parts += [f"version {change.version}: {key}={value}" for key, value in change.sets.items()]
    if change.removes:
        parts.append(f"deleted version {', '.join(removal.version for removal in change.removes)}")
    if change.traffic.challenger:
        parts.append(f"challenger answers {change.traffic.challenger:.0%}")
    return "; ".join(parts)


def _coloured(line: str) -> str:
    colour = COLOURS.get(line[:1])
    return click.style(line, fg=colour) if colour else line


def _compared(comparison: Any) -> "list[Table | str]":
    from rich.markup import escape
    from rich.table import Column, Table

    shown: list[Table | str] = []
    if comparison.parameters:
        made = Table("what was chosen", comparison.a, comparison.b)
        for difference in comparison.parameters:
            values = ("" if value is None else str(value) for value in (difference.a, difference.b))
            made.add_row(escape(difference.name), *map(escape, values))
        shown.append(made)
    scores = Table("on its own held-out rows", comparison.a, comparison.b)
    for score in comparison.scores:
        scores.add_row(score.metric, *(_span(interval) for interval in (score.a, score.b)))
    shown.append(scores)
    if comparison.tests:
        tests = Table(f"on {comparison.compared_on}", comparison.a, comparison.b, Column("verdict", overflow="fold"))
        for test in comparison.tests:
            tests.add_row(test.metric, in_words(test.a), in_words(test.b), escape(test.words))
        shown.append(tests)
    shown += [*comparison.data, *comparison.inputs, *(f"breaking: {sentence}" for sentence in comparison.breaks)]
    return [*shown, comparison.words]


def _span(interval: Any) -> str:
    if interval is None:
        return ""
    return f"{in_words(interval.value)} ({in_words(interval.low)} to {in_words(interval.high)})"
