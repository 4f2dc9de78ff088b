"""The commands that compare two versions: `compare` and `diff`."""

from typing import TYPE_CHECKING, Any

import click

from commands.common.answering import ModelsCommand, answers
from commands.common.session import open_session
from commands.models.group import models
from commands.models.show_versions import in_words

if TYPE_CHECKING:
    from rich.table import Table


COLOURS = {"+": "green", "-": "red", "@": "cyan"}


@models.command()
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@answers
def compare(request: ModelsCommand, a: str, b: str) -> None:
    """Compare two versions on rows that neither was trained on, and write a page with pictures."""
    from registry import comparison_page

    session = open_session(request.root, request.model)
    first, second = session.version(a), session.version(b)
    name = f"{session.name}-{first.version}-{second.version}.html"
    page = request.root / "reports" / "models" / name.replace("/", "_")
    comparison = comparison_page.compare(session.releases, first, second, page)
    document = {"model": session.name, "a": str(first.version), "b": str(second.version), "page": str(page)}
    shown = [*_compared(comparison), f"page: {page}"]
    next_ = f"`python run.py models promote {second.version} --to champion --dry-run`"
    request.screen.answer(document | {"comparison": comparison.model_dump(mode="json")}, shown, next_)


@models.command()
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@answers
def diff(request: ModelsCommand, a: str, b: str) -> None:
    """Show the differences between the model_config.yaml of two versions, as a unified diff."""
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
