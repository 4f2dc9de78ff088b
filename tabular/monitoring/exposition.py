"""A verdict as metrics for Prometheus, which collects them from a file or from a Pushgateway."""

import math
from collections.abc import Iterator
from datetime import datetime
from http.client import HTTPException
from typing import Final
from urllib.error import HTTPError, URLError

from prometheus_client import CollectorRegistry, Gauge, push_to_gateway, write_to_textfile

from tabular.config.monitoring import MetricsConfig
from tabular.errors import UserError
from tabular.reports.verdicts import SEVERITY, Kind, Verdict
from tabular.storage.addresses import public, resolved

JOB: Final = "stackhouse_monitor"
SECONDS: Final = 10.0
"""How long to wait for a Pushgateway's connection, and for each piece of its answer."""
DRIFT: Final[frozenset[Kind]] = frozenset({"distribution", "missing", "out_of_range", "unknown", "prediction"})
COMMON: Final = ("model", "version", "source")
"""Labels of every metric; `source` is `log` or `batch`."""
HELP: Final = {
    "stackhouse_monitor_level": "Level of the newest verdict: 0 ok, 1 warn, 2 alert, -1 too few rows.",
    "stackhouse_monitor_rows": "Number of rows that were judged.",
    "stackhouse_monitor_window_start_timestamp_seconds": "The start of the rows that were judged.",
    "stackhouse_monitor_window_end_timestamp_seconds": "The end of the rows that were judged.",
    "stackhouse_monitor_retrain": "1 where another training is due.",
    "stackhouse_monitor_violations": "Number of windows that count for another training.",
    "stackhouse_monitor_finding_level": "Level of one finding: 0 ok, 1 warn, 2 alert.",
    "stackhouse_drift": "How far the rows are from those of training, in the unit that the label measure names.",
    "stackhouse_drift_psi": "Population stability index.",
    "stackhouse_performance_rows": "Number of predictions whose true value is known.",
    "stackhouse_performance": "Metric of predictions whose true value is known, and the bounds of its interval.",
    "stackhouse_performance_held_out": "The same metric on the held-out rows.",
    "stackhouse_monitor_latency_seconds": "Time from a request to its answer, over the window.",
    "stackhouse_monitor_requests": "Requests of the window by answer; those of a fallback also count as predicted.",
    "stackhouse_monitor_error_ratio": "Share of the requests that failed or that a fallback answered.",
    "stackhouse_monitor_refused_ratio": "Share of the requests that were refused.",
}
"""The metrics, in base units, and what Prometheus shows about each."""

Sample = tuple[str, float | None, dict[str, str]]
"""Name, value and further labels of a metric; None is left out."""


def registry(verdict: Verdict) -> CollectorRegistry:
    """Return all metrics of a verdict as gauges; figures that it does not have are left out."""
    made = CollectorRegistry()
    gauges: dict[str, Gauge] = {}
    for name, value, labels in _samples(verdict):
        if value is None:
            continue
        if name not in gauges:
            gauges[name] = Gauge(name, HELP[name], (*COMMON, *labels), registry=made)
        gauges[name].labels(verdict.model, verdict.version, verdict.source, *labels.values()).set(value)
    return made


def publish(verdict: Verdict, config: MetricsConfig) -> list[str]:
    """Write the metrics of a verdict wherever the config says. Returns what could not be done, in words."""
    trouble = []
    for where, give in ((config.textfile, write_textfile), (config.pushgateway, push)):
        try:
            if where is not None:
                give(where, verdict)
        except UserError as error:
            trouble.append(str(error))
    return trouble


def write_textfile(path: str, verdict: Verdict) -> None:
    """Make or replace a file `*.prom` for node_exporter's textfile collector; a reader never sees a part of it.

    Raises:
        UserError: the file cannot be written.
    """
    try:
        write_to_textfile(path, registry(verdict))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UserError(f"{path}: cannot write it ({reason}); correct metrics.textfile or its permissions") from None


def push(address: str, verdict: Verdict) -> None:
    """Replace the metrics of this model in a Pushgateway, whose address is such as `http://localhost:9091`.

    Raises:
        UserError: the Pushgateway does not answer in time, or refuses.
    """
    group = {"model": verdict.model, "source": verdict.source}
    try:
        push_to_gateway(resolved(address), JOB, registry(verdict), group, SECONDS)
    except (OSError, HTTPException, ValueError) as error:
        remedy = "is the Pushgateway running, and is metrics.pushgateway its address?"
        raise UserError(f"{public(address)}: cannot push the verdict ({_reason(error)}); {remedy}") from None


def _samples(verdict: Verdict) -> Iterator[Sample]:
    yield "stackhouse_monitor_level", SEVERITY[verdict.level], {}
    yield "stackhouse_monitor_rows", verdict.rows, {}
    for end, moment in (("start", verdict.start), ("end", verdict.end)):
        yield f"stackhouse_monitor_window_{end}_timestamp_seconds", datetime.fromisoformat(moment).timestamp(), {}
    yield "stackhouse_monitor_retrain", int(verdict.retrain), {}
    yield "stackhouse_monitor_violations", verdict.violations, {}
    for found in verdict.findings:
        yield "stackhouse_monitor_finding_level", SEVERITY[found.level], {"kind": found.kind, "subject": found.subject}
        if found.kind in DRIFT:
            labels = {"column": found.subject, "kind": found.kind}
            yield "stackhouse_drift", found.value, labels | {"measure": found.measure}
            yield "stackhouse_drift_psi", found.psi, labels
    if performance := verdict.performance:
        yield "stackhouse_performance_rows", performance.rows, {}
        for metric, interval in performance.metrics.items():
            for bound, end in interval:
                yield "stackhouse_performance", end, {"metric": metric, "bound": bound}
        for metric, before in performance.held_out.items():
            yield "stackhouse_performance_held_out", before, {"metric": metric}
    if traffic := verdict.traffic:
        for quantile, value in (("0.5", traffic.p50_ms), ("0.95", traffic.p95_ms), ("0.99", traffic.p99_ms)):
            yield "stackhouse_monitor_latency_seconds", None if value is None else value / 1000, {"quantile": quantile}
        yield "stackhouse_monitor_requests", traffic.requests, {"answer": "predicted"}
        for answer in ("fallback", "refused", "failed"):
            yield "stackhouse_monitor_requests", getattr(traffic, answer), {"answer": answer}
        for name, share in (("error", traffic.error_share), ("refused", traffic.refused_share)):
            yield f"stackhouse_monitor_{name}_ratio", None if math.isnan(share) else share, {}


def _reason(error: Exception) -> str:
    """Return what went wrong, without the address."""
    if isinstance(error, HTTPError):
        return f"it answered {error.code}"
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, TimeoutError):
        return f"no answer within {SECONDS:.0f} seconds"
    if isinstance(cause, OSError):
        return (cause.strerror or type(cause).__name__).lower()
    return type(cause).__name__ if isinstance(cause, Exception) else str(cause)
