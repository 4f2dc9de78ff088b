"""What `/metrics` says, beside what BentoML says."""

import os
from dataclasses import dataclass
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from tabular.bundles.encoding import Notes
from tabular.prediction_log.writer import PredictionLog

BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
SHARED: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Where BentoML has all workers of a service keep their numbers, so that any of them can tell the sum."""


@dataclass(frozen=True, slots=True)
class VersionMetrics:
    """The series of one model version on one route, with their labels bound."""

    predictions: Counter
    latency: Histogram


class Metrics:
    """The service's series. Labels come from the model and the routes, never from what a client makes up.

    Args:
        registry: where they are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._predictions = Counter(
            "stackhouse_predictions", "Rows that were predicted.", ("model_version", "route"), registry=registry
        )
        self._latency = Histogram(
            "stackhouse_prediction_seconds",
            "From the first byte of a request to its answer.",
            ("model_version", "route"),
            buckets=BUCKETS,
            registry=registry,
        )
        self._requests = Counter("stackhouse_requests", "Requests.", ("route", "status"), registry=registry)
        self._invalid = Counter(
            "stackhouse_validation_failures", "Refused inputs.", ("field", "code"), registry=registry
        )
        self._missing = Counter("stackhouse_missing_values", "Missing values, imputed.", ("column",), registry=registry)
        self._unknown = Counter(
            "stackhouse_unknown_categories", "Categories that training never saw.", ("column",), registry=registry
        )
        self._range = Counter(
            "stackhouse_out_of_range", "Numbers beyond those of training.", ("column",), registry=registry
        )
        self._fallback = Counter(
            "stackhouse_fallback", "Rows that another than the wanted model answered.", ("source",), registry=registry
        )
        self._version = Gauge(
            "stackhouse_model_info",
            "1 for the model that serves.",
            ("model_name", "model_version"),
            registry=registry,
            multiprocess_mode="mostrecent",
        )
        self._log_rows = Counter(
            "stackhouse_prediction_log_rows", "Rows of the prediction log.", ("state",), registry=registry
        )
        self._log_waiting = Gauge(
            "stackhouse_prediction_log_waiting",
            "Rows that wait to be written to the prediction log.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._log_known = {"written": 0, "dropped": 0}
        self._bound: dict[tuple[str, str], VersionMetrics] = {}
        self._answers: dict[tuple[str, int], Counter] = {}
        self._serving: tuple[str, str] | None = None

    def of(self, version: str, route: str) -> VersionMetrics:
        """The series of a model version on a route."""
        bound = self._bound.get((version, route))
        if bound is None:
            bound = VersionMetrics(self._predictions.labels(version, route), self._latency.labels(version, route))
            self._bound[version, route] = bound
        return bound

    def answered(self, route: str, status: int) -> None:
        """Count a request."""
        counter = self._answers.get((route, status))
        if counter is None:
            counter = self._answers[route, status] = self._requests.labels(route, str(status))
        counter.inc()

    def noticed(self, notes: Notes) -> None:
        """Count what was accepted with a note."""
        for counter, found in (
            (self._missing, notes.missing),
            (self._unknown, notes.unknown),
            (self._range, notes.out_of_range),
        ):
            for column, count in found.items():
                counter.labels(column).inc(count)

    def refused(self, field: str, code: str) -> None:
        """Count a refused input; `field` must be a name that the model or the service knows."""
        self._invalid.labels(field, code).inc()

    def fell_back(self, source: str, rows: int) -> None:
        """Count rows that a fallback answered."""
        self._fallback.labels(source).inc(rows)

    def logged(self, log: PredictionLog) -> None:
        """Say how this worker's prediction log fares."""
        self._log_waiting.set(log.pending)
        for state, rows in (("written", log.written), ("dropped", log.dropped)):
            self._log_rows.labels(state).inc(rows - self._log_known[state])
            self._log_known[state] = rows

    def serving(self, name: str, version: str) -> None:
        """Say which model serves now."""
        if self._serving != (name, version):
            if self._serving is not None:
                self._version.labels(*self._serving).set(0)
            self._version.labels(name, version).set(1)
            self._serving = (name, version)

    def predictions(self) -> int:
        """Rows that were predicted so far, by all workers."""
        return int(
            sum(
                sample.value
                for family in self._all().collect()
                if family.name == "stackhouse_predictions"
                for sample in family.samples
                if sample.name == "stackhouse_predictions_total"
            )
        )

    def text(self) -> bytes:
        """Everything in Prometheus' text format, BentoML's series included."""
        return generate_latest(self._all())

    def _all(self) -> CollectorRegistry:
        if SHARED not in os.environ:
            return self._registry
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return registry
