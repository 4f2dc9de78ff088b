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
    """Artifacts in a bucket. What is overridden behaves otherwise than ZenML's local store, or loses data."""

    _filesystem: BoundedFileSystem | None = None

    @property
    def config(self) -> GcsfsArtifactStoreConfig:
        return cast(GcsfsArtifactStoreConfig, self._config)

    @property
    def filesystem(self) -> BoundedFileSystem:
        """The file system, made anew when the service connector's credentials have expired."""
        with self._filesystem_lock:
            if self._filesystem is None or self.connector_has_expired():
                kind = hierarchical() if self.config.hierarchical_namespace else BoundedFileSystem
                self._filesystem = kind(
                    bucket=self.config.path.removeprefix("gs://").split("/")[0],
                    seconds=self.config.timeout,
                    token="anon" if self.config.anonymous else self.get_credentials(),
                    endpoint_url=self.config.endpoint_url,
                    # fsspec shares an instance among all who ask with equal options.
                    skip_instance_cache=True,
                )
                if self.config.project:
                    # Given to the constructor, a project other than that of the default credentials would make
                    # gcsfs pass them over without a word, down to anonymous access.
                    self._filesystem.credentials.project = self.config.project
            return self._filesystem

    def open(self, path: PathType, mode: str = "r") -> Any:
        # The parent would replace the object.
        if "a" in mode:
            raise io.UnsupportedOperation(f"cannot append to {convert_to_str(path)}: an object is written as a whole")
        return self.filesystem.open(path, mode, **({} if "b" in mode else {"encoding": "utf-8"}))

    def copyfile(self, src: PathType, dst: PathType, overwrite: bool = False) -> None:
        # The parent takes ?, * and [ in a name for a pattern.
        self._refuse_overwriting(dst, overwrite)
        self.filesystem.cp_file(convert_to_str(src), convert_to_str(dst))

    def rename(self, src: PathType, dst: PathType, overwrite: bool = False) -> None:
        # The parent takes ?, * and [ in a name for a pattern, and leaves a folder where it is without a word.
        self._refuse_overwriting(dst, overwrite)
        self.filesystem.move(convert_to_str(src), convert_to_str(dst))

    def rmtree(self, path: PathType) -> None:
        # The parent takes ?, * and [ in a name for a pattern, and deletes the bucket with what is in it.
        self.filesystem.remove_tree(convert_to_str(path))

    def mkdir(self, path: PathType) -> None:
        """Do nothing: folders are there when an object is. The parent would make a bucket that is missing."""

    def makedirs(self, path: PathType) -> None:
        """Do nothing: folders are there when an object is."""

    def walk(
        self, top: PathType, topdown: bool = True, onerror: Callable[..., None] | None = None
    ) -> Iterable[tuple[PathType, list[PathType], list[PathType]]]:
        # The parent knows no order but top-down, takes a missing folder for an empty one, and names a folder's own
        # marker (made by Google's console) "".
        for folder, folders, files in self.filesystem.walk(convert_to_str(top), topdown=topdown):
            if folders or files:
                yield f"gs://{folder}", folders, [name for name in files if name]

    def _refuse_overwriting(self, path: PathType, overwrite: bool) -> None:
        if not overwrite and self.exists(path):
            raise FileExistsError(f"{convert_to_str(path)} exists, and overwrite is not set")
