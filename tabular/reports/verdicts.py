"""The reports of monitoring: what was observed, what was found, and the verdict."""

from typing import Literal

from tabular.reports.report import Report
from tabular.reports.training import Interval

Grade = Literal["ok", "warn", "alert"]
Level = Literal["ok", "warn", "alert", "not_enough_data"]
SEVERITY: dict[Level, int] = {"not_enough_data": -1, "ok": 0, "warn": 1, "alert": 2}
"""Each level as a number that rises with its severity."""
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
"""Kinds of findings that another training may mend; the causes of the others lie in the service or in the data."""


class NumberCounts(Report):
    """Counts of the values of a number or a date, or of the predictions of a regression."""

    missing: int
    out_of_range: int
    """Number of known values outside the range of the training values."""
    bins: list[int]
    """Number of known values in each bin of `Histogram.edges`; values beyond an end are counted in the bin at that
    end. Empty where training knew no value."""
    cells: list[int]
    """Number of known values in each cell: cell i holds values above `Histogram.points[i - 1]`, up to and including
    `points[i]`. There is one more cell than there are points."""
    mean: float | None
    """Mean of the known values; None if there are none."""


class CategoryCounts(Report):
    """Counts of the values of a category column, or of the predicted classes."""

    missing: int
    unknown: int
    """Number of values that the model does not know; they are not in `counts`."""
    counts: dict[str, int]
    """Number of values of each category, in the order of the model's categories, without the category "missing"."""


class Observed(Report):
    """Counts of the rows that one version of a model answered; the counts of several parts can be added."""

    model: str
    version: str
    rows: int
    numbers: dict[str, NumberCounts]
    """Counts of numbers and dates, by column."""
    categories: dict[str, CategoryCounts]
    predictions: NumberCounts | None
    """Counts of the predictions of a regression; None for a classification."""
    predicted: CategoryCounts | None
    """Counts of the predicted classes of a classification; None for a regression."""


class ServiceTraffic(Report):
    """How the service did in a window, over all versions of the model."""

    requests: int
    """Number of requests that were answered with a prediction."""
    rows: int
    """Number of rows in these requests."""
    p50_ms: float | None
    """Median latency of these requests; None if there were none."""
    p95_ms: float | None
    p99_ms: float | None
    rows_per_second: float
    """Mean over the window."""
    peak_requests: int
    """Number of requests in the busiest minute."""
    failed: int
    """Number of requests answered with a status of 500 or above."""
    fallback: int
    """Number of those in `requests` that were answered without the model, because it had failed."""
    refused: int
    """Number of requests answered with a status from 400 to 499."""
    causes: dict[str, int]
    """Number of failed and refused requests by status and code, such as `422 unknown_field`; most frequent first."""

    @property
    def error_share(self) -> float:
        """Share of all requests that failed or were answered by a fallback; nan if there were no requests."""
        return self._share(self.failed + self.fallback)

    @property
    def refused_share(self) -> float:
        """Share of all requests that were refused; nan if there were no requests."""
        return self._share(self.refused)

    def _share(self, count: int) -> float:
        asked = self.requests + self.failed + self.refused
        return count / asked if asked else float("nan")


class Performance(Report):
    """Metrics of predictions whose true value is known, and the same metrics on the held-out rows."""

    rows: int
    """Number of these predictions."""
    start: str
    """First moment at which they were made, in UTC, ISO 8601."""
    end: str
    """Moment after the last one."""
    metric: str
    """Name of the metric that decides."""
    metrics: dict[str, Interval]
    held_out: dict[str, float]
    """The same metrics on the held-out rows when the model was registered."""


class Window(Report):
    """A span of the prediction log: what one version was asked and predicted, and how the service did."""

    start: str
    """First moment of the window, in UTC, ISO 8601."""
    end: str
    """Moment after the window."""
    observed: Observed
    traffic: ServiceTraffic
    performance: Performance | None
    """None where no true value is known."""
    other_versions: dict[str, int]
    """Number of rows that each other version answered; they are left out."""
    unreadable: int
    """Number of lines of the log that are torn or do not fit the model."""


class MonitoringFinding(Report):
    """One thing that monitoring looked at."""

    kind: Kind
    subject: str
    """Name of the column or the metric; `prediction`; or the aspect of the service, such as `p99`."""
    level: Grade
    measure: str
    """What `value` measures: `KS distance`, `total variation`, `change of share`, `share`, `milliseconds`, ..."""
    value: float
    warn: float | None = None
    """`value` is a warning from here on; None where no threshold applies."""
    alert: float | None = None
    """`value` is an alert from here on; None where no threshold applies."""
    psi: float | None = None
    """Population stability index, where distributions are compared."""
    p_value: float | None = None
    """Unadjusted p-value of the test that `test` names."""
    adjusted: float | None = None
    """p-value after Holm's adjustment over all tests of the window."""
    test: str | None = None
    words: str
    """The finding as one sentence."""


class Verdict(Report):
    """The result of monitoring a window or a batch, in the form that programs read."""

    format: Literal[1] = 1
    source: Literal["log", "batch"]
    model: str
    version: str
    start: str
    """First moment of the window, or when scoring the batch began; UTC, ISO 8601."""
    end: str
    """Moment after the window, or when scoring the batch ended."""
    rows: int
    level: Level
    reasons: list[str]
    """Findings above `ok` as sentences, the worst first, and why there is not enough data."""
    findings: list[MonitoringFinding]
    """All findings, the worst first."""
    traffic: ServiceTraffic | None = None
    performance: Performance | None = None
    retrain: bool = False
    """Whether the model is due for another training."""
    violations: int = 0
    """Number of the `windows` that violate, with this one."""
    windows: int = 0
    """Number of windows with enough data that count for `retrain`."""

    @property
    def violates(self) -> bool:
        """Whether another training may be due: there is an alert that is not about the service or the data alone."""
        return any(finding.level == "alert" and finding.kind in SHIFTS for finding in self.findings)
