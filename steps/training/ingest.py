"""Read the table, or make the built-in sample."""

from typing import Annotated

import pandas as pd
from zenml import step

from materializers.caching import depends_on
from materializers.table import TableMaterializer
from tabular import names
from tabular.reports.training import Provenance
from tabular.table import sources
from tabular.table.sources import TableSource, read_table


@step(cache_policy=depends_on(sources), output_materializers={names.DATASET: TableMaterializer})
def ingest(
    source: TableSource, target: str, drop_columns: tuple[str, ...], drop_duplicates: bool, seed: int
) -> tuple[Annotated[pd.DataFrame, names.DATASET], Annotated[Provenance, names.PROVENANCE]]:
    """Read the source that was located before the run.

    Its fingerprint changes with the file, so that a changed file is read again. `seed` is that of the built-in sample.
    """
    rows, provenance = read_table(source, target, drop_duplicates, seed, drop_columns)
    return rows, provenance
