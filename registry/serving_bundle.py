"""Which bundle a registered version is served from."""

import os
from typing import NamedTuple

from zenml.client import Client

from registry.mlflow_registry import version_named
from registry.releases import BUNDLE, BUNDLE_SHA256, Releases
from tabular.errors import UserError


class Packaged(NamedTuple):
    """A version that was packaged."""

    version: str
    location: str
    """Of the bundle's folder: a path or an fsspec URL."""
    sha256: str
    """Of its `bundle.json`."""


def bundle_of(releases: Releases, reference: str) -> Packaged:
    """The bundle of a version; nothing is read of it.

    In a bucket that is emulated it can be read by everybody in this process afterwards.

    Args:
        releases: of the model.
        reference: a number, an alias with or without `@`, or `newest`.

    Raises:
        UserError: there is no such version, or it was never packaged.
    """
    version = version_named(releases.client, releases.name, reference)
    tags = version.tags
    if BUNDLE not in tags or BUNDLE_SHA256 not in tags:
        raise UserError(
            f"version {version.version} of {releases.name} was never packaged: train again, which packages it"
        )
    address = getattr(Client().active_stack.artifact_store.config, "endpoint_url", None)
    if address:
        os.environ.setdefault("STORAGE_EMULATOR_HOST", address)
    return Packaged(str(version.version), tags[BUNDLE], tags[BUNDLE_SHA256])
