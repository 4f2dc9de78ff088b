"""Running a pipeline on the active stack, or showing what would run."""

import contextlib
import functools
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml
from rich.console import Console
from rich.markup import escape
from zenml.client import Client
from zenml.enums import ExecutionStatus
from zenml.models import PipelineRunResponse
from zenml.pipelines.pipeline_definition import Pipeline

from commands.common import interruption, preflight, reuse
from commands.common.arguments import Configuration
from commands.common.failures import FAILURE, is_expected
from commands.common.quiet import without_explained_traces
from commands.common.selection import keep_steps
from stacks import local

SUCCESS = 0


class CompositionFailed(Exception):
    """A pipeline could not be composed because of a mistake in the code. Its cause is the exception of that code."""


@dataclass(frozen=True)
class RunRequest:
    """The part of a command line that says what to run."""

    configuration: Configuration
    only: tuple[str, ...] = ()
    """The steps to run; all steps if empty."""
    until: str | None = None
    """The last step to run, together with the steps that it needs."""
    use_cache: bool = True


def describe(request: RunRequest, pipeline: Pipeline, root: Path) -> int:
    """Print the resolved configuration, the stack and the steps that would run, without running anything.

    The repository is initialised for ZenML if it is new, because the stack belongs to what is printed.
    """
    console = Console()
    stack = local.activate(root)
    with _configured(request, pipeline) as configured:
        configured.prepare()
        console.print(yaml.safe_dump(request.configuration.resolved.model_dump(mode="json"), sort_keys=False))
        console.print(f"stack: {stack}")
        console.print(f"steps: {', '.join(configured.invocations)}")
    return SUCCESS


def run(
    request: RunRequest, pipeline: Pipeline, root: Path, report: Callable[[PipelineRunResponse, str, Console], int]
) -> int:
    """Run a pipeline, and report its result.

    Args:
        report: called with the completed run, the name of the stack and the console; returns the exit code.

    Returns:
        The exit code; 1 if the run failed.

    Raises:
        CompositionFailed: no step was run, because the pipeline itself raised an unexpected exception.
    """
    console = Console()
    stack = local.activate(root)
    console.print(f"stack: [bold]{stack}[/bold]")
    preflight.ensure_usable(root)
    with _configured(request, pipeline) as configured, without_explained_traces(), reuse.checked():
        try:
            finished = configured()
        except Exception as error:
            if interruption.received() or is_expected(error) or isinstance(error, CompositionFailed):
                raise
            # ZenML has logged the trace of the step that failed.
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
def _configured(request: RunRequest, pipeline: Pipeline) -> Iterator[Pipeline]:
    """The pipeline with its configuration, which composes only the steps that were asked for."""
    given = dict(request.configuration.given)
    if not request.use_cache:
        given["enable_cache"] = False
    with tempfile.TemporaryDirectory(prefix="stackhouse-") as folder:
        file = Path(folder, "config.yaml")
        file.write_text(yaml.safe_dump(given, sort_keys=False))
        configured = pipeline.with_options(config_path=str(file))
        compose = configured.entrypoint

        @functools.wraps(compose)
        def compose_part(**parameters: Any) -> None:
            try:
                compose(**parameters)
                keep_steps(configured, request.only, request.until)
            except Exception as error:
                if is_expected(error):
                    raise
                raise CompositionFailed(f"the pipeline {pipeline.name} cannot be composed") from error

        configured.entrypoint = cast(Any, compose_part)  # the type of a function in general, says ZenML
        yield configured
