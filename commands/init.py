"""`python run.py init --data FILE --target COLUMN`: look at a table, and write its run configuration."""

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from tabular.config.base import LONGEST_NAME, model_name
from tabular.errors import UserError

if TYPE_CHECKING:
    from tabular.profiling.found import TableFound
    from tabular.profiling.profile import ProfiledTable

COLOURS = {"loud": "bold red", "warning": "yellow", "note": "dim"}
SHOWN = 40
"""Number of columns in the printed profile."""


@click.command()
@click.option("--data", required=True, metavar="FILE", help="CSV or Parquet, also gzipped; a path, gs:// or https://.")
@click.option("--target", required=True, metavar="COLUMN", help="The column to predict.")
@click.option("--name", metavar="NAME", help="Name of the model and of its configuration; by default that of the file.")
@click.option(
    "--task", type=click.Choice(["regression", "classification"]), help="By default the values of the target decide."
)
@click.option("--encoding", metavar="NAME", help="Encoding of a CSV that is not UTF-8, such as cp949 or cp1251.")
@click.option("--skip", type=click.IntRange(0), default=0, metavar="N", help="Number of lines before a CSV's header.")
@click.option("--force", is_flag=True, help="Overwrite an existing configuration.")
@click.pass_obj
def init(
    root: Path,
    data: str,
    target: str,
    name: str | None,
    task: Literal["regression", "classification"] | None,
    encoding: str | None,
    skip: int,
    force: bool,
) -> None:
    """Look at a table, and write a run configuration to train on it: configs/NAME.yaml.

    \b
    python run.py init --data flats.csv --target price
    python run.py --config configs/flats.yaml
    """  # noqa: D301
    called = _name(name, data)
    file = root / "configs" / f"{called}.yaml"
    shown = f"configs/{called}.yaml"
    if file.exists() and not force:
        raise UserError(f"{shown} exists already; give another --name, or --force to overwrite it")

    from tabular.profiling import profile, writing
    from tabular.storage import addresses, places
    from tabular.table.sources import content_at

    content = content_at(data, "--data")
    profiled = profile.profile(content, addresses.public(data), target, task, encoding, skip)
    location, secrets = _without_secrets(_location(data, root), called)
    text = writing.write(profiled.found, called, location, hashlib.sha256(content).hexdigest(), shown)
    _check(text, profiled)
    places.write(str(file), text.encode())
    _print(profiled.found)
    click.echo(f"wrote {shown}")
    if secrets:
        click.echo(f"{shown} leaves out what may be secret: set {' and '.join(secrets)}, such as in .env")
    click.echo(f"next: `python run.py --config {shown}`")


def _name(name: str | None, data: str) -> str:
    """The name of the model, as given or derived from the name of the file."""
    if name is not None:
        try:
            return model_name(name)
        except ValueError as error:
            raise UserError(f"--name: {error}") from None
    file = re.split(r"[?#]", data)[0].rstrip("/").rpartition("/")[2]
    made = re.sub(r"[^A-Za-z0-9_]+", "-", file.partition(".")[0]).strip("-_").lower()[:LONGEST_NAME]
    if not made:
        raise UserError(f"--data: {file!r} gives no name for the model; give one with --name")
    return made


def _location(data: str, root: Path) -> str:
    """The location of the table for a command that is typed in the repository."""
    from tabular.storage.addresses import is_remote

    if is_remote(data):
        return data
    file = Path(os.path.abspath(Path(data.removeprefix("file://")).expanduser()))
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file)


def _without_secrets(location: str, name: str) -> tuple[str, list[str]]:
    """The location with names of variables in place of its secret parts; which variables have to be set to what."""
    from tabular.storage.addresses import holds_secret, public

    if not holds_secret(location):
        return location, []
    address = public(location)
    variable = f"STACKHOUSE_{re.sub('[^A-Z0-9]', '_', name.upper())}"
    secrets = []
    if "?" in location:
        secrets.append(f"{variable}_QUERY to what follows the question mark")
        address = f"{address}?${variable}_QUERY"
    if not location.startswith(public(location)):
        secrets.append(f"{variable}_LOGIN to what precedes the @")
        address = address.replace("://", f"://${variable}_LOGIN@", 1)
    return address, secrets


def _check(text: str, profiled: "ProfiledTable") -> None:
    """Check the table against the rules that were written for it, and split it as a training does."""
    import yaml
    from pydantic import ValidationError

    from tabular.config.base import explain
    from tabular.config.training import TrainingFile
    from tabular.table import splitting, validation

    try:
        parameters = TrainingFile.model_validate(yaml.safe_load(text)).parameters
    except ValidationError as error:
        raise UserError(f"this table cannot be described: {explain(error, TrainingFile)}") from error
    validation.refuse(validation.validate(profiled.rows, parameters.target, parameters.validation))
    splitting.split(profiled.rows, parameters.target, parameters.split, parameters.seed)


def _print(found: "TableFound") -> None:
    """Print the profile of the table, the findings, and the use of each column."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Column, Table

    aim = found.target
    title = f"{found.rows:,} rows, {len(found.columns)} columns; a {aim.task} of '{aim.column}': {aim.why}"
    table = Table(
        "column", "kind", "missing", "distinct", Column("values", overflow="fold"), "use", title=escape(title)
    )
    for column in found.columns[:SHOWN]:
        share = 100 * column.missing / max(1, column.missing + column.known)
        values = f"{column.low:.6g} to {column.high:.6g}" if column.low is not None else column.why
        use = "target" if column.name == aim.column else "input" if column.drop is None else "[yellow]left out[/yellow]"
        missing = f"{share:.3g}%" if column.missing else ""
        table.add_row(escape(column.name), column.kind, missing, f"{column.distinct:,}", escape(values), use)
    console = Console()
    console.print(table)
    if len(found.columns) > SHOWN:
        console.print(f"… and {len(found.columns) - SHOWN} more columns")
    if aim.classes:
        counts = list(aim.classes.items())
        words = ", ".join(f"{label} {rows:,}" for label, rows in counts[:10])
        console.print(f"classes: {escape(words)}{' …' if len(counts) > 10 else ''}")
    for finding in found.findings:
        where = f"{finding.column}: " if finding.column is not None else ""
        colour = COLOURS[finding.level]
        console.print(f"[{colour}]{finding.level}[/{colour}] {escape(where + finding.text)}", soft_wrap=True)
