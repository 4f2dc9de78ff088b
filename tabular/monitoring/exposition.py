"""A verdict as metrics that Prometheus collects: from a file, or from a Pushgateway."""

import math
from collections.abc import Sequence
from datetime import datetime
from http.client import HTTPException
from typing import Final
from urllib.error import HTTPError, URLError

from prometheus_client import CollectorRegistry, Gauge, generate_latest, push_to_gateway, write_to_textfile

from tabular.errors import UserError
from tabular.reports.verdicts import SEVERITY, Kind, MonitoringFinding, Performance, ServiceTraffic, Verdict
from tabular.storage.places import public

JOB: Final = "stackhouse_monitor"
SECONDS: Final = 10.0
"""How long to wait for a Pushgateway's connection, and for each piece of its answer."""
DRIFT: Final[frozenset[Kind]] = frozenset({"distribution", "missing", "out_of_range", "unknown", "prediction"})
_COMMON: Final = ("model", "version", "source")


def registry(verdict: Verdict) -> CollectorRegistry:
    """All metrics of a verdict; figures that it does not have are left out.

    Every one is a gauge with the labels `model`, `version` and `source` (`log` or `batch`), in base units.
    """
    gauges = _Gauges(verdict)
    gauges.set(
        "stackhouse_monitor_level",
        "Of the newest verdict: 0 ok, 1 warn, 2 alert, -1 too few rows.",
        SEVERITY[verdict.level],
    )
    gauges.set("stackhouse_monitor_rows", "Rows that were judged.", verdict.rows)
    for end, moment in (("start", verdict.start), ("end", verdict.end)):
        gauges.set(
            f"stackhouse_monitor_window_{end}_timestamp_seconds",
            f"The {end} of the rows that were judged.",
            datetime.fromisoformat(moment).timestamp(),
        )
    gauges.set("stackhouse_monitor_retrain", "1 where another training is due.", int(verdict.retrain))
    gauges.set("stackhouse_monitor_violations", "Windows that count for another training.", verdict.violations)
    _findings(gauges, verdict.findings)
    if verdict.performance:
        _performance(gauges, verdict.performance)
    if verdict.traffic:
        _traffic(gauges, verdict.traffic)
    return gauges.registry


def text(verdict: Verdict) -> str:
    """A verdict in Prometheus' text format."""
    return generate_latest(registry(verdict)).decode()


def write_textfile(path: str, verdict: Verdict) -> None:
    """Make or replace a file that node_exporter's textfile collector reads; nobody ever reads a part of it.

    Args:
        path: `*.prom` in the collector's folder.
        verdict: what it says.

    Raises:
        UserError: the file cannot be written.
    """
    try:
        write_to_textfile(path, registry(verdict))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UserError(f"{path}: cannot write it ({reason}); correct metrics.textfile or its permissions") from None


def push(address: str, verdict: Verdict) -> None:
    """Replace what a Pushgateway knows of this model.

    Args:
        address: such as `http://localhost:9091`.
        verdict: what it says.

    Raises:
        UserError: nothing answered in time, or it refused.
    """
    group = {"model": verdict.model, "source": verdict.source}
    try:
        push_to_gateway(address, JOB, registry(verdict), group, SECONDS)
    except (OSError, HTTPException, ValueError) as error:
        remedy = "is the Pushgateway running, and is metrics.pushgateway its address?"
        raise UserError(f"{public(address)}: cannot push the verdict ({_reason(error)}); {remedy}") from None


class _Gauges:
    """Gauges about one verdict, made when they are first set."""

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
            "Of one thing that was looked at: 0 ok, 1 warn, 2 alert.",
            SEVERITY[found.level],
            kind=found.kind,
            subject=found.subject,
        )
        if found.kind not in DRIFT:
            continue
        gauges.set(
            "stackhouse_drift",
            "How far the rows are from those of training, in the unit that measure names.",
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
            words = "Of predictions whose true value is known, with the bounds of its interval."
            gauges.set("stackhouse_performance", words, value, metric=metric, bound=bound)
    for metric, value in performance.held_out.items():
        words = "The same metric on the held-out rows."
        gauges.set("stackhouse_performance_held_out", words, value, metric=metric)


def _traffic(gauges: _Gauges, traffic: ServiceTraffic) -> None:
    for quantile, value in (("0.5", traffic.p50_ms), ("0.95", traffic.p95_ms), ("0.99", traffic.p99_ms)):
        if value is not None:
            words = "From a request to its answer, over the window."
            gauges.set("stackhouse_monitor_latency_seconds", words, value / 1000, quantile=quantile)
    words = "Of the window, by what became of them; a fallback's answer is also one of those that were predicted."
    for answer in ("predicted", "fallback", "refused", "failed"):
        count = traffic.requests if answer == "predicted" else getattr(traffic, answer)
        gauges.set("stackhouse_monitor_requests", words, count, answer=answer)
    for name, share in (("error", traffic.error_share), ("refused", traffic.refused_share)):
        if not math.isnan(share):
            gauges.set(f"stackhouse_monitor_{name}_ratio", f"Share of the requests: {name}.", share)


def _reason(error: Exception) -> str:
    """What went wrong, without the address."""
    if isinstance(error, HTTPError):
        return f"it answered {error.code}"
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, TimeoutError):
        return f"no answer within {SECONDS:.0f} seconds"
    if isinstance(cause, OSError):
        return (cause.strerror or type(cause).__name__).lower()
    return type(cause).__name__ if isinstance(cause, Exception) else str(cause)
