"""The run configuration of the monitoring pipeline: ZenML's own file, with our model as its `parameters`."""

import math
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from tabular.config.base import Items, StrictModel
from tabular.config.run_file import RunFile
from tabular.config.stages import CLASSIFICATION_METRICS, REGRESSION_METRICS

Share = Annotated[float, Field(ge=0, le=1)]
FollowUp = Literal["nothing", "notify"]


class Threshold(StrictModel):
    """From where on something counts; both ends of a scale that begins at 0."""

    warn: Annotated[float, Field(gt=0)]
    alert: Annotated[float, Field(gt=0)]

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.warn > self.alert:
            raise ValueError(f"'warn' ({self.warn:g}) must not be above 'alert' ({self.alert:g})")
        return self


class WindowConfig(StrictModel):
    """Which part of the prediction log is looked at."""

    hours: Annotated[float, Field(gt=0, le=24 * 366)] = 24.0
    """The length of the window; schedule the monitor as often as one is over."""
    until: str | None = None
    """The end of the window, ISO 8601 with an offset from UTC; now when unset."""
    rows: Annotated[int, Field(ge=1)] = 1_000_000
    """Of more rows than this, the newest are taken. A million of ten columns takes 200 MB."""
    minimum: Annotated[int, Field(ge=30)] = 200
    """With fewer rows the verdict is `not_enough_data`: small samples look like drift, and hide it."""

    @field_validator("until")
    @classmethod
    def _is_a_moment(cls, value: str | None) -> str | None:
        if value is not None and datetime.fromisoformat(value).tzinfo is None:
            raise ValueError(f"{value!r} has no offset from UTC; end it with +00:00")
        return value


class DriftConfig(StrictModel):
    """When a window counts as different from the training rows: it must be sure, and large enough to matter."""

    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.001
    """The chance that a window without any drift raises anything at all, over all columns and tests together."""
    distance: Threshold = Threshold(warn=0.05, alert=0.08)
    """The share of rows that would have to be others: Kolmogorov-Smirnov's statistic, total variation of categories."""
    missing: Threshold = Threshold(warn=0.02, alert=0.05)
    """By how much the share of missing values of a column may change."""
    out_of_range: Threshold = Threshold(warn=0.01, alert=0.03)
    """The share of a column's values beyond those of training, and of categories that training never saw."""
    ignore: Items[str] = ()
    """Columns that may drift. Of a date only missing values are judged, because time passes."""


class PerformanceConfig(StrictModel):
    """When predictions whose true value is known count as worse than the held-out ones."""

    metric: str | None = None
    """The metric that decides: wmape of a regression and f1_macro of a classification when unset."""
    tolerance: Threshold = Threshold(warn=0.05, alert=0.15)
    """How much worse than held out, as a share of that value, even the better end of the interval may be."""
    minimum: Annotated[int, Field(ge=30)] = 100
    """With fewer true values the figures are shown and not judged."""
    delay_hours: Annotated[float, Field(ge=0)] = 0.0
    """How long true values take to come: performance is that of the window so much earlier."""
    resamples: Annotated[int, Field(ge=200)] = 1000
    """Behind each interval."""

    @field_validator("metric")
    @classmethod
    def _is_known(cls, value: str | None) -> str | None:
        known = (*REGRESSION_METRICS, *CLASSIFICATION_METRICS)
        if value is not None and value not in known:
            raise ValueError(f"'{value}' is no metric; there are {', '.join(known)}")
        return value


class ServiceLimits(StrictModel):
    """What the service owes its clients; what is unset is shown and not judged."""

    p99_ms: Threshold | None = Threshold(warn=500, alert=2000)
    """The 99th percentile of the latency of requests, in milliseconds."""
    error_share: Threshold | None = Threshold(warn=0.001, alert=0.01)
    """Requests that the service failed: answers of 500 and above, and those that a fallback gave."""
    refused_share: Threshold | None = Threshold(warn=0.1, alert=0.5)
    """Requests that it refused: answers from 400 to 499."""


class RetrainConfig(StrictModel):
    """When the model is due for another training."""

    violations: Annotated[int, Field(ge=1)] = 2
    """So many of the last `windows` windows with enough data must be alerts of drift or performance, the newest too."""
    windows: Annotated[int, Field(ge=1)] = 3
    """Windows of this version since it was last retrained."""

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if self.violations > self.windows:
            raise ValueError(f"'violations' ({self.violations}) can never be reached in {self.windows} 'windows'")
        return self


class TrainConfig(StrictModel):
    """How the monitor trains."""

    config: str = "configs/train.yaml"
    """The run configuration of the training, relative to the repository."""
    data: Literal["config", "with_feedback"] = "config"
    """`config`: what that file names, as it is by now; `with_feedback`: that, and the logged rows with a true value."""
    overrides: dict[str, Any] = {}
    """Keys of that file with other values, such as `search.trials: 20`."""
    feedback_rows: Annotated[int, Field(ge=1)] = 200_000
    """Of more rows with a true value than this, the newest are taken."""


class MetricsConfig(StrictModel):
    """Where Prometheus finds the verdict."""

    textfile: str | None = None
    """A file `*.prom` that node_exporter's textfile collector reads."""
    pushgateway: str | None = None
    """The address of a Pushgateway, such as http://localhost:9091."""


class MonitoringConfig(StrictModel):
    """What to look at, what counts as a violation, and what follows."""

    model: Annotated[str, Field(min_length=1)]
    """The registered model."""
    version: Annotated[str, Field(min_length=1)] = "champion"
    """A number in quotes, an alias, or `newest`; predictions of other versions are counted and left out."""
    log: Annotated[str, Field(min_length=1)]
    """The prediction log: the folder or address that the service has as STACKHOUSE_PREDICTION_LOG."""
    window: WindowConfig = WindowConfig()
    drift: DriftConfig = DriftConfig()
    performance: PerformanceConfig = PerformanceConfig()
    service: ServiceLimits = ServiceLimits()
    retrain: RetrainConfig = RetrainConfig()
    on_alert: FollowUp = "nothing"
    """`notify`: the alerter of the active stack, or the address in STACKHOUSE_WEBHOOK_URL."""
    on_retrain: Literal["nothing", "notify", "train"] = "nothing"
    """`train`: notify where somebody can be, then run the training pipeline; its gate decides about promotion."""
    training: TrainConfig = TrainConfig()
    metrics: MetricsConfig = MetricsConfig()
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 42
    """Of the sample in the report and of the intervals."""


class MonitoringParameters(StrictModel):
    """The parameters of the monitoring pipeline."""

    monitoring: MonitoringConfig


class ScheduleConfig(StrictModel):
    """When the stack's orchestrator runs it again by itself."""

    cron_expression: Annotated[str, Field(min_length=9)]
    """Five fields, such as `0 * * * *`."""


class MonitoringFile(RunFile):
    """`configs/monitor.yaml`: what `zenml pipeline run` and `run.py` both read."""

    parameters: MonitoringParameters
    schedule: ScheduleConfig | None = None
    """For orchestrators that can schedule; docs/monitoring.md has a line for cron."""


def is_at_least(value: float, threshold: Threshold) -> Literal["ok", "warn", "alert"]:
    """The level of a value; a value that is no number is none."""
    if math.isnan(value):
        return "ok"
    return "alert" if value >= threshold.alert else "warn" if value >= threshold.warn else "ok"
