"""From a Bento to a service."""

from zenml import pipeline
from zenml.enums import ExecutionMode

from steps.deploy import deploy as deploy_step
from steps.deploy import ensure_deployable
from tabular.config.deployment import DeploymentConfig


@pipeline(name="deploy", enable_cache=False, execution_mode=ExecutionMode.FAIL_FAST)
def deploy(deployment: DeploymentConfig) -> None:
    """Nothing of it is cached: ZenML does not see what answers on a port."""
    ensure_deployable(deployment)
    deploy_step(deployment)
