"""`python run.py --config configs/promote.yaml`: run the promotion pipeline on the active stack."""

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from zenml.models import PipelineRunResponse

from commands.common import execution
from commands.common.execution import SUCCESS, RunRequest
from commands.common.failures import FAILURE
from pipelines.promotion import promotion
from registry import configs
from registry.mlflow_registry import registry_client
from tabular import names

PIPELINE = promotion


def run(request: RunRequest, root: Path) -> int:
    """Run the pipeline, and print the aliases of the version.

    Returns:
        The exit code; 1 if the run failed or the version did not get the alias.
    """
    wanted = request.configuration.given["parameters"]["promotion"].get("to", "champion")

    def report(finished: PipelineRunResponse, _: str, console: Console) -> int:
        [made] = finished.steps["release"].outputs[names.PROMOTION]
        found = made.load()
        configs.export_champion(root, registry_client(), found.name)
        aliases = ", ".join(found.aliases) or "without an alias"
        console.print(f"{found.name} version {found.version}: {aliases}", soft_wrap=True)
        console.print(f"gate: {escape(found.reason)}", soft_wrap=True)
        if found.manifest:
            console.print(f"release: revision {found.revision}, {found.manifest}", soft_wrap=True)
        console.print("next: `python run.py models history` shows what was decided, by whom and why")
        return SUCCESS if wanted in found.aliases else FAILURE

    return execution.run(request, promotion, root, report)
