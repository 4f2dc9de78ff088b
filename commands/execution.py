"""Running a pipeline on the active stack, or saying what would run."""

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from rich.console import Console
from rich.markup import escape
from zenml.client import Client
from zenml.enums import ExecutionStatus
from zenml.models import PipelineRunResponse
from zenml.pipelines.pipeline_definition import Pipeline

from commands import preflight
from commands.arguments import Configuration
from commands.quiet import without_traces_of
from commands.selection import keep_steps
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


def describe(plan: Plan, pipeline: Pipeline, root: Path) -> int:
    """Print the resolved config, the stack and the steps that would run.

    Nothing is run. A repository that was never initialised is, because the stack belongs to the answer.
    """
    console = Console()
    stack = local.activate(root)
    with _prepared(plan, pipeline) as prepared:
        console.print(yaml.safe_dump(plan.configuration.resolved.model_dump(mode="json"), sort_keys=False))
        console.print(f"stack: {stack}")
        console.print(f"steps: {', '.join(prepared.invocations)}")
    return SUCCESS


def run(plan: Plan, pipeline: Pipeline, root: Path, report: Callable[[PipelineRunResponse, str, Console], int]) -> int:
    """Run the pipeline, and report what came of it.

    Args:
        plan: what to run of it.
        pipeline: as its module defines it.
        root: the repository.
        report: given the completed run, the name of the stack and where to print, returns the exit code.

    Returns:
        The exit code: 1 for a failed run.
    """
    console = Console()
    stack = local.activate(root)
    console.print(f"stack: [bold]{stack}[/bold]")
    try:
        preflight.ensure_usable(root)
    except preflight.StackUnusable as error:
        console.print(f"[red]nothing was run:[/red] {escape(str(error))}", soft_wrap=True)
        return FAILURE
    with _prepared(plan, pipeline) as prepared, without_traces_of(UserError, StoreUnreachable):
        try:
            finished = prepared._run()
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
    return report(finished, stack, console)


@contextlib.contextmanager
def _prepared(plan: Plan, pipeline: Pipeline) -> Iterator[Pipeline]:
    """The pipeline with its configuration, cut down to the steps that are asked for."""
    folder = Path(tempfile.mkdtemp(prefix="stackhouse-"))
    try:
        file = folder / "config.yaml"
        given = dict(plan.configuration.given)
        if not plan.use_cache:
            given["enable_cache"] = False
        file.write_text(yaml.safe_dump(given, sort_keys=False))
        prepared = pipeline.with_options(config_path=str(file))
        prepared.prepare()
        keep_steps(prepared, plan.only, plan.until)
        yield prepared
    finally:
        shutil.rmtree(folder)
