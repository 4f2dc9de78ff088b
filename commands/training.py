"""`python run.py --config configs/train.yaml`: run the training pipeline on the active stack."""

import contextlib
import hashlib
from pathlib import Path

from rich.console import Console
from zenml.models import PipelineRunResponse

from commands.common import execution, summary
from commands.common.execution import SUCCESS, RunRequest
from commands.common.failures import FAILURE
from pipelines.training import training
from registry import configs
from registry.mlflow_registry import registry_client
from tabular import names
from tabular.storage.locks import one_at_a_time

PIPELINE = training


def run(request: RunRequest, root: Path) -> int:
    """Run the pipeline, write `reports/latest/summary.json`, and print where to look.

    Returns:
        The exit code; 1 if the run failed or the gate rejected the model.
    """

    def report(finished: PipelineRunResponse, stack: str, console: Console) -> int:
        made = summary.artifacts_of(finished)
        if names.MODEL_CONFIG in made:
            configs.export_trained(root, registry_client(), made[names.MODEL_CONFIG].load())
        collected = summary.collect(finished, request.configuration, stack)
        folder = summary.write(collected, root / "reports", finished.name)
        summary.show(collected, folder.relative_to(root), console)
        return FAILURE if collected["gate"] == "reject" else SUCCESS

    with _alone(request, root):
        return execution.run(request, training, root, report)


def _alone(request: RunRequest, root: Path) -> contextlib.AbstractContextManager[None]:
    """One training of a configuration in this clone at a time: the next one finds every step done."""
    key = hashlib.sha256(request.configuration.resolved.model_dump_json().encode()).hexdigest()[:16]
    said = "another training with this configuration is under way here; this one begins when that one has ended"
    return one_at_a_time(root / ".cache" / "trainings" / f"{key}.lock", lambda: Console().print(said, soft_wrap=True))
