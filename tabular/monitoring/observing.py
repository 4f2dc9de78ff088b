"""Observing a window of the prediction log: counts of its rows, the service's traffic, and the model's performance."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from tabular.bundles.bundle import Bundle
from tabular.bundles.reference import Reference
from tabular.config.monitoring import MonitoringConfig
from tabular.monitoring.frames import current_frame
from tabular.monitoring.performance import measure
from tabular.monitoring.tally import Tally
from tabular.prediction_log.windows import Requests, read_window
from tabular.reports.verdicts import ServiceTraffic, Window

MINUTE = 60.0
FALLBACK = (200, "fallback")
"""Status and code under which the log counts a request that was answered without the model."""


def observe_window(config: MonitoringConfig, bundle: Bundle, reference: Reference) -> tuple[Window, pd.DataFrame]:
    """Read the window that the config names, and count what is in it.

    Returns:
        The counts, and a sample of the rows as a table (see `frames.current_frame`).

    Raises:
        places.StoreError: the store of the log does not answer, or refuses.
        UserError: the metric that decides does not belong to the model's task.
    """
    end = datetime.fromisoformat(config.window.until).astimezone(UTC) if config.window.until else datetime.now(UTC)
    length, delay = timedelta(hours=config.window.hours), timedelta(hours=config.performance.delay_hours)
    labelled_span = end - length - delay, end - delay
    log = read_window(config.log, bundle, end - length, end, config.window.rows, labelled_span)
    tally = Tally(bundle, reference)
    tally.add(log.rows, log.notes, log.predicted)
    window = Window(
        start=_text(end - length),
        end=_text(end),
        observed=tally.observed(),
        traffic=service_traffic(log.requests, log.refusals, length.total_seconds()),
        performance=measure(
            log.labelled, bundle, (_text(labelled_span[0]), _text(labelled_span[1])), config.performance, config.seed
        ),
        other_versions=log.other_versions,
        unreadable=log.unreadable,
    )
    return window, current_frame(log.rows, log.predicted, bundle, seed=config.seed)


def service_traffic(answered: Requests, others: Mapping[tuple[int, str], int], seconds: float) -> ServiceTraffic:
    """Return how the service did in a window of so many seconds; `others` is `LogWindow.refusals`."""
    latency = answered.latency_ms
    quantiles = np.quantile(latency, (0.5, 0.95, 0.99)).tolist() if len(latency) else [None] * 3
    minutes = np.unique(answered.times // MINUTE, return_counts=True)[1]
    causes = {f"{status} {code}": count for (status, code), count in others.items() if (status, code) != FALLBACK}
    return ServiceTraffic(
        requests=len(answered.times),
        rows=answered.rows,
        p50_ms=quantiles[0],
        p95_ms=quantiles[1],
        p99_ms=quantiles[2],
        rows_per_second=answered.rows / seconds,
        peak_requests=int(minutes.max()) if len(minutes) else 0,
        failed=sum(count for (status, _), count in others.items() if status >= 500),
        fallback=others.get(FALLBACK, 0),
        refused=sum(count for (status, _), count in others.items() if 400 <= status < 500),
        causes=dict(sorted(causes.items(), key=lambda pair: (-pair[1], pair[0]))),
    )


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
