"""`python run.py --config configs/train.yaml`: run the training pipeline on the active stack."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from rich.console import Console
from rich.markup import escape
from zenml.client import Client
from zenml.enums import ExecutionStatus
from zenml.pipelines.pipeline_definition import Pipeline

from commands import preflight, summary
from commands.arguments import Configuration
from commands.quiet import without_traces_of
from commands.selection import keep_steps
from pipelines.training import training
from stacks import local
from stacks.gcsfs_store import StoreUnreachable
from tabular.errors import UserError

SUCCESS, FAILURE = 0, 1


@dataclass(frozen=True)
class Plan:
    """What the command line asks for."""

    configuration: Configuration
    only: tuple[str, ...]
    until: str | None
    use_cache: bool


def describe(plan: Plan, root: Path) -> int:
    """Print the resolved config, the stack and the steps that would run.

    Nothing is run. A repository that was never initialised is, because the stack belongs to the answer.
    """
    console = Console()
    stack = local.activate(root)
    with _prepared(plan) as pipeline:
        console.print(yaml.safe_dump(plan.configuration.resolved.model_dump(mode="json"), sort_keys=False))
        console.print(f"stack: {stack}")
        console.print(f"steps: {', '.join(pipeline.invocations)}")
    return SUCCESS


def run(plan: Plan, root: Path) -> int:
    """Run the pipeline, leave `reports/latest/summary.json`, and say where to look.

    Returns:
        The exit code: 1 for a failed run, or a model that the gate rejects.
    """
    console = Console()
    stack = local.activate(root)
    console.print(f"stack: [bold]{stack}[/bold]")
    try:
        preflight.ensure_usable(root)
    except preflight.StackUnusable as error:
        console.print(f"[red]nothing was run:[/red] {escape(str(error))}", soft_wrap=True)
        return FAILURE
    with _prepared(plan) as pipeline, without_traces_of(UserError, StoreUnreachable):
        try:
            finished = pipeline._run()
        except UserError:
            raise
        except Exception as error:  # ZenML has logged the trace of the step that failed.
            console.print(f"[red]the run failed:[/red] {escape(str(error))}", soft_wrap=True)
            again = "next: mend it and type the same command; finished steps and trials are not repeated"
            console.print(again, soft_wrap=True)
            return FAILURE
    if finished is None:
        console.print("the run was handed to the stack's scheduler; follow it in the ZenML dashboard")
        return SUCCESS
    finished = Client().get_pipeline_run(finished.id)
    if finished.status != ExecutionStatus.COMPLETED:
        console.print(
            f"[red]the run {finished.name} has ended as {finished.status}[/red]; `zenml login --local` shows why"
        )
        return FAILURE
    report = summary.collect(finished, plan.configuration, stack)
    folder = summary.write(report, root / "reports", finished.name)
    summary.show(report, folder.relative_to(root), console)
    return FAILURE if report["gate"] == "reject" else SUCCESS


@contextlib.contextmanager
def _prepared(plan: Plan) -> Iterator[Pipeline]:
    """The pipeline with its configuration, cut down to the steps that are asked for."""
    folder = Path(tempfile.mkdtemp(prefix="stackhouse-"))
    try:
        file = folder / "config.yaml"
        given = dict(plan.configuration.given)
        if not plan.use_cache:
            given["enable_cache"] = False
        file.write_text(yaml.safe_dump(given, sort_keys=False))
        pipeline = training.with_options(config_path=str(file))
        pipeline.prepare()
        keep_steps(pipeline, plan.only, plan.until)
        yield pipeline
    finally:
        shutil.rmtree(folder)
