"""The folder of a bundle, as an artifact that steps hand on."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from tabular.bundles.bundle import MANIFEST


@dataclass(frozen=True)
class BundleFolder:
    """A bundle on this machine."""

    path: Path

    def content_hash(self) -> str:
        """The sha256 of the manifest without its time; the manifest holds the sha256 of every file."""
        manifest = json.loads((self.path / MANIFEST).read_bytes())
        del manifest["created"]
        return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
