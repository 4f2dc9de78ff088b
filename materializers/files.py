"""Reads and writes the files of an artifact through its artifact store."""

from typing import ClassVar

from zenml.materializers.base_materializer import BaseMaterializer


class FileMaterializer(BaseMaterializer):
    """A materializer for artifacts that consist of a main file and pictures."""

    SKIP_REGISTRATION: ClassVar[bool] = True

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
