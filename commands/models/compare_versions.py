"""The commands that compare two versions: `compare` and `diff`."""

from typing import TYPE_CHECKING, Any

import click

from commands.common.answering import ModelsCommand, answers
from commands.common.screen import table
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
    from registry.version_gate import RegisteredVersion, between
    from tabular.learning.comparison import compare
    from tabular.pages.html_pages import comparison_page
    from tabular.pages.pictures import png_files
    from tabular.storage import places

    session = open_session(request.root, request.model)
    numbers = [str(session.version(reference).version) for reference in (a, b)]
    old, new = (RegisteredVersion(session.client, session.name, number) for number in numbers)
    comparison = compare(old.config, new.config, between(new, old))
    page = request.root / "reports" / "models" / f"{session.name}-{old.number}-{new.number}.html".replace("/", "_")
    title = f"{session.name}: {comparison.a} and {comparison.b}"
    places.write(str(page), comparison_page(comparison, title, png_files(comparison)).encode())
    document = {"model": session.name, "a": old.number, "b": new.number, "page": str(page)}
    shown = [*_compared(comparison), f"page: {page}"]
    next_ = f"`python run.py models promote {new.number} --to champion --dry-run`"
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
    shown: list[Table | str] = []
    both = (comparison.a, comparison.b)
    if comparison.parameters:
        chosen = [(difference.name, difference.a, difference.b) for difference in comparison.parameters]
        shown.append(table(("what was chosen", *both), chosen))
    scores = [(score.metric, _span(score.a), _span(score.b)) for score in comparison.scores]
    shown.append(table(("on its own held-out rows", *both), scores))
    if comparison.tests:
        tests = [(test.metric, in_words(test.a), in_words(test.b), test.words) for test in comparison.tests]
        shown.append(table((f"on {comparison.compared_on}", *both, "verdict"), tests, folded=("verdict",)))
    shown += [*comparison.data, *comparison.inputs, *(f"breaking: {sentence}" for sentence in comparison.breaks)]
    return [*shown, comparison.words]


def _span(interval: Any) -> str:
    if interval is None:
        return ""
    return f"{in_words(interval.value)} ({in_words(interval.low)} to {in_words(interval.high)})"
