"""Observe a window of the prediction log."""

from typing import Annotated

import pandas as pd
from zenml import step

from materializers.report import ReportMaterializer
from materializers.table import TableMaterializer
from registry import bundles
from tabular import names
from tabular.config.monitoring import MonitoringConfig
from tabular.monitoring.observing import observe_window
from tabular.reports.verdicts import Window


@step(
    enable_cache=False,
    output_materializers={names.WINDOW: ReportMaterializer, names.SAMPLE: TableMaterializer},
)
def observe(
    monitoring: MonitoringConfig,
) -> tuple[Annotated[Window, names.WINDOW], Annotated[pd.DataFrame, names.SAMPLE]]:
    """Read the window that the config names. Returns counts of what is in it, and a sample of its rows."""
    watched = bundles.fetch(monitoring.model, monitoring.version)
    window, sample = observe_window(monitoring, watched.bundle, watched.reference)
    return window, sample  # ZenML counts the outputs in the source of this line
