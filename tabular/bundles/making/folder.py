"""A bundle on this machine, as one thing that steps hand on."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from tabular.bundles.bundle import MANIFEST


@dataclass(frozen=True)
class BundleFolder:
    """The folder of a bundle."""

    path: Path

    def content_hash(self) -> str:
        """The sha256 of the manifest, which holds that of every file, without the time at which it was written."""
        manifest = json.loads((self.path / MANIFEST).read_bytes())
        del manifest["created"]
        return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
