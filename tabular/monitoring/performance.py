"""How good predictions were, once their true values are known."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tabular.config.monitoring import PerformanceConfig, is_at_least
from tabular.config.stages import Task
from tabular.errors import UserError
from tabular.learning import metrics
from tabular.reports.training import Interval
from tabular.reports.verdicts import MonitoringFinding, Performance

MOST = 20_000
"""Rows behind the figures; more would make the intervals narrower than anybody needs, and slow."""
CONFIDENCE = 0.95
UNKNOWN = "(unknown)"
"""A label that the model does not know."""


def default_metric(task: Task) -> str:
    """The metric that decides where the config names none."""
    return "wmape" if task == "regression" else "f1_macro"


def measure(
    task: Task,
    actual: NDArray[np.float64] | NDArray[np.object_],
    predicted: NDArray[np.float64] | NDArray[np.int64],
    probabilities: NDArray[np.float64] | None,
    classes: tuple[str, ...],
    held_out: Mapping[str, float],
    span: tuple[str, str],
    config: PerformanceConfig,
    seed: int,
) -> Performance | None:
    """The metrics of predictions whose true value is known; None without any.

    Args:
        task: regression or classification.
        actual: (rows,) float64, or labels as text.
        predicted: (rows,) float64, or codes into `classes`, -1 for a label that is none of them.
        probabilities: rows x classes; None for a regression.
        classes: the columns of `probabilities`.
        held_out: the metrics when the model was registered.
        span: when the predictions were made: from, until.
        config: the metric that decides, and the resamples.
        seed: of the intervals, and of the rows that are drawn where there are very many.

    Raises:
        UserError: the metric that is to decide is none of the task.
    """
    if config.metric is not None and config.metric not in metrics.names(task):
        known = ", ".join(metrics.names(task))
        raise UserError(f"monitoring.performance.metric: '{config.metric}' is no metric of a {task}; there are {known}")
    if not len(actual):
        return None
    random = np.random.default_rng(seed)
    kept = np.sort(random.choice(len(actual), MOST, replace=False)) if len(actual) > MOST else slice(None)
    chances = None if probabilities is None else probabilities[kept]
    said = predicted[kept] if task == "regression" else np.array([*classes, UNKNOWN], dtype=object)[predicted[kept]]
    found = metrics.bootstrap_intervals(
        task,
        actual[kept],
        said,
        chances,
        classes or None,
        config.resamples,
        CONFIDENCE,
        seed,
    )
    return Performance(
        rows=len(actual),
        start=span[0],
        end=span[1],
        metric=config.metric or default_metric(task),
        metrics={name: one for name, one in found.items() if math.isfinite(one.value)},
        held_out={name: value for name, value in held_out.items() if name in found},
    )


def finding(performance: Performance | None, config: PerformanceConfig) -> MonitoringFinding | None:
    """How the metric that decides compares with the held-out rows; None where that cannot be judged."""
    if performance is None or performance.rows < config.minimum:
        return None
    name = performance.metric
    found, before = performance.metrics.get(name), performance.held_out.get(name)
    if found is None or not before:
        return None
    loss = _loss(name, found, before)
    level = is_at_least(loss, config.tolerance)
    interval = f"{metrics.as_text(found.low)} to {metrics.as_text(found.high)}"
    words = (
        f"{name} is {metrics.as_text(found.value)} ({interval}) on {performance.rows:,} predictions with a true value, "
        f"{metrics.as_text(before)} held out"
    )
    return MonitoringFinding(
        kind="performance",
        subject=name,
        level=level,
        measure="loss at the better end",
        value=loss,
        warn=config.tolerance.warn,
        alert=config.tolerance.alert,
        words=words,
    )


def _loss(name: str, found: Interval, before: float) -> float:
    """By what share of the held-out value even the better end of the interval is worse than that; negative: better."""
    best, sign = (found.low, 1.0) if metrics.goal(name) == "minimize" else (found.high, -1.0)
    return sign * (best - before) / abs(before)
