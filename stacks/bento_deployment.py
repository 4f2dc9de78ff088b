"""What a step needs to deploy a Bento: the deployer, the Bento and the service's configuration."""

import bentoml
from bentoml.exceptions import BentoMLException
from zenml.client import Client
from zenml.integrations.bentoml.services import BentoMLLocalDeploymentConfig

from stacks.bento_deployer import FLAVOR
from stacks.bento_model_deployer import BentoModelDeployer
from tabular.errors import UserError

NEWEST = "latest"


def active_deployer() -> BentoModelDeployer:
    """The model deployer of the active stack.

    Raises:
        UserError: it has none, or one of another flavor.
    """
    stack = Client().active_stack
    if not isinstance(stack.model_deployer, BentoModelDeployer):
        raise UserError(
            f"the active stack '{stack.name}' has no model deployer of the flavor '{FLAVOR}': run "
            "`python run.py stacks apply local`, then `zenml stack set local`"
        )
    return stack.model_deployer


def find_bento(tag: str) -> bentoml.Bento:
    """A Bento of the local store.

    Args:
        tag: `name:version`, `name` for its newest version, or `latest` for the newest of all.

    Raises:
        UserError: there is none.
    """
    known = sorted(bentoml.bentos.list(), key=lambda bento: bento.info.creation_time)
    if not known:
        raise UserError("there is no Bento in BentoML's store; a training run builds one: `python run.py`")
    if tag == NEWEST:
        return known[-1]
    try:
        return bentoml.bentos.get(tag)
    except (BentoMLException, ValueError):
        there = ", ".join(str(bento.tag) for bento in reversed(known[-5:]))
        raise UserError(f"deployment.bento: there is no Bento '{tag}'; the newest are {there}") from None


def service_config(
    bento: bentoml.Bento, host: str, port: int, workers: int, pipeline: str, step: str
) -> BentoMLLocalDeploymentConfig:
    """What ZenML keeps of a service, and `stacks/bento_server.py` serves.

    Args:
        bento: of the local store.
        host: address to listen on.
        port: the same for every later Bento.
        workers: processes that answer.
        pipeline: the name of the pipeline that deploys.
        step: the name of its step.
    """
    return BentoMLLocalDeploymentConfig(
        model_name=bento.tag.name,
        model_uri="",
        bento_tag=str(bento.tag),
        bento_uri=bento.path,
        apis=[route["route"].lstrip("/") for route in bento.info.schema.get("routes", ())],
        workers=workers,
        host=host,
        port=port,
        working_dir=bento.path,
        pipeline_name=pipeline,
        pipeline_step_name=step,
    )
