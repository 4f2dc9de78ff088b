"""Reads and writes the files of an artifact through its artifact store."""

import hashlib
from typing import Any, ClassVar

from zenml.materializers.base_materializer import BaseMaterializer


class FileMaterializer(BaseMaterializer):
    """A materializer for artifacts that consist of one file and pictures; a subclass makes and reads its bytes."""

    SKIP_REGISTRATION: ClassVar[bool] = True
    FILE: ClassVar[str]
    """Name of the file."""

    def _encoded(self, data: Any) -> bytes:
        raise NotImplementedError

    def _decoded(self, content: bytes, data_type: type[Any]) -> Any:
        raise NotImplementedError

    def save(self, data: Any) -> None:
        """Write the file."""
        content = self._encoded(data)
        self._digest = hashlib.sha256(content).hexdigest()
        self.write(self.FILE, content)

    def is_there(self) -> bool:
        """Whether the artifact store still holds what `load` reads."""
        return bool(self.artifact_store.exists(f"{self.uri}/{self.FILE}"))

    def load(self, data_type: type[Any]) -> Any:
        """Read the file."""
        return self._decoded(self.read(self.FILE), data_type)

    def compute_content_hash(self, data: Any) -> str | None:
        """The sha256 of the file that was saved; equal artifacts have equal files."""
        return self._digest

    def write(self, name: str, content: bytes) -> str:
        """Write a file of the artifact and return its URI."""
        uri = f"{self.uri}/{name}"
        with self.artifact_store.open(uri, "wb") as file:
            file.write(content)
        return uri

    def read(self, name: str) -> bytes:
        """The bytes of a file of the artifact."""
        with self.artifact_store.open(f"{self.uri}/{name}", "rb") as file:
            return bytes(file.read())
