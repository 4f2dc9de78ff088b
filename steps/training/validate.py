"""Check the contract with the data."""

from typing import Annotated

import pandas as pd
from zenml import step

from materializers.caching import depends_on
from tabular import names
from tabular.config.stages import TargetConfig, ValidationConfig
from tabular.reports.training import ValidationReport
from tabular.table import validation


@step(cache_policy=depends_on(validation))
def validate(
    dataset: pd.DataFrame, target: TargetConfig, config: ValidationConfig
) -> Annotated[ValidationReport, names.VALIDATION_REPORT]:
    """Collect every failure, then raise once.

    Args:
        dataset: all rows.
        target: the target and the task.
        config: the rules.

    Returns:
        A profile of each column; without failures, because with any the step raises.
    """
    report = validation.validate(dataset, target, config)
    validation.refuse(report)
    return report
