"""Have a Bento served by the model deployer of the active stack."""

from typing import Annotated

from zenml import get_step_context, log_metadata, step

from stacks.bento_deployment import active_deployer, find_bento, service_config
from tabular.config.deployment import DeploymentConfig
from tabular.errors import UserError


def ensure_deployable(deployment: DeploymentConfig) -> None:
    """Look for the deployer and the Bento before any work.

    Raises:
        UserError: the active stack has no model deployer of ours, or there is no such Bento.
    """
    active_deployer()
    if deployment.action != "stop":
        find_bento(deployment.bento)


@step(enable_cache=False)
def deploy(deployment: DeploymentConfig) -> Annotated[dict[str, str], "deployment"]:
    """Start, update or stop the service on a port.

    Args:
        deployment: which Bento, where, and what to do.

    Returns:
        `state`: running or stopped; for a running one its `bento`, `url` and ZenML's `id` of the service.

    Raises:
        UserError: no such Bento, or a start where another Bento answers.
        ServiceDown: the service did not come up; with the tail of its log. What answered before still does.
    """
    deployer, port = active_deployer(), deployment.port
    there = [service for service in deployer.services(port) if not service.is_stopped]
    if deployment.action == "stop":
        for service in there:
            deployer.stop_model_server(service.uuid, deployment.timeout)
        return {"state": "stopped"}
    bento = find_bento(deployment.bento)
    others = [service.config.bento_tag for service in there if service.config.bento_tag != str(bento.tag)]
    if deployment.action == "start" and others:
        raise UserError(f"{others[0]} answers on port {port}; to replace it: --set deployment.action=update")
    context = get_step_context()
    config = service_config(
        bento, deployment.host, port, deployment.workers, context.pipeline.name, context.step_run.name
    )
    service = deployer.put(config, deployment.timeout)
    found = {
        "state": "running",
        "bento": config.bento_tag,
        "url": str(service.prediction_url),
        "id": str(service.uuid),
    }
    log_metadata(metadata={"deployment": found})
    return found
