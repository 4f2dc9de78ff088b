"""Hold rows out, before anything is fitted."""

from typing import Annotated

import pandas as pd
from zenml import step

from materializers.table import TableMaterializer
from steps import names
from steps.caching import depends_on
from tabular import splitting
from tabular.config.stages import SplitConfig, TargetConfig


@step(
    cache_policy=depends_on(splitting),
    output_materializers={names.TRAIN_ROWS: TableMaterializer, names.TEST_ROWS: TableMaterializer},
)
def split(
    dataset: pd.DataFrame, target: TargetConfig, config: SplitConfig, seed: int
) -> tuple[Annotated[pd.DataFrame, names.TRAIN_ROWS], Annotated[pd.DataFrame, names.TEST_ROWS]]:
    """Draw the held-out rows.

    Args:
        dataset: all rows.
        target: classes are kept in proportion.
        config: the share, and what to stratify by.
        seed: of the draw.

    Returns:
        The training rows and the held-out rows.
    """
    train_rows, test_rows = splitting.split(dataset, target, config, seed)
    return train_rows, test_rows
