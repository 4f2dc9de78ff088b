"""The options and the answer of every command about a registered model: a table for people, or JSON."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from commands.common.screen import Screen
from commands.common.session import ended_in_one_line

MODEL = "stackhouse.model"
"""Where the group leaves its --model for the verb."""


@dataclass(frozen=True)
class ModelsCommand:
    """What is asked for, whatever the verb."""

    root: Path
    """The repository."""
    model: str | None
    """The registered model; None for the only one."""
    screen: Screen


def answers(function: Callable[..., None]) -> Callable[..., None]:
    """Give a verb `--model` and `--output`; its first argument becomes the `ModelsCommand`."""

    @click.option("--model", help="The registered model; the only one if left out.")
    @click.option(
        "--output",
        type=click.Choice(["table", "json"]),
        default="table",
        show_default=True,
        help="json: one document on stdout, all else on stderr.",
    )
    @click.pass_context
    @functools.wraps(function)
    def wrapper(context: click.Context, /, model: str | None, output: str, **given: Any) -> None:
        screen = Screen(output == "json")
        request = ModelsCommand(context.obj, model or context.meta.get(MODEL), screen)
        with screen.kept_clean(), ended_in_one_line():
            function(request, **given)

    return wrapper
