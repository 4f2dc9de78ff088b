"""Give a judged version its alias."""

from typing import Annotated

from zenml import step

from registry.gated_promotion import give
from registry.mlflow_registry import version_named
from registry.releases import open_releases
from tabular import names
from tabular.config.promotion import PromotionConfig
from tabular.reports.registered import Promotion
from tabular.reports.training import GateDecision


@step
def release(decision: GateDecision, promotion: PromotionConfig) -> Annotated[Promotion, names.PROMOTION]:
    """Promote the version as the gate decided, or give it another alias.

    The decision binds a future champion that is not forced, and no other alias.
    """
    releases = open_releases(promotion.model)
    number = str(version_named(releases.client, promotion.model, promotion.version).version)
    why = promotion.reason
    return give(releases, number, promotion.to, decision, why, promotion.traffic, promotion.force)
