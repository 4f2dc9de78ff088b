"""Whether a finished step of an earlier run has left in the registry what it left there.

ZenML reuses the result of such a step, and does not know that a registry was lost or that a bundle was deleted.
"""

from zenml.models import StepRunResponse

from registry.mlflow_registry import by_number, registry_client, unless_gone
from registry.releases import open_releases
from tabular import names
from tabular.errors import UserError
from tabular.reports.registered import Promotion, Registration
from tabular.reports.training import GateDecision

CHANGES = (names.GATE_DECISION, names.REGISTRATION, names.PROMOTION)
"""The artifacts that tell what a step has read from the registry or written there."""


def is_there(step: StepRunResponse) -> bool:
    """Whether the registry still has what a step run of ZenML has read from it or written to it."""
    for name in CHANGES:
        for artifact in step.outputs.get(name, []):
            found = artifact.load()
            if isinstance(found, GateDecision):
                return found.champion_version is None or _is_known(step.config.parameters["model_name"])
            if isinstance(found, Registration):
                return _has_registered(found)
            if isinstance(found, Promotion):
                return _has_packaged(found)
    return True


def _is_known(name: str) -> bool:
    """Whether the registry holds the model, with one champion or another: a model is judged once, when it is new."""
    return unless_gone(registry_client().get_registered_model, name) is not None


def _has_registered(made: Registration) -> bool:
    version = by_number(registry_client(), made.name, made.version)
    return version is not None and version.tags.get("model_sha256") == made.model_sha256


def _has_packaged(made: Promotion) -> bool:
    releases = open_releases(made.name)
    packaged = releases.servable(made.version)
    if packaged is None:
        return False
    try:
        releases.check_bundle(packaged)
    except UserError:
        return False
    return True
