"""Stores tables as Parquet files."""

import io
from typing import Any, ClassVar

import pandas as pd
from zenml.enums import ArtifactType, VisualizationType

from materializers.files import FileMaterializer


class TableMaterializer(FileMaterializer):
    """One table without its index; its picture is a CSV with figures of each column."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (pd.DataFrame,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA
    FILE: ClassVar[str] = "table.parquet"

    def _encoded(self, data: pd.DataFrame) -> bytes:
        content: bytes = data.to_parquet(index=False)
        return content

    def _decoded(self, content: bytes, data_type: type[Any]) -> pd.DataFrame:
        return pd.read_parquet(io.BytesIO(content))

    def save_visualizations(self, data: pd.DataFrame) -> dict[str, VisualizationType]:
        """Count, number of distinct values, mean, standard deviation and quantiles of each column."""
        figures = data.describe(include="all").transpose().to_csv(index_label="column")
        return {self.write("columns.csv", figures.encode()): VisualizationType.CSV}

    def extract_metadata(self, data: pd.DataFrame) -> dict[str, Any]:
        """Numbers of rows and columns."""
        return {"rows": len(data), "columns": data.shape[1]}
