"""What was observed and what is thought of it, as plain data."""

from typing import Literal

from tabular.reports.report import Report
from tabular.reports.training import Interval

Grade = Literal["ok", "warn", "alert"]
Level = Literal["ok", "warn", "alert", "not_enough_data"]
SEVERITY: dict[Level, int] = {"not_enough_data": -1, "ok": 0, "warn": 1, "alert": 2}
"""The levels in their order, and as numbers for programs."""
Kind = Literal[
    "distribution",
    "missing",
    "out_of_range",
    "unknown",
    "prediction",
    "performance",
    "latency",
    "errors",
    "refused",
    "validation",
]
SHIFTS = frozenset({"distribution", "missing", "out_of_range", "unknown", "prediction", "performance"})
"""Kinds of findings that another training may mend; the others are the service's or the data's own."""


class NumberCounts(Report):
    """The values of a number, a date or the predictions of a regression, in the cells of `reference.Histogram`."""

    missing: int
    out_of_range: int
    """Known values beyond those of training."""
    bins: list[int]
    """Known values by bin of `Histogram.edges`; those beyond an end are in the bin at that end. Empty where training
    knew no value."""
    cells: list[int]
    """Known values by cell: cell i holds those above `Histogram.points[i - 1]`, up to and including `points[i]`; one
    more cell than points."""
    mean: float | None
    """Of the known values; None without any."""


class CategoryCounts(Report):
    """The values of a category or the predicted classes."""

    missing: int
    unknown: int
    """Values that the model does not know; they are in no count."""
    counts: dict[str, int]
    """Known values by category, in the order of the model's categories, without the category "missing"."""


class Observed(Report):
    """Rows that one version of a model answered, in counts; those of several parts can be added."""

    model: str
    version: str
    rows: int
    numbers: dict[str, NumberCounts]
    """Numbers and dates by column."""
    categories: dict[str, CategoryCounts]
    predictions: NumberCounts | None
    """Of a regression."""
    predicted: CategoryCounts | None
    """Of a classification."""


class Traffic(Report):
    """What the service did in a window, all versions together where it is about requests."""

    requests: int
    """That were answered with a prediction."""
    rows: int
    p50_ms: float | None
    """Latency of these requests; None without any."""
    p95_ms: float | None
    p99_ms: float | None
    rows_per_second: float
    """Mean over the window."""
    peak_requests: int
    """In the busiest minute."""
    failed: int
    """Requests answered with 500 and above."""
    fallback: int
    """Of `requests`, those that were answered without the model, which had failed."""
    refused: int
    """Requests answered with 400 to 499."""
    causes: dict[str, int]
    """The failed and the refused by status and code, such as `422 unknown_field`; the most frequent first."""

    @property
    def error_share(self) -> float:
        """Failed and answered by a fallback, of all requests; nan without any."""
        return self._share(self.failed + self.fallback)

    @property
    def refused_share(self) -> float:
        """Of all requests; nan without any."""
        return self._share(self.refused)

    def _share(self, count: int) -> float:
        asked = self.requests + self.failed + self.refused
        return count / asked if asked else float("nan")


class Performance(Report):
    """Predictions whose true value is known, against the held-out rows."""

    rows: int
    start: str
    end: str
    """When they were made: UTC, ISO 8601."""
    metric: str
    """The one that decides."""
    metrics: dict[str, Interval]
    held_out: dict[str, float]
    """The same metrics when the model was registered."""


class Window(Report):
    """A part of the prediction log: what one version was asked and said, and how the service did."""

    start: str
    """UTC, ISO 8601; the window holds it."""
    end: str
    """The window ends before it."""
    observed: Observed
    traffic: Traffic
    performance: Performance | None
    """None without any true value."""
    other_versions: dict[str, int]
    """Rows that other versions answered, and that are left out."""
    unreadable: int
    """Lines of the log that are torn or do not fit the model."""


class Finding(Report):
    """One thing that was looked at."""

    kind: Kind
    subject: str
    """The column; `prediction`, the metric, or what of the service."""
    level: Grade
    measure: str
    """What `value` is, such as `KS distance`, `total variation`, `change of share`, `share`, `p99 in ms`."""
    value: float
    warn: float | None = None
    """From where on `value` counts as a warning, and as an alert; None where it is judged by no threshold."""
    alert: float | None = None
    psi: float | None = None
    """Population stability index, where there are distributions."""
    p_value: float | None = None
    """As it is, of the test that `test` names."""
    adjusted: float | None = None
    """Holm's, over all tests of the window."""
    test: str | None = None
    words: str
    """One sentence for people."""


class Verdict(Report):
    """What is thought of a window or a batch: small enough for machines to read each time."""

    format: Literal[1] = 1
    source: Literal["log", "batch"]
    model: str
    version: str
    start: str
    end: str
    """Of the window; when a batch began and ended."""
    rows: int
    level: Level
    reasons: list[str]
    """In words, the worst first; why there is not enough data."""
    findings: list[Finding]
    """The worst first; empty where there is not enough data."""
    traffic: Traffic | None = None
    performance: Performance | None = None
    retrain: bool = False
    violations: int = 0
    """Of the `windows`, this one included."""
    windows: int = 0
    """Windows with enough data that count for `retrain`."""

    @property
    def violates(self) -> bool:
        """Whether another training may be due: an alert that is more than the service's own."""
        return any(finding.level == "alert" and finding.kind in SHIFTS for finding in self.findings)
