"""The one command line. Parses and validates before anything heavy is imported."""

import json
import os
import sys
from pathlib import Path

import click

from tabular.errors import UserError

ROOT = Path(__file__).resolve().parent
USER_MISTAKE = 2

QUIET = {"ZENML_ANALYTICS_OPT_IN": "false", "BENTOML_DO_NOT_TRACK": "True", "MLFLOW_DISABLE_TELEMETRY": "true"}
"""Usage reporting is off unless the user turns it on in the environment."""


def _steps(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if value else ()


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
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
    "--only", callback=_steps, metavar="STEP[,STEP]", help="Run these steps on the newest artifacts of the others."
)
@click.option("--until", metavar="STEP", help="Run this step and the steps that it needs.")
@click.option("--no-cache", is_flag=True, help="Run every step again.")
@click.option("--dry-run", is_flag=True, help="Print the resolved config, the stack and the steps that would run.")
@click.option("--schema", is_flag=True, help="Print the JSON schema of the run configuration.")
def train(
    file: Path,
    overrides: tuple[str, ...],
    only: tuple[str, ...],
    until: str | None,
    no_cache: bool,
    dry_run: bool,
    schema: bool,
) -> None:
    r"""Train, tune, explain and register a model on the active ZenML stack.

    \b
    python run.py --config configs/train.yaml
    python run.py --config configs/train.yaml --set search.trials=10 --set data.path=my.csv
    python run.py --config configs/train.yaml --only evaluate,gate
    """
    from commands import arguments
    from tabular.config.training import TrainingFile

    if schema:
        click.echo(json.dumps(TrainingFile.model_json_schema(), indent=2))
        return
    if only and until:
        raise UserError("--only and --until exclude each other: --until already names the last step")
    configuration = arguments.read(file, overrides)
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)

    if not dry_run:
        from commands import table

        table.announce(configuration.resolved.parameters.data, ROOT)
    from commands import training

    plan = training.Plan(configuration, only, until, use_cache=not no_cache)
    sys.exit(training.describe(plan, ROOT) if dry_run else training.run(plan, ROOT))


def main() -> None:
    """Turn a user's mistake into one line and exit code 2."""
    try:
        train()
    except UserError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(USER_MISTAKE)


if __name__ == "__main__":
    main()
