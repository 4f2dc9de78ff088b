"""The command group `models`, and the options that its changing commands share."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from commands.common.answering import MODEL, ModelsCommand, answers


@dataclass(frozen=True)
class ChangeOptions:
    """The options of a command that changes something."""

    reason: str
    dry_run: bool
    yes: bool


@click.group()
@click.option(
    "--model", envvar="STACKHOUSE_MODEL", help="Name of the registered model; may be left out if there is one only."
)
@click.pass_context
def models(context: click.Context, model: str | None) -> None:
    """Look at the versions of a model; compare, promote, roll back, archive, delete and release them.

    A version V is a number, an alias such as champion or @champion, or newest.

    \b
    python run.py models versions
    python run.py models compare champion newest
    python run.py models promote 7 --to champion --dry-run
    python run.py models rollback --reason "prices are off"
    python run.py models release show
    """  # noqa: D301
    context.meta[MODEL] = model


def changes(function: Callable[..., None]) -> Callable[..., None]:
    """Add `--dry-run`, `--reason` and `--yes` to a command; its second argument becomes `ChangeOptions`."""

    @click.option("--dry-run", is_flag=True, help="Show what would change, and write nothing.")
    @click.option("--reason", default="", metavar="TEXT", help="The reason, for the history.")
    @click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
    @functools.wraps(function)
    def wrapper(request: ModelsCommand, /, dry_run: bool, reason: str, yes: bool, **given: Any) -> None:
        function(request, ChangeOptions(reason, dry_run, yes), **given)

    return answers(wrapper)
