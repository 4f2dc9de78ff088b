"""A verdict as metrics for Prometheus, which collects them from a file or from a Pushgateway."""

import math
from collections.abc import Sequence
from datetime import datetime
from http.client import HTTPException
from typing import Final
from urllib.error import HTTPError, URLError

from prometheus_client import CollectorRegistry, Gauge, generate_latest, push_to_gateway, write_to_textfile

from tabular.config.monitoring import MetricsConfig
from tabular.errors import UserError
from tabular.reports.verdicts import SEVERITY, Kind, MonitoringFinding, Performance, ServiceTraffic, Verdict
from tabular.storage.places import public

JOB: Final = "stackhouse_monitor"
SECONDS: Final = 10.0
"""How long to wait for a Pushgateway's connection, and for each piece of its answer."""
DRIFT: Final[frozenset[Kind]] = frozenset({"distribution", "missing", "out_of_range", "unknown", "prediction"})
_COMMON: Final = ("model", "version", "source")


def registry(verdict: Verdict) -> CollectorRegistry:
    """Return all metrics of a verdict; figures that it does not have are left out.

    Each metric is a gauge with the labels `model`, `version` and `source` (`log` or `batch`), in base units.
    """
    gauges = _Gauges(verdict)
    words = "Level of the newest verdict: 0 ok, 1 warn, 2 alert, -1 too few rows."
    gauges.set("stackhouse_monitor_level", words, SEVERITY[verdict.level])
    gauges.set("stackhouse_monitor_rows", "Rows that were judged.", verdict.rows)
    for end, moment in (("start", verdict.start), ("end", verdict.end)):
        name = f"stackhouse_monitor_window_{end}_timestamp_seconds"
        gauges.set(name, f"The {end} of the rows that were judged.", datetime.fromisoformat(moment).timestamp())
    gauges.set("stackhouse_monitor_retrain", "1 where another training is due.", int(verdict.retrain))
    words = "Number of windows that count for another training."
    gauges.set("stackhouse_monitor_violations", words, verdict.violations)
    _findings(gauges, verdict.findings)
    if verdict.performance:
        _performance(gauges, verdict.performance)
    if verdict.traffic:
        _traffic(gauges, verdict.traffic)
    return gauges.registry


def text(verdict: Verdict) -> str:
    """Return a verdict in Prometheus' text format."""
    return generate_latest(registry(verdict)).decode()


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
    """Make or replace a file that node_exporter's textfile collector reads; a reader never sees a part of it.

    Args:
        path: a file `*.prom` in the collector's folder.
        verdict: the verdict.

    Raises:
        UserError: the file cannot be written.
    """
    try:
        write_to_textfile(path, registry(verdict))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UserError(f"{path}: cannot write it ({reason}); correct metrics.textfile or its permissions") from None


def push(address: str, verdict: Verdict) -> None:
    """Replace the metrics of this model in a Pushgateway.

    Args:
        address: address of the Pushgateway, such as `http://localhost:9091`.
        verdict: the verdict.

    Raises:
        UserError: the Pushgateway does not answer in time, or refuses.
    """
    group = {"model": verdict.model, "source": verdict.source}
    try:
        push_to_gateway(address, JOB, registry(verdict), group, SECONDS)
    except (OSError, HTTPException, ValueError) as error:
        remedy = "is the Pushgateway running, and is metrics.pushgateway its address?"
        raise UserError(f"{public(address)}: cannot push the verdict ({_reason(error)}); {remedy}") from None


class _Gauges:
    """Gauges of one verdict, each made when it is first set."""

    def __init__(self, verdict: Verdict) -> None:
        self.registry = CollectorRegistry()
        self._of = (verdict.model, verdict.version, verdict.source)
        self._known: dict[str, Gauge] = {}

    def set(self, name: str, help_text: str, value: float, **labels: str) -> None:
        gauge = self._known.get(name)
        if gauge is None:
            gauge = self._known[name] = Gauge(name, help_text, (*_COMMON, *labels), registry=self.registry)
        gauge.labels(*self._of, *labels.values()).set(value)


def _findings(gauges: _Gauges, findings: Sequence[MonitoringFinding]) -> None:
    for found in findings:
        gauges.set(
            "stackhouse_monitor_finding_level",
            "Level of one finding: 0 ok, 1 warn, 2 alert.",
            SEVERITY[found.level],
            kind=found.kind,
            subject=found.subject,
        )
        if found.kind not in DRIFT:
            continue
        gauges.set(
            "stackhouse_drift",
            "How far the rows are from those of training, in the unit that the label measure names.",
            found.value,
            column=found.subject,
            kind=found.kind,
            measure=found.measure,
        )
        if found.psi is not None:
            gauges.set(
                "stackhouse_drift_psi", "Population stability index.", found.psi, column=found.subject, kind=found.kind
            )


def _performance(gauges: _Gauges, performance: Performance) -> None:
    gauges.set("stackhouse_performance_rows", "Predictions whose true value is known.", performance.rows)
    for metric, found in performance.metrics.items():
        for bound, value in (("value", found.value), ("low", found.low), ("high", found.high)):
            words = "Metric of predictions whose true value is known, and the bounds of its interval."
            gauges.set("stackhouse_performance", words, value, metric=metric, bound=bound)
    for metric, value in performance.held_out.items():
        words = "The same metric on the held-out rows."
        gauges.set("stackhouse_performance_held_out", words, value, metric=metric)


def _traffic(gauges: _Gauges, traffic: ServiceTraffic) -> None:
    for quantile, value in (("0.5", traffic.p50_ms), ("0.95", traffic.p95_ms), ("0.99", traffic.p99_ms)):
        if value is not None:
            words = "Time from a request to its answer, over the window."
            gauges.set("stackhouse_monitor_latency_seconds", words, value / 1000, quantile=quantile)
    words = "Requests of the window, by their answer; those that a fallback answered are also counted as predicted."
    for answer in ("predicted", "fallback", "refused", "failed"):
        count = traffic.requests if answer == "predicted" else getattr(traffic, answer)
        gauges.set("stackhouse_monitor_requests", words, count, answer=answer)
    for name, share in (("error", traffic.error_share), ("refused", traffic.refused_share)):
        if not math.isnan(share):
            gauges.set(f"stackhouse_monitor_{name}_ratio", f"Share of the requests: {name}.", share)


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
