"""Stores the imputer pair: a scaler (or None) and an imputer."""

from typing import Any, ClassVar

from sklearn.utils import estimator_html_repr
from zenml.enums import ArtifactType, VisualizationType

from materializers.files import FileMaterializer
from tabular.learning.imputation import ImputerPair
from tabular.storage.persistence import from_bytes, to_bytes


class ImputerPairMaterializer(FileMaterializer):
    """Both parts in one file, so that neither is used without the other."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (ImputerPair,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.MODEL
    FILE: ClassVar[str] = "imputer.skops"

    def _encoded(self, data: ImputerPair) -> bytes:
        return to_bytes(tuple(data))

    def _decoded(self, content: bytes, data_type: type[Any]) -> ImputerPair:
        return ImputerPair(*from_bytes(content))

    def save_visualizations(self, data: ImputerPair) -> dict[str, VisualizationType]:
        """A diagram of each part."""
        parts = {name: part for name, part in data._asdict().items() if part is not None}
        return {
            self.write(f"{name}.html", estimator_html_repr(part).encode()): VisualizationType.HTML
            for name, part in parts.items()
        }
