"""`python run.py stacks …`: register, list, check and delete the stacks of `configs/stacks`."""

import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commands.common.machine import ensure_sound
from tabular.errors import UserError

if TYPE_CHECKING:
    from stacks.files import StackFile

PAST = {"register": "registered", "update": "updated"}


def in_repository(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the folder of the repository, after the machine was checked."""

    @click.pass_obj
    @functools.wraps(function)
    def wrapper(root: Path, /, **given: Any) -> None:
        ensure_sound(root)
        function(root, **given)

    return wrapper


@click.group()
def stacks() -> None:
    """Register, list, check and delete the stacks of configs/stacks.

    \b
    python run.py stacks apply gcs-emulated
    python run.py stacks check gcs-emulated
    zenml stack set gcs-emulated
    """  # noqa: D301


@stacks.command()
@click.argument("name", required=False)
@in_repository
def apply(root: Path, name: str | None) -> None:
    """Register or update a stack as its file says; without NAME, every stack whose variables are set."""
    from stacks import files, local, registration

    local.activate(root)
    done: list[str] = []
    for stack in [name] if name else files.names(root):
        file = files.read(root, stack)
        if not name and (lacking := files.unset(file, os.environ)):
            click.echo(
                f"{stack}: left out: {_not_set(lacking)}; `python run.py stacks apply {stack}` says what they are"
            )
            continue
        try:
            changes = registration.apply(stack, files.resolve(file, stack, os.environ))
        except UserError as error:
            if name:
                raise
            click.echo(f"{stack}: left out: {error}")
            continue
        done.append(stack)
        changed = [f"{PAST[change.action]} {change.what}" for change in changes if change.action != "keep"]
        click.echo(f"{stack}: {', '.join(changed) or 'nothing to change'}")
    if done:
        which = done[0] if len(done) == 1 else "NAME"
        click.echo(f"next: `python run.py stacks check {which}`, `zenml stack set {which}`")


@stacks.command("list")
@in_repository
def list_(root: Path) -> None:
    """Show each stack that has a file, and whether it is registered as the file says."""
    from rich.console import Console
    from rich.table import Table
    from zenml.client import Client

    from stacks import files, local

    active = local.activate(root)
    table = Table("", "stack", "state", "what it is")
    for name in files.names(root):
        file = files.read(root, name)
        table.add_row("*" if name == active else "", name, _state(name, file), file.description)
    for other in sorted({stack.name for stack in Client().list_stacks(size=100)} - set(files.names(root))):
        table.add_row("*" if other == active else "", other, "registered", "without a file in configs/stacks")
    Console().print(table)
    click.echo("next: `python run.py stacks apply NAME`, `zenml stack set NAME`")


@stacks.command()
@click.argument("name")
@in_repository
def check(root: Path, name: str) -> None:
    """Check that every component of a stack can be reached; the exit code is 1 if one of them fails."""
    from rich.console import Console
    from rich.table import Column, Table

    from stacks import checks, files, local, needs, registration

    local.activate(root)
    file = files.find(root, name)
    stack = registration.find_stack(name)
    if stack is None:
        if file is None:
            files.read(root, name)
        raise UserError(f"the stack '{name}' is not registered; run `python run.py stacks apply {name}`")
    found = checks.check(stack, file)
    table = Table("component", "state", Column("what was found", overflow="fold"))
    for finding in found:
        colour = {"ok": "green", "fails": "red", "unchecked": "yellow"}[finding.state]
        table.add_row(finding.what, f"[{colour}]{finding.state}[/{colour}]", finding.text)
    Console().print(table)
    lacking = needs.missing(stack, file, os.environ)
    if lacking:
        click.echo(files.explain_variables(f"a run on '{name}'", lacking))
    if lacking or any(finding.state == "fails" for finding in found):
        click.echo(f"next: {(file and file.when_down) or 'mend what fails, and check again'}")
        sys.exit(1)
    click.echo(f"next: `zenml stack set {name}`, then `python run.py --config configs/train.yaml`")


@stacks.command()
@click.argument("name")
@in_repository
def delete(root: Path, name: str) -> None:
    """Delete a stack, its secrets, and the components that no other stack uses; the contents of the stores stay."""
    from stacks import files, local, registration

    local.activate(root)
    deleted = registration.delete(name, files.read(root, name))
    click.echo(f"{name}: deleted {', '.join(deleted)}" if deleted else f"{name}: nothing to delete")
    click.echo(f"next: `python run.py stacks apply {name}` brings it back")


def _state(name: str, file: "StackFile") -> str:
    from stacks import files, registration

    registered = registration.find_stack(name) is not None
    if lacking := files.unset(file, os.environ):
        return f"{'registered' if registered else 'not registered'}; {_not_set(lacking)}"
    try:
        changes = registration.plan(name, files.resolve(file, name, os.environ))
    except UserError as error:
        return str(error)
    if all(change.action == "keep" for change in changes):
        return "registered"
    return "differs from its file" if registered else "not registered"


def _not_set(lacking: dict[str, str]) -> str:
    return f"{len(lacking)} environment variable{' is' if len(lacking) == 1 else 's are'} not set"
