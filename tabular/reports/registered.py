"""Reports of the registration and the promotion of a model."""

from typing import Literal

from tabular.reports.report import Report


class Registration(Report):
    """The version of the model in the registry."""

    name: str
    version: str
    model_sha256: str
    run_id: str
    """Id of the MLflow run that holds the model."""
    reused: bool
    """Whether the registry already held the same model, so that no version was added."""


class Promotion(Report):
    """The result of a promotion, after the decision of the gate."""

    name: str
    version: str
    aliases: list[str]
    """All aliases of the version after the promotion."""
    revision: int
    """Revision of the current release; 0 before the first one."""
    manifest: str | None
    """Address of the release manifest; None while there is no champion."""
    reason: str

    @property
    def alias(self) -> Literal["champion", "challenger"] | None:
        """The alias by which the version is released, if it has one."""
        return "champion" if "champion" in self.aliases else "challenger" if "challenger" in self.aliases else None
