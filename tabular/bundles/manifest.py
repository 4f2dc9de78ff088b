"""The release manifest: which bundle is champion, which is challenger, and how they share the traffic."""

import math
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from tabular.config.base import StrictModel, explain
from tabular.errors import UserError
from tabular.storage import places
from tabular.storage.places import public

Share = Annotated[float, Field(ge=0, le=1)]


class BadManifest(UserError):
    """There is a file, and it is no release manifest."""


class Release(StrictModel):
    """One version and where its bundle lies."""

    version: str = Field(min_length=1)
    bundle: str = Field(min_length=1)
    """A folder: a path or an fsspec URL, or a path relative to the manifest's own folder."""
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    """Of the bundle's `bundle.json`."""


class Traffic(StrictModel):
    """The share of the requests that each answers; they sum to 1."""

    champion: Share = 1.0
    challenger: Share = 0.0

    @model_validator(mode="after")
    def _sums_to_one(self) -> Self:
        if not math.isclose(self.champion + self.challenger, 1.0, abs_tol=1e-9):
            raise ValueError(f"the shares sum to {self.champion + self.challenger:g}; make them sum to 1")
        return self


class Change(StrictModel):
    """Who changed the manifest."""

    at: str
    """ISO 8601 with an offset."""
    by: str
    why: str

    @field_validator("at")
    @classmethod
    def _is_a_moment(cls, value: str) -> str:
        if datetime.fromisoformat(value).tzinfo is None:
            raise ValueError(f"{value!r} has no offset from UTC; end it with +00:00")
        return value


class Manifest(StrictModel):
    """What a service follows."""

    format: Literal[1] = 1
    revision: int = Field(ge=1)
    """Rises with every change, a rollback too."""
    name: str = Field(min_length=1)
    """Of the registered model."""
    champion: Release
    challenger: Release | None = None
    traffic: Traffic = Traffic()
    changed: Change

    @model_validator(mode="after")
    def _has_who_is_asked(self) -> Self:
        if self.traffic.challenger > 0 and self.challenger is None:
            raise ValueError("traffic.challenger is above 0 and there is no challenger; name one, or set it to 0")
        return self


def read(location: str, seconds: float = places.SECONDS) -> Manifest:
    """The manifest at a path or fsspec URL.

    Args:
        location: of the file.
        seconds: how long to wait for it.

    Raises:
        places.NotThere: there is none.
        places.Unreachable: its store does not answer.
        BadManifest: the file is no manifest.
    """
    return parse(places.read(location, seconds), location)


def parse(content: bytes, location: str) -> Manifest:
    """The manifest in a file's bytes.

    Args:
        content: JSON.
        location: for the error.

    Raises:
        BadManifest: it is no manifest.
    """
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        said = explain(error, Manifest)
        raise BadManifest(f"{public(location)}: {said}; write the release manifest again") from None


def write(location: str, manifest: Manifest, seconds: float = places.SECONDS) -> None:
    """Put a manifest in the place of the one before, in one moment.

    Args:
        location: a path or fsspec URL.
        manifest: the new one.
        seconds: how long to wait for a remote store.

    Raises:
        places.NotThere: there is no such bucket.
        places.Unreachable: it cannot be written; the one before is still there.
    """
    places.write(location, manifest.model_dump_json(indent=2).encode() + b"\n", seconds)


def bundle_location(location: str, release: Release) -> str:
    """Where a release's bundle lies; `location` is that of the manifest."""
    return places.join(places.parent(location), release.bundle)
