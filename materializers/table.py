"""Stores tables as Parquet files."""

import io
from typing import Any, ClassVar

import pandas as pd
from zenml.enums import ArtifactType, VisualizationType

from materializers.files import FileMaterializer
from tabular.storage.persistence import digest

FILE = "table.parquet"


class TableMaterializer(FileMaterializer):
    """One table; its picture is a CSV with figures of each column."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (pd.DataFrame,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA

    def save(self, data: pd.DataFrame) -> None:
        """Write the table; its index is not kept."""
        buffer = io.BytesIO()
        data.to_parquet(buffer, index=False)
        self._digest = digest(buffer.getvalue())
        self.write(FILE, buffer.getvalue())

    def load(self, data_type: type[Any]) -> pd.DataFrame:
        """Read the table."""
        return pd.read_parquet(io.BytesIO(self.read(FILE)))

    def compute_content_hash(self, data: pd.DataFrame) -> str | None:
        """The sha256 of the Parquet file."""
        return self._digest

    def save_visualizations(self, data: pd.DataFrame) -> dict[str, VisualizationType]:
        """Count, number of distinct values, mean, standard deviation and quantiles of each column."""
        figures = data.describe(include="all").transpose().to_csv(index_label="column")
        return {self.write("columns.csv", figures.encode()): VisualizationType.CSV}

    def extract_metadata(self, data: pd.DataFrame) -> dict[str, Any]:
        """Numbers of rows and columns."""
        return {"rows": len(data), "columns": data.shape[1]}
