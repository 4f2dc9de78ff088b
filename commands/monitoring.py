"""`python run.py --config configs/monitor.yaml`: run the monitoring pipeline on the active stack."""

import shlex
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from zenml.models import PipelineRunResponse

from commands import retraining
from commands.common import execution
from commands.common.execution import SUCCESS, RunRequest
from commands.common.failures import FAILURE
from commands.common.summary import artifacts_of
from commands.common.verdict_report import ALERT, keep, show
from pipelines.monitoring import monitoring
from registry.watching import open_watch
from stacks.orchestrator import require_schedulable
from tabular import names
from tabular.config.monitoring import MonitoringFile
from tabular.reports.verdicts import Verdict

WINDOWS = 48
"""Number of windows on the page of a verdict."""

PIPELINE = monitoring


def run(request: RunRequest, root: Path) -> int:
    """Run the pipeline, say what was found, and train where the policy says so.

    Returns:
        The exit code: 3 for an alert, whatever followed it; 1 for a failed run or training.
    """
    file = request.configuration.resolved
    assert isinstance(file, MonitoringFile)
    config = file.parameters.monitoring
    require_schedulable(file.schedule, "configs/monitor.yaml")
    if config.on_retrain == "train":
        retraining.training_configuration(config, root)  # a mistake in it is found before any work

    def report(finished: PipelineRunResponse, stack: str, console: Console) -> int:
        made = artifacts_of(finished)
        if names.VERDICT not in made:
            console.print(f"without a verdict, because only this was run: {', '.join(finished.steps)}")
            return SUCCESS
        verdict: Verdict = made[names.VERDICT].load()
        known = open_watch(verdict.model).verdicts(verdict.version, WINDOWS)
        earlier = [one for one in known if one.end < verdict.end]
        kept = keep(finished, verdict, stack, root, earlier)
        show(verdict, console)
        if names.NOTIFICATION in made:
            console.print(escape(made[names.NOTIFICATION].load().words), soft_wrap=True)
        console.print(kept, soft_wrap=True)
        code = ALERT if verdict.level == "alert" else SUCCESS
        if verdict.retrain and config.on_retrain == "train":
            trained = retraining.retrain(config, verdict, root, console)
            return code or (FAILURE if not trained else SUCCESS)
        console.print("next: `python run.py monitor status` shows the last windows")
        if verdict.retrain:
            again = escape(f"python run.py --config {shlex.quote(config.training.config)}")
            console.print(f"      `{again}` trains on the newest data", soft_wrap=True)
        return code

    return execution.run(request, monitoring, root, report)
