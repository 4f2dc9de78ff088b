"""Stores a model's configuration as `model_config.yaml`."""

from typing import Any, ClassVar

from zenml.enums import ArtifactType, VisualizationType

from materializers.files import FileMaterializer
from tabular.learning.model_config import FILE, ModelConfig, from_yaml, to_yaml


class ModelConfigMaterializer(FileMaterializer):
    """The configuration of one version of a model."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (ModelConfig,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA
    FILE: ClassVar[str] = FILE

    def _encoded(self, data: ModelConfig) -> bytes:
        return to_yaml(data).encode()

    def _decoded(self, content: bytes, data_type: type[Any]) -> ModelConfig:
        return from_yaml(content.decode())

    def save_visualizations(self, data: ModelConfig) -> dict[str, VisualizationType]:
        """The file as a Markdown code block."""
        text = f"```yaml\n{to_yaml(data)}```\n"
        return {self.write("model_config.md", text.encode()): VisualizationType.MARKDOWN}
