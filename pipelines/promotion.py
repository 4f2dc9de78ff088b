"""The pipeline from a registered version to a release."""

from zenml import pipeline
from zenml.enums import ExecutionMode

from steps.promotion.judge import judge as judge_step
from steps.promotion.release import release as release_step
from tabular.config.promotion import PromotionConfig


@pipeline(name="promotion", enable_cache=False, execution_mode=ExecutionMode.FAIL_FAST)
def promotion(promotion: PromotionConfig) -> None:
    """Judge a version and release it. No step is cached, because ZenML does not know the present champion."""
    decision = judge_step(promotion)
    release_step(decision, promotion)
