"""Stores scikit-learn estimators, fitted or not, as skops files."""

from typing import Any, ClassVar

from sklearn.base import BaseEstimator
from sklearn.utils import estimator_html_repr
from zenml.enums import ArtifactType, VisualizationType

from materializers.files import FileMaterializer
from tabular.storage.persistence import digest, from_bytes, to_bytes

FILE = "estimator.skops"


class EstimatorMaterializer(FileMaterializer):
    """One estimator; its picture is scikit-learn's diagram."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (BaseEstimator,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.MODEL
    SKIP_REGISTRATION: ClassVar[bool] = False

    def save(self, data: BaseEstimator) -> None:
        """Write the estimator."""
        content = to_bytes(data)
        self._digest = digest(content)
        self.write(FILE, content)

    def load(self, data_type: type[Any]) -> BaseEstimator:
        """Read the estimator; a file with untrusted types is refused."""
        return from_bytes(self.read(FILE))

    def compute_content_hash(self, data: BaseEstimator) -> str | None:
        """The sha256 of the stored file; equal estimators have equal files."""
        return self._digest

    def save_visualizations(self, data: BaseEstimator) -> dict[str, VisualizationType]:
        """The diagram of scikit-learn."""
        return {self.write("diagram.html", estimator_html_repr(data).encode()): VisualizationType.HTML}

    def extract_metadata(self, data: BaseEstimator) -> dict[str, Any]:
        """The sha256 that identifies the model in registry and bundle, and the class name."""
        return {"sha256": self._digest, "estimator": type(data).__name__}
