"""Stores the imputer pair: a scaler (or None) and an imputer."""

from typing import Any, ClassVar

from sklearn.utils import estimator_html_repr
from zenml.enums import ArtifactType, VisualizationType

from materializers.files import FileMaterializer
from tabular.learning.imputation import ImputerPair
from tabular.storage.persistence import digest, from_bytes, to_bytes

FILE = "imputer.skops"


class ImputerPairMaterializer(FileMaterializer):
    """Both parts in one file, so that neither is used without the other."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (ImputerPair,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.MODEL
    SKIP_REGISTRATION: ClassVar[bool] = False

    def save(self, data: ImputerPair) -> None:
        """Write the pair."""
        content = to_bytes(tuple(data))
        self._digest = digest(content)
        self.write(FILE, content)

    def load(self, data_type: type[Any]) -> ImputerPair:
        """Read the pair; a file with untrusted types is refused."""
        return ImputerPair(*from_bytes(self.read(FILE)))

    def compute_content_hash(self, data: ImputerPair) -> str | None:
        """The sha256 of the stored file."""
        return self._digest

    def save_visualizations(self, data: ImputerPair) -> dict[str, VisualizationType]:
        """A diagram of each part."""
        parts = {name: part for name, part in data._asdict().items() if part is not None}
        return {
            self.write(f"{name}.html", estimator_html_repr(part).encode()): VisualizationType.HTML
            for name, part in parts.items()
        }
