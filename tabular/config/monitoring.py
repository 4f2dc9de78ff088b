"""The run configuration of the monitoring pipeline: a file of ZenML, whose `parameters` are checked by our models."""

import math
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from tabular.config.base import ColumnName, Items, Moment, RunFile, StrictModel
from tabular.config.stages import CLASSIFICATION_METRICS, REGRESSION_METRICS


class Threshold(StrictModel):
    """Values from which a measure counts as a warning and as an alert."""

    warn: Annotated[float, Field(gt=0)]
    alert: Annotated[float, Field(gt=0)]

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.warn > self.alert:
            raise ValueError(f"'warn' ({self.warn:g}) must not be above 'alert' ({self.alert:g})")
        return self


class WindowConfig(StrictModel):
    """The part of the prediction log that is judged."""

    hours: Annotated[float, Field(gt=0, le=24 * 366)] = 24.0
    """Length of the window. Schedule the monitor once for each length of a window."""
    until: Moment | None = None
    """End of the window, in ISO 8601 with an offset from UTC; by default the present moment."""
    rows: Annotated[int, Field(ge=1)] = 1_000_000
    """Largest number of rows; the newest are taken. A million rows of ten columns take 200 MB of memory."""
    minimum: Annotated[int, Field(ge=30)] = 200
    """With fewer rows the verdict is `not_enough_data`, because small samples look like drift, and hide it."""


class DriftConfig(StrictModel):
    """When a difference from the training rows counts: it must be statistically sure, and large enough to matter."""

    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.001
    """Probability that a window without drift raises any finding at all, over all columns and tests together."""
    distance: Threshold = Threshold(warn=0.05, alert=0.08)
    """Distance of distributions: Kolmogorov-Smirnov statistic of numbers, total variation of categories."""
    missing: Threshold = Threshold(warn=0.02, alert=0.05)
    """Change of the share of missing values of a column."""
    out_of_range: Threshold = Threshold(warn=0.01, alert=0.03)
    """Share of values outside the range of training, or of categories that training did not contain."""
    ignore: Items[ColumnName] = ()
    """Columns that may drift. For dates only missing values are judged, because time passes."""


class PerformanceConfig(StrictModel):
    """When predictions whose true value is known count as worse than those on the held-out rows."""

    metric: str | None = None
    """Metric that decides; by default wmape for a regression and f1_macro for a classification."""
    tolerance: Threshold = Threshold(warn=0.05, alert=0.15)
    """Loss as a share of the held-out value, measured at the better end of the confidence interval."""
    minimum: Annotated[int, Field(ge=30)] = 100
    """With fewer true values the figures are shown, but not judged."""
    delay_hours: Annotated[float, Field(ge=0)] = 0.0
    """Time until true values arrive. Performance is measured on a window that is earlier by this time."""
    resamples: Annotated[int, Field(ge=200)] = 1000
    """Number of bootstrap resamples behind each interval."""

    @field_validator("metric")
    @classmethod
    def _is_known(cls, value: str | None) -> str | None:
        known = (*REGRESSION_METRICS, *CLASSIFICATION_METRICS)
        if value is not None and value not in known:
            raise ValueError(f"'{value}' is not a metric; there are {', '.join(known)}")
        return value


class ServiceLimits(StrictModel):
    """Limits of the service; figures without a limit are shown, but not judged."""

    p99_ms: Threshold | None = Threshold(warn=500, alert=2000)
    """99th percentile of the latency of requests, in milliseconds."""
    error_share: Threshold | None = Threshold(warn=0.001, alert=0.01)
    """Share of requests that failed: answers with a status of 500 or above, or from a fallback."""
    refused_share: Threshold | None = Threshold(warn=0.1, alert=0.5)
    """Share of requests that were refused: answers with a status from 400 to 499."""


class RetrainConfig(StrictModel):
    """When the model is due for another training."""

    violations: Annotated[int, Field(ge=1)] = 2
    """Number of the last `windows` windows that must have an alert of drift or performance, including the newest."""
    windows: Annotated[int, Field(ge=1)] = 3
    """Number of windows that are counted: those with enough data, on this version, since its last retraining."""

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if self.violations > self.windows:
            raise ValueError(f"'violations' ({self.violations}) can never be reached in {self.windows} 'windows'")
        return self


class TrainConfig(StrictModel):
    """How another training is run."""

    config: str = "configs/train.yaml"
    """Run configuration of the training, relative to the repository."""
    data: Literal["config", "with_feedback"] = "config"
    """`config`: the present table of that file; `with_feedback`: that table and the logged rows with a true value."""
    overrides: dict[str, Any] = {}
    """Keys of that file with other values, such as `search.trials: 20`."""
    feedback_rows: Annotated[int, Field(ge=1)] = 200_000
    """Largest number of rows with a true value; the newest are taken."""


class MetricsConfig(StrictModel):
    """Where the verdict is written for Prometheus."""

    textfile: str | None = None
    """A file `*.prom` that node_exporter's textfile collector reads."""
    pushgateway: str | None = None
    """Address of a Pushgateway, such as http://localhost:9091."""


class MonitoringConfig(StrictModel):
    """What is judged, what counts as a violation, and what follows a verdict."""

    model: Annotated[str, Field(min_length=1)]
    """Name of the registered model."""
    version: Annotated[str, Field(min_length=1)] = "champion"
    """A number in quotes, an alias, or `newest`. Predictions of other versions are counted, but not judged."""
    log: Annotated[str, Field(min_length=1)]
    """Folder or address of the prediction log: the value of STACKHOUSE_PREDICTION_LOG in the service."""
    window: WindowConfig = WindowConfig()
    drift: DriftConfig = DriftConfig()
    performance: PerformanceConfig = PerformanceConfig()
    service: ServiceLimits = ServiceLimits()
    retrain: RetrainConfig = RetrainConfig()
    on_alert: Literal["nothing", "notify"] = "nothing"
    """`notify`: send a message by the alerter of the active stack, or to the address in STACKHOUSE_WEBHOOK_URL."""
    on_retrain: Literal["nothing", "notify", "train"] = "nothing"
    """`train`: send a message if possible, then run the training pipeline, whose gate decides about promotion."""
    training: TrainConfig = TrainConfig()
    metrics: MetricsConfig = MetricsConfig()
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 42
    """Seed of the sample in the report and of the intervals."""


class MonitoringParameters(StrictModel):
    """The parameters of the monitoring pipeline."""

    monitoring: MonitoringConfig


class ScheduleConfig(StrictModel):
    """When the orchestrator of the stack runs the pipeline again by itself."""

    cron_expression: Annotated[str, Field(min_length=9)]
    """Cron expression of five fields, such as `0 * * * *`."""


class MonitoringFile(RunFile):
    """The file `configs/monitor.yaml`, which `zenml pipeline run` and `run.py` both read."""

    parameters: MonitoringParameters
    schedule: ScheduleConfig | None = None
    """For orchestrators that support schedules; docs/monitoring.md has a line for cron."""


def is_at_least(value: float, threshold: Threshold) -> Literal["ok", "warn", "alert"]:
    """Return the level of a value; nan is `ok`."""
    if math.isnan(value):
        return "ok"
    return "alert" if value >= threshold.alert else "warn" if value >= threshold.warn else "ok"
