"""Copies of bundles on disk, shared by the workers of a service: whole or not there, and named by their sha256."""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from tabular.bundles.bundle import MANIFEST, BadBundle, Bundle, digest, read
from tabular.config.base import explain
from tabular.storage import places
from tabular.storage.atomic import UNFINISHED
from tabular.storage.places import public

TRANSFER_SECONDS = 300.0
"""How long one file of a bundle may take."""
ABANDONED_SECONDS = 3600.0
"""A copy that was begun so long ago belongs to a process that is gone."""
LAST_GOOD = "last_good.json"


class BundleCache:
    """A folder of bundles.

    Args:
        folder: made when it is not there; several processes may share it.
        keep: how many bundles stay beside those in use.

    Raises:
        OSError: the folder cannot be made or written.
    """

    def __init__(self, folder: Path, keep: int = 3) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(f"{folder} cannot be written")
        self.folder = folder
        self.keep = keep

    def fetch(self, location: str, sha256: str) -> Path:
        """The folder of a verified copy; made if there is none.

        Args:
            location: of the bundle, a path or fsspec URL.
            sha256: of its `bundle.json`.

        Raises:
            places.NotThere: a file of the bundle is missing.
            places.Unreachable: its store does not answer.
            BadBundle: the bundle is not the one that was named, or it is damaged.
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
        self.folder.mkdir(parents=True, exist_ok=True)  # caches are things that people delete
        unfinished = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=self.folder))
        try:
            self._copy(location, sha256, unfinished)
            read(unfinished, sha256)
            try:
                unfinished.rename(target)
            except OSError:
                read(target, sha256)  # another worker was first
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        return target

    def set_last_good(self, sha256: str) -> None:
        """Note which bundle serves. Raises places.Unreachable when the disk does not take it."""
        places.write(str(self.folder / LAST_GOOD), json.dumps({"sha256": sha256}).encode())

    def last_good(self) -> tuple[Path, str] | None:
        """The folder and the sha256 of the bundle that served last; None when none ever did, or the note is damaged."""
        try:
            sha256 = json.loads((self.folder / LAST_GOOD).read_bytes())["sha256"]
            return self.folder / sha256, sha256
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def copies(self) -> list[Path]:
        """The folders of all bundles, the one that was last used first."""
        found = []
        for path in self.folder.glob("*"):
            if path.is_dir() and not path.name.startswith(UNFINISHED):
                try:
                    found.append((path.stat().st_mtime, path))
                except FileNotFoundError:  # another worker removed it
                    continue
        return [path for _, path in sorted(found, reverse=True)]

    def prune(self, used: Iterable[str]) -> None:
        """Remove old bundles, and copies that nobody finishes.

        Args:
            used: the sha256 of those that stay in any case.
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

    def _copy(self, location: str, sha256: str, folder: Path) -> None:
        shown = public(location)
        content = places.read(places.join(location, MANIFEST))
        if digest(content) != sha256:
            raise BadBundle(f"{shown}/{MANIFEST}: its sha256 is {digest(content)}, not the manifest's {sha256}")
        bundle = parse(content, f"{shown}/{MANIFEST}")
        (folder / MANIFEST).write_bytes(content)
        for name, expected in bundle.files.items():
            if Path(name).name != name or name in ("", ".", "..", MANIFEST):
                raise BadBundle(f"{shown}/{MANIFEST}: '{name}' is no name of a file in this folder")
            data = places.read(places.join(location, name), TRANSFER_SECONDS)
            if digest(data) != expected:
                raise BadBundle(f"{shown}/{name}: its sha256 is {digest(data)}, not {expected}; copy the bundle again")
            (folder / name).write_bytes(data)

    def _remove(self, folder: Path) -> None:
        """In one moment out of the way of other workers, then for good."""
        aside = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=self.folder))
        try:
            folder.rename(aside / folder.name)
        except FileNotFoundError:
            pass  # another worker removed it
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def parse(content: bytes, place: str) -> Bundle:
    """A bundle's manifest alone, none of its files looked at.

    Args:
        content: of a `bundle.json`.
        place: for the error.

    Raises:
        BadBundle: it does not hold together.
    """
    try:
        return Bundle.model_validate_json(content)
    except ValidationError as error:
        raise BadBundle(f"{place}: {explain(error, Bundle)}; package the model again") from None
