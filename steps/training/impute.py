"""Choose how missing values are filled."""

from typing import Annotated

import pandas as pd
from zenml import step

from materializers.caching import depends_on
from materializers.imputer import ImputerPairMaterializer
from tabular import names
from tabular.config.stages import ImputationConfig
from tabular.learning import imputation
from tabular.learning.imputation import ImputerPair
from tabular.reports.training import ImputationReport


@step(cache_policy=depends_on(imputation), output_materializers={names.IMPUTER: ImputerPairMaterializer})
def impute(
    tuning_rows: pd.DataFrame, target: str, config: ImputationConfig, seed: int
) -> tuple[Annotated[ImputerPair, names.IMPUTER], Annotated[ImputationReport, names.IMPUTATION_REPORT]]:
    """Compare the strategies on masked known values; the target is set aside.

    Returns:
        The chosen scaler (or None) and imputer, fitted, and the comparison.
    """
    pair, report = imputation.compare(tuning_rows, target, config, seed)
    return pair, report
