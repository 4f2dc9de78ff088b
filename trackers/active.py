"""The experiment trackers of the active stack, and how each of them is sent to."""

import os
from collections.abc import Mapping
from typing import Any, Literal, Protocol, cast

from zenml.client import Client

from tabular.config.offline import is_offline
from tabular.errors import UserError
from tabular.reports.registered import Registration
from tabular.reports.training import TrainingFindings
from tabular.reports.verdicts import Verdict
from trackers import mlflow_tracker, wandb_tracker
from trackers.wandb_account import require_online


class Sender(Protocol):
    """A module that sends to trackers of one flavor. ZenML has opened the tracker's run before either is called."""

    def send(
        self,
        findings: TrainingFindings,
        registration: Registration,
        pictures: Mapping[str, str],
        seed: int,
        trials: Literal["table", "runs"],
    ) -> None:
        """Send a training run.

        Args:
            findings: the reports of the run.
            registration: the version in the registry.
            pictures: addresses of PNG and HTML files in the artifact store, by file name.
            seed: random seed of the run.
            trials: whether W&B shows the trials as one table or as a run each.
        """

    def send_verdict(self, verdict: Verdict, drift_page: str) -> None:
        """Send a verdict, and the drift report as one HTML page."""


SENDERS: dict[str, Sender] = {"mlflow": mlflow_tracker, "wandb": wandb_tracker}
"""The module that sends to a tracker, by the tracker's flavor."""


def tracker_names(search_backend: str = "optuna") -> list[str]:
    """The names of the active stack's trackers, the default one first; W&B is set offline if it has no key.

    Args:
        search_backend: `search.backend` of the run configuration. `wandb` needs a W&B tracker that is online.

    Raises:
        UserError: the stack lacks an MLflow tracker or registry, has a tracker of a flavor that nothing can be sent
            to, or has no W&B tracker that the search could use.
    """
    require_online(search_backend)
    stack = Client().active_stack
    trackers = list(stack.experiment_trackers.values())
    lacking = [
        *(["an MLflow experiment tracker"] if "mlflow" not in [tracker.flavor for tracker in trackers[:1]] else []),
        *(["an MLflow model registry"] if getattr(stack.model_registry, "flavor", None) != "mlflow" else []),
    ]
    if lacking:
        raise UserError(
            f"the active stack '{stack.name}' lacks {' and '.join(lacking)}: run `zenml stack set local`, "
            f"or add them with `zenml stack update {stack.name} -e TRACKER -r REGISTRY`"
        )
    for tracker in trackers:
        if tracker.flavor not in SENDERS:
            raise UserError(
                f"the stack's tracker '{tracker.name}' has the flavor '{tracker.flavor}'; "
                f"this project sends to {', '.join(SENDERS)}: take it out of the stack or set another stack"
            )
        if tracker.flavor == "wandb" and is_offline(cast(Any, tracker.config).api_key, os.environ):
            os.environ["WANDB_MODE"] = os.environ.get("WANDB_MODE") or "offline"
    return [tracker.name for tracker in trackers]


def sender(tracker: str) -> Sender:
    """The module that sends to a tracker of the active stack, given the tracker's name."""
    component = next(t for t in Client().active_stack.experiment_trackers.values() if t.name == tracker)
    return SENDERS[component.flavor]
