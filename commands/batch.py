"""`python run.py --config configs/batch.yaml`: score a table on the active stack."""

import shlex
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from zenml.models import PipelineRunResponse

from commands.common import execution
from commands.common.execution import SUCCESS, RunRequest
from commands.common.failures import FAILURE
from commands.common.summary import artifacts_of
from commands.common.verdict_report import ALERT, keep, show
from pipelines.batch_inference import batch_inference
from stacks.orchestrator import require_schedulable
from tabular import names
from tabular.batch.report import BatchReport
from tabular.config.batch import BatchConfig, BatchFile
from tabular.reports.verdicts import Verdict

SHOWN = 5
"""Number of reasons for rejected rows that are printed at the end of a run."""

PIPELINE = batch_inference


def run(request: RunRequest, root: Path) -> int:
    """Run the pipeline, and print its outcome.

    Returns:
        The exit code: 1 for a failed run, or when more rows were rejected than the config allows; 3 for an alert.
    """
    file = request.configuration.resolved
    assert isinstance(file, BatchFile)
    require_schedulable(file.schedule, "configs/batch.yaml")
    config = file.parameters.batch

    def report(finished: PipelineRunResponse, stack: str, console: Console) -> int:
        made = artifacts_of(finished)
        code = _show(made[names.BATCH_REPORT].load(), config, console)
        if names.VERDICT not in made:
            return code
        verdict: Verdict = made[names.VERDICT].load()
        kept = keep(finished, verdict, stack, root)
        show(verdict, console)
        console.print(kept, soft_wrap=True)
        if code == SUCCESS:
            shown = f"import pandas; print(pandas.read_parquet({config.output.rstrip('/') + '/predictions'!r}))"
            console.print(
                f"next: `python -c {escape(shlex.quote(shown))}`",
                soft_wrap=True,
            )
        return code or (ALERT if verdict.level == "alert" else SUCCESS)

    return execution.run(request, batch_inference, root, report)


def _show(found: BatchReport, config: BatchConfig, console: Console) -> int:
    named = f"{escape(found.model)} version {found.version}"
    if found.was_done:
        console.print(f"already scored with {named}: nothing was left to do")
    else:
        again = f", {found.resumed} of {found.chunks} chunks were finished before" if found.resumed else ""
        console.print(f"scored with {named} at {found.rows_per_second:,.0f} rows/s{again}", soft_wrap=True)
    console.print(f"rows: {found.rows:,}, scored {found.scored:,}, rejected {found.rejected:,}")
    for reason, count in list(found.reasons.items())[:SHOWN]:
        console.print(f"  {count:,} x {escape(reason)}", soft_wrap=True)
    if len(found.reasons) > SHOWN:
        console.print(f"  and {len(found.reasons) - SHOWN} more reasons")
    for check in found.broken[:SHOWN]:
        rows = f" ({check.failed:,} rows)" if check.failed else ""
        console.print(f"rule: '{escape(str(check.column))}' {escape(check.rule)}{rows}", soft_wrap=True)
    output = found.output.rstrip("/")
    console.print(f"output: {escape(output)}/predictions", soft_wrap=True)
    if found.rejected:
        console.print(f"rejects: {escape(output)}/rejects, each with its reason and as it was read", soft_wrap=True)
    if found.rejected_share > config.max_rejected:
        console.print(
            f"[red]{found.rejected_share:.2%} of the rows were rejected[/red], and batch.max_rejected is "
            f"{config.max_rejected:.2%}; next: mend the input and score it to another folder",
            soft_wrap=True,
        )
        return FAILURE
    return SUCCESS
