"""The bundle of a registered version, on this machine."""

from pathlib import Path
from typing import NamedTuple

from registry.serving_bundle import bundle_of
from registry.stack import open_releases
from tabular.bundles import reference as references
from tabular.bundles.bundle import MANIFEST, Bundle
from tabular.bundles.bundle_cache import BundleCache, parse
from tabular.bundles.reference import Reference
from tabular.storage.repository import ROOT

CACHE = ROOT / ".cache" / "served"
KEEP = 5
"""Bundles that stay on disk."""


class Fetched(NamedTuple):
    """What answers for a version, and what it was trained on."""

    folder: Path
    sha256: str
    """Of `bundle.json`."""
    bundle: Bundle
    reference: Reference


def fetch(model: str, version: str) -> Fetched:
    """Copy the bundle of a version from the artifact store, unless it is here; each of its files is verified.

    Args:
        model: the registered model.
        version: a number, an alias, or `newest`.

    Raises:
        UserError: there is no such version, it was never packaged, or its bundle is gone or damaged.
    """
    packaged = bundle_of(open_releases(model, ROOT), version)
    cache = BundleCache(CACHE, KEEP)
    folder = cache.fetch(packaged.location, packaged.sha256)
    cache.prune([packaged.sha256])
    bundle = parse((folder / MANIFEST).read_bytes(), str(folder))  # `fetch` has verified every file
    return Fetched(folder, packaged.sha256, bundle, references.read(folder))
