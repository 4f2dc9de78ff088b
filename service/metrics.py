"""The metrics that `/metrics` exposes in Prometheus' format."""

import os
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from tabular.bundles.encoding import Notes
from tabular.prediction_log.writer import PredictionLog

OTHER: Final = "other"
"""Label in the place of a name that neither the model nor the service has."""
BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
SHARED: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Variable that names the folder in which BentoML's workers keep their numbers, so that each can tell the sum."""


class Metrics:
    """The metrics of the service. Labels come from the model and the routes, never from what a client invents."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

        def counter(name: str, documentation: str, *labels: str) -> Counter:
            return Counter(f"stackhouse_{name}", documentation, labels, registry=registry)

        self._predictions = counter("predictions", "Rows that were predicted.", "model_version", "route")
        self._latency = Histogram(
            "stackhouse_prediction_seconds",
            "From the first byte of a request to its answer.",
            ("model_version", "route"),
            buckets=BUCKETS,
            registry=registry,
        )
        self._requests = counter("requests", "Requests.", "route", "status")
        self._invalid = counter("validation_failures", "Refused inputs.", "field", "code")
        self._missing = counter("missing_values", "Missing values, imputed.", "column")
        self._unknown = counter("unknown_categories", "Categories that training never saw.", "column")
        self._range = counter("out_of_range", "Numbers beyond those of training.", "column")
        self._fallback = counter("fallback", "Rows that another model than the wanted one answered.", "source")
        self._version = Gauge(
            "stackhouse_model_info",
            "1 for the model that serves.",
            ("model_name", "model_version"),
            registry=registry,
            multiprocess_mode="mostrecent",
        )
        self._log_rows = counter("prediction_log_rows", "Rows of the prediction log.", "state")
        self._log_waiting = Gauge(
            "stackhouse_prediction_log_waiting",
            "Rows that wait to be written to the prediction log.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._log_known = {"written": 0, "dropped": 0}
        self._bound: dict[tuple[str, str], tuple[Counter, Histogram]] = {}
        self._answers: dict[tuple[str, int], Counter] = {}
        self._serving: tuple[str, str] | None = None

    def predicted(self, version: str, route: str, rows: int, seconds: float) -> None:
        """Count an answer of a model version: its rows, and the seconds that it took."""
        bound = self._bound.get((version, route))
        if bound is None:
            bound = self._predictions.labels(version, route), self._latency.labels(version, route)
            self._bound[version, route] = bound
        bound[0].inc(rows)
        bound[1].observe(seconds)

    def answered(self, route: str, status: int) -> None:
        """Count an answer by its HTTP status code."""
        answers = self._answers.get((route, status))
        if answers is None:
            answers = self._answers[route, status] = self._requests.labels(route, str(status))
        answers.inc()

    def noticed(self, notes: Notes) -> None:
        """Count values that were accepted with a note."""
        noted = ((self._missing, notes.missing), (self._unknown, notes.unknown), (self._range, notes.out_of_range))
        for metric, found in noted:
            for column, count in found.items():
                metric.labels(column).inc(count)

    def refused(self, field: str, code: str) -> None:
        """Count a refused input; `field` must be a name that the model or the service has, or `OTHER`."""
        self._invalid.labels(field, code).inc()

    def fell_back(self, source: str, rows: int) -> None:
        """Count rows that a fallback answered."""
        self._fallback.labels(source).inc(rows)

    def logged(self, log: PredictionLog) -> None:
        """Update the metrics of this worker's prediction log."""
        self._log_waiting.set(log.pending)
        for state, rows in (("written", log.written), ("dropped", log.dropped)):
            self._log_rows.labels(state).inc(rows - self._log_known[state])
            self._log_known[state] = rows

    def serving(self, name: str, version: str) -> None:
        """Set the model that serves."""
        if self._serving != (name, version):
            if self._serving is not None:
                self._version.labels(*self._serving).set(0)
            self._version.labels(name, version).set(1)
            self._serving = (name, version)

    def predictions(self) -> int:
        """The number of rows that all workers have predicted."""
        families = [family for family in self._all().collect() if family.name == "stackhouse_predictions"]
        samples = [sample for family in families for sample in family.samples]
        return int(sum(sample.value for sample in samples if sample.name == "stackhouse_predictions_total"))

    def text(self) -> bytes:
        """All metrics of all workers in Prometheus' text format, BentoML's own included."""
        return generate_latest(self._all())

    def _all(self) -> CollectorRegistry:
        if SHARED not in os.environ:
            return self._registry
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return registry
