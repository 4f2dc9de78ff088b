"""Stores scikit-learn estimators, fitted or not, as skops files."""

from typing import Any, ClassVar

from sklearn.base import BaseEstimator
from sklearn.utils import estimator_html_repr
from zenml.enums import ArtifactType, VisualizationType

from materializers.files import FileMaterializer
from tabular.storage.persistence import from_bytes, to_bytes


class EstimatorMaterializer(FileMaterializer):
    """One estimator; its picture is scikit-learn's diagram."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (BaseEstimator,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.MODEL
    FILE: ClassVar[str] = "estimator.skops"

    def _encoded(self, data: BaseEstimator) -> bytes:
        return to_bytes(data)

    def _decoded(self, content: bytes, data_type: type[Any]) -> BaseEstimator:
        return from_bytes(content)

    def save_visualizations(self, data: BaseEstimator) -> dict[str, VisualizationType]:
        """The diagram of scikit-learn."""
        return {self.write("diagram.html", estimator_html_repr(data).encode()): VisualizationType.HTML}

    def extract_metadata(self, data: BaseEstimator) -> dict[str, Any]:
        """The sha256 that identifies the model in registry and bundle, and the class name."""
        return {"sha256": self._digest, "estimator": type(data).__name__}
