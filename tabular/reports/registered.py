"""The registration and the promotion of a model, as plain data."""

from typing import Literal

from tabular.reports.report import Report


class Registration(Report):
    """A version in the registry."""

    name: str
    version: str
    model_sha256: str
    run_id: str
    """Id of the MLflow run that holds the model."""
    reused: bool
    """Whether the registry held the same model already, so that no version was created."""


class Promotion(Report):
    """The aliases of a version after the gate's decision was carried out."""

    name: str
    version: str
    aliases: list[str]
    """All aliases that the version has now."""
    revision: int
    """Revision of the present release; 0 before the first."""
    manifest: str | None
    """Location of the release manifest; None while there is no champion."""
    reason: str
    """Deciding reason, in words."""

    @property
    def alias(self) -> Literal["champion", "challenger"] | None:
        """The alias that services follow; None if the version has neither."""
        return "champion" if "champion" in self.aliases else "challenger" if "challenger" in self.aliases else None
