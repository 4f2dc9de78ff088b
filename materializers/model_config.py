"""Stores a model's configuration as `model_config.yaml`."""

import hashlib
from typing import Any, ClassVar

from zenml.enums import ArtifactType, VisualizationType

from materializers.files import FileMaterializer
from tabular.learning.model_config import FILE, ModelConfig, from_yaml, to_yaml


class ModelConfigMaterializer(FileMaterializer):
    """The configuration of one version of a model."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (ModelConfig,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA
    SKIP_REGISTRATION: ClassVar[bool] = False

    def save(self, data: ModelConfig) -> None:
        """Write the file."""
        self.write(FILE, to_yaml(data).encode())

    def load(self, data_type: type[Any]) -> ModelConfig:
        """Read the file."""
        return from_yaml(self.read(FILE).decode())

    def compute_content_hash(self, data: ModelConfig) -> str | None:
        """The sha256 of the file."""
        return hashlib.sha256(to_yaml(data).encode()).hexdigest()

    def save_visualizations(self, data: ModelConfig) -> dict[str, VisualizationType]:
        """The file as a Markdown code block."""
        text = f"```yaml\n{to_yaml(data)}```\n"
        return {self.write("model_config.md", text.encode()): VisualizationType.MARKDOWN}
