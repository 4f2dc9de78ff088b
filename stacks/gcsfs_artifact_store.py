"""The implementation of the flavor `gcsfs`. Importing it imports gcsfs and Google's libraries."""

import io
from collections.abc import Callable, Iterable
from typing import Any, cast

from zenml.integrations.gcp.artifact_stores.gcp_artifact_store import GCPArtifactStore
from zenml.io.fileio import convert_to_str

from stacks.gcsfs_filesystem import BoundedFileSystem, hierarchical
from stacks.gcsfs_store import GcsfsArtifactStoreConfig

PathType = bytes | str


class GcsfsArtifactStore(GCPArtifactStore):
    """Artifacts in a bucket. In each overridden method the parent differs from ZenML's local store or loses data."""

    _filesystem: BoundedFileSystem | None = None

    @property
    def config(self) -> GcsfsArtifactStoreConfig:
        return cast(GcsfsArtifactStoreConfig, self._config)

    @property
    def filesystem(self) -> BoundedFileSystem:
        """The file system; a new one is made when the service connector's credentials have expired."""
        with self._filesystem_lock:
            if self._filesystem is None or self.connector_has_expired():
                kind = hierarchical() if self.config.hierarchical_namespace else BoundedFileSystem
                self._filesystem = kind(
                    bucket=self.config.path.removeprefix("gs://").split("/")[0],
                    seconds=self.config.timeout,
                    token="anon" if self.config.anonymous else self.get_credentials(),
                    endpoint_url=self.config.endpoint_url,
                    # Otherwise fsspec returns one shared instance for equal options.
                    skip_instance_cache=True,
                )
                if self.config.project:
                    # If the constructor received a project other than that of the default credentials, gcsfs would
                    # silently ignore these, and in the end use anonymous access.
                    self._filesystem.credentials.project = self.config.project
            return self._filesystem

    def open(self, path: PathType, mode: str = "r") -> Any:
        # The parent would replace the object.
        if "a" in mode:
            raise io.UnsupportedOperation(f"cannot append to {convert_to_str(path)}: an object is written as a whole")
        return self.filesystem.open(path, mode, **({} if "b" in mode else {"encoding": "utf-8"}))

    def copyfile(self, src: PathType, dst: PathType, overwrite: bool = False) -> None:
        # The parent treats ?, * and [ in a name as a pattern.
        self._refuse_overwriting(dst, overwrite)
        self.filesystem.cp_file(convert_to_str(src), convert_to_str(dst))

    def rename(self, src: PathType, dst: PathType, overwrite: bool = False) -> None:
        # The parent treats ?, * and [ in a name as a pattern, and silently leaves a folder where it is.
        self._refuse_overwriting(dst, overwrite)
        self.filesystem.move(convert_to_str(src), convert_to_str(dst))

    def rmtree(self, path: PathType) -> None:
        # The parent treats ?, * and [ in a name as a pattern, and deletes the bucket with its contents.
        self.filesystem.remove_tree(convert_to_str(path))

    def mkdir(self, path: PathType) -> None:
        """Do nothing: a folder exists as soon as an object is in it. The parent would make a missing bucket."""

    def makedirs(self, path: PathType) -> None:
        """Do nothing: a folder exists as soon as an object is in it."""

    def walk(
        self, top: PathType, topdown: bool = True, onerror: Callable[..., None] | None = None
    ) -> Iterable[tuple[PathType, list[PathType], list[PathType]]]:
        # The parent only walks top-down, treats a missing folder as an empty one, and lists the marker of a folder
        # (which Google's console makes) as a file named "".
        for folder, folders, files in self.filesystem.walk(convert_to_str(top), topdown=topdown):
            if folders or files:
                yield f"gs://{folder}", folders, [name for name in files if name]

    def _refuse_overwriting(self, path: PathType, overwrite: bool) -> None:
        if not overwrite and self.exists(path):
            raise FileExistsError(f"{convert_to_str(path)} exists, and overwrite is not set")
