"""How good predictions were, once their true values are known."""

import math

import numpy as np

from tabular.bundles.bundle import Bundle
from tabular.config.monitoring import PerformanceConfig
from tabular.errors import UserError
from tabular.learning import metrics
from tabular.monitoring.drift import measured
from tabular.monitoring.frames import UNKNOWN
from tabular.prediction_log.labels import Labelled
from tabular.reports.verdicts import MonitoringFinding, Performance

MOST = 20_000
"""Largest number of rows behind the figures: more would make the intervals needlessly narrow, and slow."""
CONFIDENCE = 0.95


def measure(
    labelled: Labelled, bundle: Bundle, span: tuple[str, str], config: PerformanceConfig, seed: int
) -> Performance | None:
    """Return the metrics of predictions whose true value is known, or None if there are no such predictions.

    Args:
        bundle: bundle of the version that predicted; its metrics are those on the held-out rows.
        span: first moment of the predictions, and the moment after the last one, ISO 8601.
        seed: seed of the intervals, and of the draw where there are more than 20,000 rows.

    Raises:
        UserError: the metric that is to decide does not belong to the model's task.
    """
    task = bundle.task
    if config.metric is not None and config.metric not in metrics.names(task):
        known = ", ".join(metrics.names(task))
        raise UserError(
            f"monitoring.performance.metric: '{config.metric}' is not a metric of a {task}; there are {known}"
        )
    rows = len(labelled.actual)
    if not rows:
        return None
    random = np.random.default_rng(seed)
    kept = np.sort(random.choice(rows, MOST, replace=False)) if rows > MOST else slice(None)
    chances = None if labelled.probabilities is None else labelled.probabilities[kept]
    predicted = labelled.predicted[kept]
    if task != "regression":
        predicted = np.array([*bundle.classes, UNKNOWN], dtype=object)[predicted]
    found = metrics.bootstrap_intervals(
        task,
        labelled.actual[kept],
        predicted,
        chances,
        bundle.classes or None,
        config.resamples,
        CONFIDENCE,
        seed,
    )
    return Performance(
        rows=rows,
        start=span[0],
        end=span[1],
        metric=config.metric or ("wmape" if task == "regression" else "f1_macro"),
        metrics={name: one for name, one in found.items() if math.isfinite(one.value)},
        held_out={name: value for name, value in bundle.metrics.items() if name in found},
    )


def performance_finding(performance: Performance | None, config: PerformanceConfig) -> MonitoringFinding | None:
    """Compare the metric that decides with its value on the held-out rows; None where that cannot be judged."""
    if performance is None or performance.rows < config.minimum:
        return None
    name = performance.metric
    found, before = performance.metrics.get(name), performance.held_out.get(name)
    if found is None or not before:
        return None
    best, sign = (found.low, 1.0) if metrics.goal(name) == "minimize" else (found.high, -1.0)
    loss = sign * (best - before) / abs(before)  # how much worse the better end is; negative if it is better
    interval = f"{metrics.as_text(found.low)} to {metrics.as_text(found.high)}"
    words = (
        f"{name} is {metrics.as_text(found.value)} ({interval}) on {performance.rows:,} predictions with a true value, "
        f"{metrics.as_text(before)} held out"
    )
    return measured("performance", name, "loss at the better end", loss, config.tolerance, words)
