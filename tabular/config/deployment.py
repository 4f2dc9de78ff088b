"""The run configuration of the deploy pipeline: ZenML's own file, with our model as its `parameters`."""

from typing import Annotated, Literal

from pydantic import Field

from tabular.config.base import StrictModel
from tabular.config.run_file import RunFile


class DeploymentConfig(StrictModel):
    """What is to answer on a port of this machine."""

    action: Literal["start", "update", "stop"] = "update"
    """start: only where nothing answers yet; update: in place of what answers, or as the first; stop: nothing."""
    bento: Annotated[str, Field(min_length=1)] = "latest"
    """`name:version`, `name` for its newest version, or `latest` for the newest Bento of all."""
    host: str = "127.0.0.1"
    """The address to listen on; 0.0.0.0 for all of this machine."""
    port: Annotated[int, Field(ge=1, le=65535)] = 3000
    """The port, the same after an update."""
    workers: Annotated[int, Field(ge=1)] = 1
    """Processes that answer."""
    timeout: Annotated[int, Field(ge=1)] = 60
    """Seconds for a service to come up; after that the run fails."""


class DeploymentParameters(StrictModel):
    """The parameters of the deploy pipeline."""

    deployment: DeploymentConfig


class DeploymentFile(RunFile):
    """`configs/deploy.yaml`: what `zenml pipeline run` and `run.py` both read."""

    parameters: DeploymentParameters
