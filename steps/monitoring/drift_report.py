"""Draw the drift report."""

from typing import Annotated

import pandas as pd
from zenml import step
from zenml.types import HTMLString

from registry import bundles
from tabular import names
from tabular.monitoring.frames import reference_frame
from tabular.pages.evidently_page import drift_page
from tabular.reports.verdicts import Verdict


@step(enable_cache=False)
def drift_report(verdict: Verdict, sample: pd.DataFrame, seed: int) -> Annotated[HTMLString, names.DRIFT_PAGE]:
    """Draw Evidently's page, which shows a sample of the rows beside the training rows.

    Args:
        verdict: names the version, and the columns that are shown first.
        sample: some of the rows that were observed.
        seed: seed of the rows that stand for the training rows.
    """
    judged = bundles.fetch(verdict.model, verdict.version)
    trained = reference_frame(judged.reference, judged.bundle, seed=seed)
    return HTMLString(drift_page(trained, sample, verdict))
