"""The bundle that a registered version is served from, copied to this machine."""

import os
from pathlib import Path
from typing import NamedTuple

from zenml.client import Client

from registry.releases import open_releases
from tabular.bundles import reference as references
from tabular.bundles.bundle import MANIFEST, Bundle, parse
from tabular.bundles.bundle_cache import BundleCache
from tabular.bundles.reference import Reference
from tabular.storage.repository import ROOT

CACHE = ROOT / ".cache" / "served"
KEEP = 5
"""Number of bundles that stay on disk."""


class FetchedBundle(NamedTuple):
    """A compiled model on this machine, and statistics of the rows that it was trained on."""

    folder: Path
    sha256: str
    """sha256 of `bundle.json`."""
    bundle: Bundle
    reference: Reference


def fetch(model: str, version: str) -> FetchedBundle:
    """Copy the bundle of a version from the artifact store unless it is here already, and verify each of its files.

    Where the bucket is emulated, this process can read it through fsspec afterwards. The version is a number, an alias
    with or without `@`, or `newest`.

    Raises:
        UserError: there is no such version, it was never packaged, or its bundle is gone or damaged.
    """
    view = open_releases(model)
    packaged = view.packaged(str(view.version(version).version))
    address = getattr(Client().active_stack.artifact_store.config, "endpoint_url", None)
    if address:
        os.environ.setdefault("STORAGE_EMULATOR_HOST", address)
    cache = BundleCache(CACHE, KEEP)
    folder = cache.fetch(packaged.bundle, packaged.sha256)
    cache.prune([packaged.sha256])
    bundle = parse((folder / MANIFEST).read_bytes(), str(folder))  # `fetch` has verified every file
    return FetchedBundle(folder, packaged.sha256, bundle, references.read(folder))
