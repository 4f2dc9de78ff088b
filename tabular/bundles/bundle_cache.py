"""Copies of bundles on disk, shared by the workers of a service: each copy is complete, and named by its sha256."""

import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from tabular.bundles.bundle import MANIFEST, BadBundle, parse, read
from tabular.storage import places
from tabular.storage.addresses import public
from tabular.storage.atomic import UNFINISHED

TRANSFER_SECONDS = 300.0
"""Longest time for the transfer of one file of a bundle."""
ABANDONED_SECONDS = 3600.0
"""Age after which an unfinished copy belongs to a process that no longer runs."""
LAST_GOOD = "last_good.json"


class BundleCache:
    """A folder of bundles.

    Args:
        folder: created if it does not exist; several processes may share it.
        keep: number of bundles that stay beside those in use.

    Raises:
        OSError: the folder cannot be created or written.
    """

    def __init__(self, folder: Path, keep: int = 3) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(f"{folder} cannot be written")
        self.folder = folder
        self.keep = keep

    def fetch(self, location: str, sha256: str) -> Path:
        """Return the folder of a verified copy, which is made if there is none.

        Args:
            location: path or fsspec URL of the bundle.
            sha256: sha256 of its `bundle.json`.

        Raises:
            places.NotThere: a file of the bundle is missing.
            places.Unreachable: the store of the bundle does not answer.
            BadBundle: the bundle is damaged, or another one than the sha256 says.
            OSError: the copy cannot be written.
        """
        target = self.folder / sha256
        if target.is_dir():
            try:
                read(target, sha256)
                os.utime(target)
                return target
            except BadBundle:
                self._remove(target)
        self.folder.mkdir(parents=True, exist_ok=True)  # people delete caches
        unfinished = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=self.folder))
        try:
            manifest, place = places.read(places.join(location, MANIFEST)), public(location)
            (unfinished / MANIFEST).write_bytes(manifest)
            for name in parse(manifest, f"{place}/{MANIFEST}", sha256).files:
                (unfinished / name).write_bytes(places.read(places.join(location, name), TRANSFER_SECONDS))
            read(unfinished, sha256, place)
            try:
                unfinished.rename(target)
            except OSError:
                read(target, sha256)  # another worker was faster
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        return target

    def set_last_good(self, sha256: str) -> None:
        """Record which bundle serves. Raises places.Unreachable if the disk does not accept it."""
        places.write(str(self.folder / LAST_GOOD), json.dumps({"sha256": sha256}).encode())

    def last_good(self) -> tuple[Path, str] | None:
        """The folder and sha256 of the bundle that served last; None if there is no readable record of one."""
        try:
            sha256 = json.loads((self.folder / LAST_GOOD).read_bytes())["sha256"]
            return self.folder / sha256, sha256
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def copies(self) -> list[Path]:
        """The folders of all bundles, the most recently used first."""
        found = []
        for path in self.folder.glob("*"):
            if path.is_dir() and re.fullmatch("[0-9a-f]{64}", path.name):
                try:
                    found.append((path.stat().st_mtime, path))
                except FileNotFoundError:  # another worker removed it
                    continue
        return [path for _, path in sorted(found, reverse=True)]

    def prune(self, used: Iterable[str]) -> None:
        """Remove old bundles and abandoned copies.

        Args:
            used: sha256 of the bundles that stay in any case.
        """
        last = self.last_good()
        spared = {*used, *([last[1]] if last else [])}
        for path in [path for path in self.copies() if path.name not in spared][self.keep :]:
            self._remove(path)
        for path in self.folder.glob(f"{UNFINISHED}*"):
            try:
                abandoned = time.time() - path.stat().st_mtime > ABANDONED_SECONDS
            except FileNotFoundError:
                continue
            if abandoned and path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif abandoned:
                path.unlink(missing_ok=True)

    def _remove(self, folder: Path) -> None:
        """Move a bundle out of the way of other workers by one rename, then delete it."""
        aside = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=self.folder))
        try:
            folder.rename(aside / folder.name)
        except FileNotFoundError:
            pass  # another worker removed it
        finally:
            shutil.rmtree(aside, ignore_errors=True)
