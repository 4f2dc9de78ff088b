"""Judge a version of the registry."""

from typing import Annotated

from zenml import step

from registry import version_gate
from registry.releases import open_releases
from tabular import names
from tabular.config.promotion import PromotionConfig
from tabular.reports.training import GateDecision


@step
def judge(promotion: PromotionConfig) -> Annotated[GateDecision, names.GATE_DECISION]:
    """Apply the absolute limits, then compare with the champion on rows that neither was trained on."""
    view = open_releases(promotion.model)
    version = view.version(promotion.version)
    return version_gate.judge(view, version, view.history.newest().champion, promotion.gate)
