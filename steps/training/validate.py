"""Check the table against the rules of the config."""

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
    """Collect all failures, then raise one error.

    The returned summary of each column therefore has no failures.
    """
    report = validation.validate(dataset, target, config)
    validation.refuse(report)
    return report
