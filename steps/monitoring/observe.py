"""Look at a window of the prediction log."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import pandas as pd
from zenml import step

from materializers.report import ReportMaterializer
from materializers.table import TableMaterializer
from registry import bundles
from tabular import names
from tabular.bundles.bundle import Bundle
from tabular.config.monitoring import MonitoringConfig
from tabular.monitoring import frames
from tabular.monitoring.performance import measure
from tabular.monitoring.tally import Tally
from tabular.monitoring.traffic import traffic
from tabular.prediction_log.reading import Span
from tabular.prediction_log.windows import LogWindow, read_window
from tabular.reports.verdicts import Performance, Window


@step(
    enable_cache=False,
    output_materializers={names.WINDOW: ReportMaterializer, names.SAMPLE: TableMaterializer},
)
def observe(
    monitoring: MonitoringConfig,
) -> tuple[Annotated[Window, names.WINDOW], Annotated[pd.DataFrame, names.SAMPLE]]:
    """Read the window, and count.

    Args:
        monitoring: which model, which log, which hours.

    Returns:
        What was observed, and some of the rows.
    """
    _, _, bundle, reference = bundles.fetch(monitoring.model, monitoring.version)
    start, end = span = _span(monitoring)
    delay = timedelta(hours=monitoring.performance.delay_hours)
    earlier = (start - delay, end - delay)
    log = read_window(monitoring.log, bundle, start, end, monitoring.window.rows, earlier)
    tally = Tally(bundle, reference)
    tally.add(log.rows, log.notes, log.predicted)
    asked = log.requests
    window = Window(
        start=_text(start),
        end=_text(end),
        observed=tally.observed(),
        traffic=traffic(asked.times, asked.latency_ms, asked.rows, log.refusals, _seconds(span)),
        performance=_performance(log, bundle, earlier, monitoring),
        other_versions=log.other_versions,
        unreadable=log.unreadable,
    )
    return window, frames.current_frame(log.rows, log.predicted, bundle, seed=monitoring.seed)


def _span(monitoring: MonitoringConfig) -> Span:
    until = monitoring.window.until
    end = datetime.fromisoformat(until).astimezone(UTC) if until else datetime.now(UTC)
    return end - timedelta(hours=monitoring.window.hours), end


def _performance(log: LogWindow, bundle: Bundle, span: Span, monitoring: MonitoringConfig) -> Performance | None:
    labelled = log.labelled
    return measure(
        bundle.task,
        labelled.actual,
        labelled.predicted,
        labelled.probabilities,
        bundle.classes,
        bundle.metrics,
        (_text(span[0]), _text(span[1])),
        monitoring.performance,
        monitoring.seed,
    )


def _seconds(span: Span) -> float:
    return (span[1] - span[0]).total_seconds()


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
