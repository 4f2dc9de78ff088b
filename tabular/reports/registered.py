"""What becomes of a model in the registry, as plain data."""

from typing import Literal

from tabular.reports.report import Report


class Registration(Report):
    """The version in the registry."""

    name: str
    version: str
    model_sha256: str
    run_id: str
    """Of the tracker's run that holds the model."""
    reused: bool
    """The registry already held this very model."""


class Promotion(Report):
    """What became of a version after the gate."""

    name: str
    version: str
    aliases: list[str]
    """All that it has now."""
    revision: int
    """Of the release that holds; 0 before the first."""
    manifest: str | None
    """Where the release manifest lies; None while there is no champion."""
    reason: str

    @property
    def alias(self) -> Literal["champion", "challenger"] | None:
        """The one that is released."""
        return "champion" if "champion" in self.aliases else "challenger" if "challenger" in self.aliases else None
