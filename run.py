"""The command line. It parses and validates its arguments before anything heavy is imported."""

import gc
import importlib
import io
import json
import os
import sys
import warnings
from collections.abc import MutableMapping
from pathlib import Path

import click

from commands.common import interruption
from tabular.errors import UserError

ROOT = Path(__file__).resolve().parent

DEFAULTS = {
    # Usage reporting is off.
    "ZENML_ANALYTICS_OPT_IN": "false",
    "BENTOML_DO_NOT_TRACK": "True",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "1",
    # Without this, MLflow tries for minutes to reach a server that is down.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    # MLflow would show a bar for each small file that it reads.
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # With gRPC, gcsfs would wait without end for a server that speaks only HTTP.
    "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",
}
"""Environment variables that are set unless the environment sets them already."""
LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")
"""Names of this machine, which is never asked through a proxy."""


GROUPS = {
    "init": "commands.init",
    "models": "commands.models",
    "monitor": "commands.monitor_status",
    "serve": "commands.serve",
    "stacks": "commands.stacks",
}
"""Modules of the other commands by name. A module is imported when its command, of the same name, is used."""


class LazyGroup(click.Group):
    """A group that imports the commands below it when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands below the group."""
        return sorted(GROUPS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of a name."""
        if cmd_name not in GROUPS:
            return None
        command: click.Command = getattr(importlib.import_module(GROUPS[cmd_name]), cmd_name)
        return command


def _steps(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if value else ()


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    subcommand_metavar="[COMMAND]",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    default=Path("configs/train.yaml"),
    show_default=True,
    help="The run configuration.",
)
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key; may be repeated.")
@click.option(
    "--only",
    callback=_steps,
    metavar="STEP[,STEP]",
    help="Run only these steps, on the newest artifacts of the others.",
)
@click.option("--until", metavar="STEP", help="Run this step and the steps that it needs, and no others.")
@click.option("--no-cache", is_flag=True, help="Run every step again, also unchanged ones.")
@click.option(
    "--dry-run", is_flag=True, help="Print the configuration with all defaults, the stack and the steps that would run."
)
@click.option("--schema", is_flag=True, help="Print the JSON schema of the run configuration.")
@click.pass_context
def train(
    context: click.Context,
    file: Path,
    overrides: tuple[str, ...],
    only: tuple[str, ...],
    until: str | None,
    no_cache: bool,
    dry_run: bool,
    schema: bool,
) -> None:
    """Train, register, promote or monitor a model, or score a table, on the active ZenML stack.

    \b
    python run.py --config configs/train.yaml
    python run.py --config configs/train.yaml --set search.trials=10 --set data.path=my.csv
    python run.py --config configs/train.yaml --only evaluate,gate
    python run.py --config configs/promote.yaml
    python run.py --config configs/batch.yaml
    python run.py --config configs/monitor.yaml
    """  # noqa: D301
    context.obj = ROOT
    if context.invoked_subcommand is not None:
        return

    from commands.common import arguments
    from tabular.config.training import TrainingFile

    if schema:
        click.echo(json.dumps(TrainingFile.model_json_schema(), indent=2))
        return
    if only and until:
        raise UserError("--only and --until exclude each other: --until already names the last step")
    configuration = arguments.read(file, overrides)
    from commands.common import machine

    machine.ensure_sound(ROOT, runs=not dry_run)
    if isinstance(configuration.resolved, TrainingFile) and not dry_run:
        from commands.common import announcement

        announcement.announce(configuration.resolved.parameters.data)
    from commands.common import execution

    command = importlib.import_module(f"commands.{configuration.pipeline}")
    request = execution.RunRequest(configuration, only, until, use_cache=not no_cache)
    sys.exit(execution.describe(request, command.PIPELINE, ROOT) if dry_run else command.run(request, ROOT))


def complete(environment: MutableMapping[str, str]) -> None:
    """Set what every command, and every program that it starts, needs in its environment."""
    for name, value in DEFAULTS.items():
        environment.setdefault(name, value)
    # Programs differ in which of the two names they read. An asterisk stands for every host, and only if it is alone.
    given = [host.strip() for name in ("no_proxy", "NO_PROXY") for host in environment.get(name, "").split(",")]
    hosts = ["*"] if "*" in given else [*filter(None, given), *LOOPBACK]
    environment["no_proxy"] = environment["NO_PROXY"] = ",".join(dict.fromkeys(hosts))


def _read_dotenv() -> None:
    """Set the variables of `.env` that the environment does not set. Raises UserError where it is not UTF-8."""
    file = ROOT / ".env"
    if not file.is_file():
        return
    content = file.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"  # which text in UTF-16 is full of, also where it can be read as UTF-8
    if "\0" in text:
        raise UserError(
            f"{file} is not a text in UTF-8; save it in UTF-8 (PowerShell writes UTF-16: add -Encoding utf8)"
        )
    from dotenv import load_dotenv

    load_dotenv(stream=io.StringIO(text))


def _end(error: BaseException) -> int:
    """Say in one line what ended the command. Returns the exit code; raises a mistake in the code again."""
    if interruption.received():
        interruption.end()
    if isinstance(error, click.ClickException):
        error.show()
        return error.exit_code
    if isinstance(error, click.Abort):  # the input ended where a question was asked
        click.echo("nothing was changed", err=True)
        return 1
    from commands.common import failures

    if (end := failures.ending(error)) is None:
        raise error
    click.echo(f"error: {end.line}", err=True)
    return end.code


def main() -> None:
    """Run the command line; mistakes, broken machines and interruptions end in one line and an exit code."""
    interruption.install()
    # Imports make millions of objects that stay; with the default thresholds, scanning them takes half a second.
    gc.set_threshold(100_000, 50, 100)
    # Google's clients warn of the end of their support for this version of Python.
    warnings.filterwarnings("ignore", category=FutureWarning, message="You are using a Python version")
    try:
        _read_dotenv()
        complete(os.environ)
        sys.exit(train(standalone_mode=False))
    except (Exception, KeyboardInterrupt) as error:
        sys.exit(_end(error))


if __name__ == "__main__":
    main()
