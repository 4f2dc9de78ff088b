"""The release manifest: which bundle is champion, which is challenger, and how requests are split between them."""

import math
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from tabular.config.base import Moment, StrictModel, explain
from tabular.errors import UserError
from tabular.storage import places
from tabular.storage.addresses import public

Share = Annotated[float, Field(ge=0, le=1)]


class BadManifest(UserError):
    """The file exists and is not a release manifest."""


class Release(StrictModel):
    """One version, and where its bundle lies."""

    version: str = Field(min_length=1)
    bundle: str = Field(min_length=1)
    """Folder of the bundle: a path, an fsspec URL, or a path relative to the folder of the manifest."""
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    """The sha256 of the bundle's `bundle.json`."""


class TrafficSplit(StrictModel):
    """The share of the requests that each model answers; the shares sum to 1."""

    champion: Share = 1.0
    challenger: Share = 0.0

    @model_validator(mode="after")
    def _sums_to_one(self) -> Self:
        if not math.isclose(self.champion + self.challenger, 1.0, abs_tol=1e-9):
            raise ValueError(f"the shares sum to {self.champion + self.challenger:g}; make them sum to 1")
        return self


class ManifestChange(StrictModel):
    """When, by whom and why a manifest was written."""

    at: Moment
    by: str
    why: str


class Manifest(StrictModel):
    """The file that a service follows."""

    format: Literal[1] = 1
    revision: int = Field(ge=1)
    """Number that rises with every change, rollbacks included."""
    name: str = Field(min_length=1)
    """Name of the registered model."""
    champion: Release
    challenger: Release | None = None
    traffic: TrafficSplit = TrafficSplit()
    changed: ManifestChange

    @model_validator(mode="after")
    def _has_a_challenger_for_its_traffic(self) -> Self:
        if self.traffic.challenger > 0 and self.challenger is None:
            raise ValueError("traffic.challenger is above 0 and there is no challenger; name one, or set it to 0")
        return self


def parse(content: bytes, location: str) -> Manifest:
    """Read the manifest in the content of a file.

    Raises:
        BadManifest: the content is not a manifest.
    """
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        said = explain(error, Manifest)
        raise BadManifest(f"{public(location)}: {said}; write the release manifest again") from None


def bundle_location(location: str, release: Release) -> str:
    """The location of a release's bundle, from the location of the manifest."""
    return places.join(places.parent(location), release.bundle)
