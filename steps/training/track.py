"""Send the reports of a training run to one tracker of the active stack."""

from typing import Any, Literal

from zenml import get_step_context, step

from materializers.caching import depends_on
from tabular.reports.findings import TrainingFindings
from tabular.reports.registered import Registration
from trackers import active


@step(cache_policy=depends_on(active))
def track(
    reports: list[Any], registration: Registration, trials: Literal["table", "runs"], tracker: str, seed: int
) -> None:
    """Send parameters, metrics, every picture, the leaderboard and each trial.

    The step is instantiated once for each tracker of the stack.

    Args:
        reports: what the earlier steps found out.
        registration: the version in the registry.
        trials: whether W&B shows the trials as one table or as a run each.
        tracker: name of the tracker that this step serves. ZenML's cache key holds a step's parameters but not its
            tracker: without this one, what was sent to one tracker would count as sent to the next.
        seed: random seed of the run.
    """
    pictures = {
        item.uri.rpartition("/")[2]: item.uri
        for versions in get_step_context().inputs.values()
        for version in versions
        for item in version.visualizations or []
        if item.type in ("image", "html")
    }
    active.sender(tracker).send(TrainingFindings.of(reports), registration, pictures, seed, trials)
