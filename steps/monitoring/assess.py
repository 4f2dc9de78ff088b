"""Give a verdict on a window or on a batch."""

from typing import Annotated

from zenml import log_metadata, step

from materializers.report import ReportMaterializer
from registry import bundles
from registry.watching import open_watch
from tabular import names
from tabular.batch.report import BatchReport
from tabular.config.batch import BatchConfig
from tabular.config.monitoring import MonitoringConfig
from tabular.monitoring import grading
from tabular.reports.verdicts import Verdict, Window


@step(enable_cache=False, output_materializers={names.VERDICT: ReportMaterializer})
def assess(window: Window, monitoring: MonitoringConfig) -> Annotated[Verdict, names.VERDICT]:
    """Compare a window with the training rows, and keep the verdict for the windows that follow."""
    watched = bundles.fetch(monitoring.model, window.observed.version)
    watch = open_watch(monitoring.model)
    earlier = watch.before(window.start, window.end, window.observed.version, monitoring.retrain.windows - 1)
    verdict = grading.grade_window(window, watched.reference, watched.bundle, monitoring, earlier)
    log_metadata(metadata={"level": verdict.level, "retrain": verdict.retrain, "kept": watch.keep(verdict)})
    return verdict


@step(enable_cache=False, output_materializers={names.VERDICT: ReportMaterializer})
def assess_batch(batch_report: BatchReport, batch: BatchConfig) -> Annotated[Verdict, names.VERDICT]:
    """Compare a batch with the training rows.

    `monitor status` does not show the verdict, because a batch is not a window of time.
    """
    scored_by = bundles.fetch(batch.model, batch_report.observed.version)
    verdict = grading.grade_batch(
        batch_report.observed,
        batch_report.findings(),
        scored_by.reference,
        scored_by.bundle,
        batch.drift,
        batch.minimum,
        (batch_report.started, batch_report.ended),
    )
    log_metadata(metadata={"level": verdict.level})
    return verdict
