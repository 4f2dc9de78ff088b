"""The options that all commands about a registered model have, and their answer: a table for people, or JSON."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from commands.common.machine import ensure_sound
from commands.common.screen import Screen

MODEL = "stackhouse.model"
"""Key under which a group stores its `--model` for the command below it."""


@dataclass(frozen=True)
class ModelsCommand:
    """The options that every command about a registered model has."""

    root: Path
    """Folder of the repository."""
    model: str | None
    """Name of the registered model; None if there is only one."""
    screen: Screen


def answers(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options `--model` and `--output` to a command, which receives a `ModelsCommand` as its first argument."""

    @click.option("--model", help="Name of the registered model; may be left out if there is only one.")
    @click.option(
        "--output",
        type=click.Choice(["table", "json"]),
        default="table",
        show_default=True,
        help="json: one document on stdout, everything else on stderr.",
    )
    @click.pass_context
    @functools.wraps(function)
    def wrapper(context: click.Context, /, model: str | None, output: str, **given: Any) -> None:
        screen = Screen(output == "json")
        request = ModelsCommand(context.obj, model or context.meta.get(MODEL), screen)
        with screen.kept_clean():
            ensure_sound(request.root)
            function(request, **given)

    return wrapper
