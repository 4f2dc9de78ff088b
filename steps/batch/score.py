"""The step that scores a table."""

import os
from typing import Annotated

import pandas as pd
from zenml import step

from materializers.report import ReportMaterializer
from materializers.table import TableMaterializer
from registry import bundles
from tabular import names
from tabular.batch import scoring
from tabular.batch.report import BatchReport
from tabular.bundles.loading import build_predictor, warm
from tabular.config.batch import BatchConfig
from trackers.progress import ScoringProgress


@step(
    enable_cache=False,
    output_materializers={names.BATCH_REPORT: ReportMaterializer, names.BATCH_SAMPLE: TableMaterializer},
)
def score(
    batch: BatchConfig,
) -> tuple[Annotated[BatchReport, names.BATCH_REPORT], Annotated[pd.DataFrame, names.BATCH_SAMPLE]]:
    """Score the rows that were not scored before, and return the report with a sample of the scored rows."""
    fetched = bundles.fetch(batch.model, batch.version)
    predictor = build_predictor(fetched.folder, fetched.bundle, batch.threads or os.cpu_count() or 1)
    warm(fetched.bundle, predictor)
    model = scoring.BatchModel(fetched.bundle, fetched.reference, fetched.sha256, predictor)
    with ScoringProgress() as progress:
        report, sample = scoring.score(batch, model, progress)
    return report, sample  # two names: ZenML counts the outputs of a step in its return statement
