"""Judge a version of the registry."""

from typing import Annotated

from zenml import step

from registry import judging
from registry.mlflow_registry import version_named
from registry.promotion import settled
from registry.stack import open_releases
from tabular import names
from tabular.config.promotion import PromotionConfig
from tabular.reports.training import GateDecision
from tabular.storage.repository import ROOT


@step
def judge(promotion: PromotionConfig) -> Annotated[GateDecision, names.GATE_DECISION]:
    """Apply the absolute limits, then compare with the champion on rows that neither was trained on.

    Args:
        promotion: the version, and the gate.

    Returns:
        The decision with its numbers.
    """
    releases = open_releases(promotion.model, ROOT)
    version = version_named(releases.client, promotion.model, promotion.version)
    return judging.judge(releases, version, settled(releases), promotion.gate)
