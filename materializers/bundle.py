"""Stores bundles as folders of files."""

from pathlib import Path
from typing import Any, ClassVar

from zenml.enums import ArtifactType, VisualizationType

from materializers.files import FileMaterializer
from tabular.bundles.bundle import CARD, MANIFEST, BadBundle, parse, read
from tabular.bundles.making.folder import BundleFolder

FOLDER = "bundle"
"""Name of the folder in the artifact; the release manifest points to it."""


class BundleMaterializer(FileMaterializer):
    """The files of a bundle; its picture is the model card."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (BundleFolder,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.MODEL

    def save(self, data: BundleFolder) -> None:
        """Copy the files, with the manifest last, so that a bundle with a manifest is complete."""
        bundle = read(data.path)
        self.artifact_store.makedirs(f"{self.uri}/{FOLDER}")
        for name in (*bundle.files, MANIFEST):
            self.write(f"{FOLDER}/{name}", (data.path / name).read_bytes())

    def is_there(self) -> bool:
        """Whether the manifest is there, and each file that it names."""
        manifest = f"{FOLDER}/{MANIFEST}"
        if not self.artifact_store.exists(f"{self.uri}/{manifest}"):
            return False
        try:
            files = parse(self.read(manifest), f"{self.uri}/{manifest}").files
        except BadBundle:
            return False
        return all(self.artifact_store.exists(f"{self.uri}/{FOLDER}/{name}") for name in files)

    def load(self, data_type: type[Any]) -> BundleFolder:
        """Copy the files into a temporary folder that exists as long as the process."""
        with self.get_temporary_directory(delete_at_exit=False) as temporary:
            folder = Path(temporary)
        manifest = self.read(f"{FOLDER}/{MANIFEST}")
        (folder / MANIFEST).write_bytes(manifest)
        for name in parse(manifest, f"{self.uri}/{FOLDER}/{MANIFEST}").files:
            (folder / name).write_bytes(self.read(f"{FOLDER}/{name}"))
        read(folder)
        return BundleFolder(folder)

    def compute_content_hash(self, data: BundleFolder) -> str | None:
        """A hash that is equal for equal models of the same version."""
        return data.content_hash()

    def save_visualizations(self, data: BundleFolder) -> dict[str, VisualizationType]:
        """The model card."""
        return {f"{self.uri}/{FOLDER}/{CARD}": VisualizationType.MARKDOWN}
