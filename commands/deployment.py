"""`python run.py --config configs/deploy.yaml`: run the deploy pipeline on the active stack."""

from pathlib import Path

from rich.console import Console
from zenml.models import PipelineRunResponse

from commands import execution
from commands.execution import SUCCESS, Plan
from pipelines.deployment import deploy


def describe(plan: Plan, root: Path) -> int:
    """Print the resolved config, the stack and the steps that would run."""
    return execution.describe(plan, deploy, root)


def run(plan: Plan, root: Path) -> int:
    """Run the pipeline, and say what answers where.

    Returns:
        The exit code: 1 for a service that did not come up.
    """
    return execution.run(plan, deploy, root, _report)


def _report(finished: PipelineRunResponse, _: str, console: Console) -> int:
    [deployment] = finished.steps["deploy"].outputs["deployment"]
    found = deployment.load()
    if found["state"] == "running":
        console.print(f"service: [bold]{found['bento']}[/bold] answers on {found['url']}", soft_wrap=True)
        console.print("next: `zenml model-deployer models list` shows it, and")
        console.print(f"      `zenml model-deployer models logs {found['id']}` what it writes", soft_wrap=True)
    else:
        console.print("service: stopped")
        console.print("next: `python run.py --config configs/deploy.yaml` starts it again")
    return SUCCESS
