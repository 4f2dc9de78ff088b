"""`python run.py --config configs/train.yaml`: run the training pipeline on the active stack."""

from pathlib import Path

from rich.console import Console
from zenml.models import PipelineRunResponse

from commands import execution, summary
from commands.execution import FAILURE, SUCCESS, Plan
from pipelines.training import training


def describe(plan: Plan, root: Path) -> int:
    """Print the resolved config, the stack and the steps that would run."""
    return execution.describe(plan, training, root)


def run(plan: Plan, root: Path) -> int:
    """Run the pipeline, leave `reports/latest/summary.json`, and say where to look.

    Returns:
        The exit code: 1 for a failed run, or a model that the gate rejects.
    """

    def report(finished: PipelineRunResponse, stack: str, console: Console) -> int:
        collected = summary.collect(finished, plan.configuration, stack)
        folder = summary.write(collected, root / "reports", finished.name)
        summary.show(collected, folder.relative_to(root), console)
        return FAILURE if collected["gate"] == "reject" else SUCCESS

    return execution.run(plan, training, root, report)
