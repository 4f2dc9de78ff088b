"""A folder of small files in an artifact store, with a write that only one of several writers succeeds with."""

import contextlib
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tabular.errors import UserError
from tabular.storage import places
from tabular.storage.atomic import create_atomically

FOLDER = "releases"
"""Folder in the artifact store; below it each registered model has one."""
MANIFEST = "manifest.json"
"""File name of the release manifest in the folder of its model."""


class LocalStore:
    """A folder on this machine that holds the history and the release manifest of a model.

    Args:
        folder: its path; the first write creates it.
    """

    def __init__(self, folder: Path) -> None:
        self.location = str(folder)
        """The folder's path or fsspec URL."""

    def read(self, name: str) -> bytes:
        """The content of a file; `name` may be a complete location. Raises places.NotThere without the file."""
        return places.read(places.join(self.location, name))

    def write(self, name: str, content: bytes) -> None:
        """Write a file, or replace it, in one step: nobody reads half of it."""
        places.write(places.join(self.location, name), content)

    def create(self, name: str, content: bytes) -> bool:
        """Write a file unless it exists. Returns True for exactly one of several writers that try at once."""
        return create_atomically(Path(self.location, name), content)

    def names(self, folder: str, pattern: str) -> list[str]:
        """The sorted names in a folder that match a pattern as a whole; none if the folder does not exist.

        Desktops and editors leave files of their own in every folder, and these have other names.
        """
        with contextlib.suppress(FileNotFoundError):
            return sorted(filter(re.compile(pattern).fullmatch, os.listdir(Path(self.location, folder))))
        return []


class RemoteStore:
    """A folder in a bucket, with the methods of `LocalStore`.

    Args:
        filesystem: an fsspec filesystem. Its `pipe_file(mode="create")` must leave the decision to the bucket, as gcsfs
            and s3fs do. One that checks first and writes afterwards lets two writers both believe that they succeeded.
        location: the folder's URL.
    """

    def __init__(self, filesystem: Any, location: str) -> None:
        self._filesystem = filesystem
        self.location = location

    def read(self, name: str) -> bytes:
        try:
            return bytes(self._filesystem.cat_file(places.join(self.location, name)))
        except FileNotFoundError:
            raise places.NotThere(f"{places.join(self.location, name)}: there is no such file") from None

    def write(self, name: str, content: bytes) -> None:
        self._filesystem.pipe_file(places.join(self.location, name), content)

    def create(self, name: str, content: bytes) -> bool:
        try:
            self._filesystem.pipe_file(places.join(self.location, name), content, mode="create")
        except FileExistsError:
            # The file may be our own: the request was carried out, and sent again because its answer was lost.
            return self.read(name) == content
        return True

    def names(self, folder: str, pattern: str) -> list[str]:
        try:
            found = self._filesystem.ls(places.join(self.location, folder), detail=False)
        except FileNotFoundError:
            return []
        names = (str(path).rpartition("/")[2] for path in found)
        return sorted(filter(re.compile(pattern).fullmatch, names))


Store = LocalStore | RemoteStore
"""The folder of a model, wherever it is."""


def folder_of(artifact_store: Any, name: str) -> Store:
    """The folder of a registered model's releases in an artifact store, which is a component of a ZenML stack.

    Raises:
        UserError: the store is neither on this machine nor an fsspec filesystem.
    """
    location = places.join(str(artifact_store.path), f"{FOLDER}/{quote(name, safe='')}")
    if artifact_store.config.is_local:
        return LocalStore(Path(location))
    filesystem = getattr(artifact_store, "filesystem", None)
    if filesystem is None:
        raise UserError(
            f"releases cannot be kept in the artifact store '{artifact_store.name}' (flavor {artifact_store.flavor}): "
            "use a local one or one in a bucket, such as the flavor gcsfs"
        )
    return RemoteStore(filesystem, location)
