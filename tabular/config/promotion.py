"""The run configuration of the promotion pipeline: ZenML's own file, with our model as its `parameters`."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from tabular.config.base import RunFile, StrictModel
from tabular.config.stages import GateConfig


class PromotionConfig(StrictModel):
    """The version and the alias that it is to get."""

    model: Annotated[str, Field(min_length=1)]
    """Name of the registered model."""
    version: Annotated[str, Field(min_length=1)] = "newest"
    """A number in quotes, an alias, or `newest`."""
    to: Literal["champion", "challenger", "staging"] = "champion"
    """The alias. A future champion is judged by the gate first."""
    traffic: Annotated[float, Field(ge=0, le=1)] | None = None
    """Share of the requests that a challenger answers, 0 to 1."""
    gate: GateConfig | None = None
    """Limits and tolerance; if unset, those that the version was registered with."""
    force: bool = False
    """Make the version champion whatever the gate decides; this needs a reason and is recorded."""
    reason: str = ""
    """Reason for the history."""

    @model_validator(mode="after")
    def _says_why(self) -> "PromotionConfig":
        if self.force and not self.reason.strip():
            raise ValueError("'force' overrules the gate: say why in 'reason'")
        if self.traffic is not None and self.to != "challenger":
            raise ValueError("'traffic' is the share of a challenger: leave it out, or set 'to: challenger'")
        return self


class PromotionParameters(StrictModel):
    """The parameters of the promotion pipeline."""

    promotion: PromotionConfig


class PromotionFile(RunFile):
    """The file `configs/promote.yaml`, which `zenml pipeline run` and `run.py` both read."""

    parameters: PromotionParameters
