"""Hold rows out before anything is fitted."""

from typing import Annotated

import pandas as pd
from zenml import step

from materializers.caching import depends_on
from materializers.table import TableMaterializer
from tabular import names
from tabular.config.stages import SplitConfig, TargetConfig
from tabular.table import splitting


@step(
    cache_policy=depends_on(splitting),
    output_materializers=dict.fromkeys((names.TRAIN_ROWS, names.TEST_ROWS, names.TUNING_ROWS), TableMaterializer),
)
def split(
    dataset: pd.DataFrame, target: TargetConfig, config: SplitConfig, seed: int
) -> tuple[
    Annotated[pd.DataFrame, names.TRAIN_ROWS],
    Annotated[pd.DataFrame, names.TEST_ROWS],
    Annotated[pd.DataFrame, names.TUNING_ROWS],
]:
    """Draw the held-out rows, and from the training rows a part that is large enough to choose on.

    Returns:
        The training rows, the held-out rows, and the part of the training rows that the choices are made on.
    """
    train_rows, test_rows = splitting.split(dataset, target, config, seed)
    return train_rows, test_rows, splitting.tuning_rows(train_rows, target, config, seed)
