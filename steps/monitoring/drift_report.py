"""Draw the drift report."""

from typing import Annotated

import pandas as pd
from zenml import step
from zenml.types import HTMLString

from registry import bundles
from tabular import names
from tabular.monitoring import frames
from tabular.pages.evidently_page import drift_page
from tabular.reports.verdicts import Verdict


@step(enable_cache=False)
def drift_report(verdict: Verdict, sample: pd.DataFrame, seed: int) -> Annotated[HTMLString, names.DRIFT_PAGE]:
    """Evidently's page about some of the rows beside the training rows.

    Args:
        verdict: which version, and which columns are worth seeing first.
        sample: of the rows that were looked at.
        seed: of the rows that stand for the training rows.

    Returns:
        One HTML page that needs nothing else.
    """
    judged = bundles.fetch(verdict.model, verdict.version)
    trained = frames.reference_frame(judged.reference, judged.bundle, seed=seed)
    return HTMLString(drift_page(trained, sample, verdict))
