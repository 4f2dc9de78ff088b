"""Send what a training run found out to one tracker of the active stack."""

from typing import Literal

from zenml import step

from materializers.caching import depends_on
from tabular.reports.registered import Registration
from tabular.reports.training import TrainingFindings
from trackers import active


@step(cache_policy=depends_on(active))
def track(
    findings: TrainingFindings,
    pictures: dict[str, str],
    registration: Registration,
    trials: Literal["table", "runs"],
    tracker: str,
    seed: int,
) -> None:
    """Send parameters, metrics, every picture, the leaderboard and each trial.

    The step is instantiated once for each tracker of the stack. ZenML's cache key holds a step's parameters but not its
    tracker: without the parameter `tracker`, what was sent to one tracker would count as sent to the next.
    """
    active.sender(tracker).send(findings, registration, pictures, seed, trials)
