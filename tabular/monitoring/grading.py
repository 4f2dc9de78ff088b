"""Grading what was observed: findings, a verdict, and whether the model is due for another training."""

import math
from collections.abc import Sequence
from typing import Any

from tabular.bundles.bundle import Bundle
from tabular.bundles.reference import Reference
from tabular.config.monitoring import DriftConfig, MonitoringConfig, RetrainConfig, ServiceLimits
from tabular.monitoring.drift import drift_findings, measured
from tabular.monitoring.performance import performance_finding
from tabular.reports.verdicts import SEVERITY, Level, MonitoringFinding, Observed, ServiceTraffic, Verdict, Window

REQUESTS = 30
"""With fewer requests the service is not judged."""


def grade_window(
    window: Window, reference: Reference, bundle: Bundle, config: MonitoringConfig, earlier: Sequence[Verdict]
) -> Verdict:
    """Return the verdict on a window of the prediction log.

    `earlier` has the verdicts on the windows before this one that had enough data, the newest first.
    """
    findings = grade_service(window.traffic, config.service)
    if performed := performance_finding(window.performance, config.performance):
        findings.append(performed)
    observed, minimum = window.observed, config.window.minimum
    too_few = _too_few(observed.rows, minimum, "logged in the window", window.other_versions)
    verdict = Verdict(
        source="log",
        start=window.start,
        end=window.end,
        traffic=window.traffic,
        performance=window.performance,
        **_graded(observed, findings, reference, bundle, config.drift, too_few),
    )
    return due(verdict, earlier, config.retrain)


def grade_batch(
    observed: Observed,
    broken_rules: Sequence[MonitoringFinding],
    reference: Reference,
    bundle: Bundle,
    config: DriftConfig,
    minimum: int,
    span: tuple[str, str],
) -> Verdict:
    """Return the verdict on a batch.

    Args:
        observed: counts of its rows.
        broken_rules: findings of the validation.
        minimum: with fewer rows drift is not judged.
        span: when scoring began and ended, in UTC, ISO 8601.
    """
    too_few = _too_few(observed.rows, minimum, "scored", {})
    graded = _graded(observed, broken_rules, reference, bundle, config, too_few)
    return Verdict(source="batch", start=span[0], end=span[1], **graded)


def grade_service(traffic: ServiceTraffic, limits: ServiceLimits) -> list[MonitoringFinding]:
    """Compare errors, refusals and latency with their limits; too few requests are not judged."""
    if traffic.requests + traffic.failed + traffic.refused < REQUESTS:
        return []
    failed = f"errors: {_percent(traffic.error_share)} failed{_causes(traffic, '5')}"
    refused = f"refused: {_percent(traffic.refused_share)} were refused{_causes(traffic, '4')}"
    found = [
        measured("errors", "errors", "share", traffic.error_share, limits.error_share, failed),
        measured("refused", "refused", "share", traffic.refused_share, limits.refused_share, refused),
    ]
    if traffic.p99_ms is not None and traffic.requests >= REQUESTS:
        words = f"p99: the slowest hundredth of the requests took {traffic.p99_ms:,.4g} ms or more"
        found.append(measured("latency", "p99", "milliseconds", traffic.p99_ms, limits.p99_ms, words))
    return found


def due(verdict: Verdict, earlier: Sequence[Verdict], config: RetrainConfig) -> Verdict:
    """Return the verdict with its answer to whether the model is due for another training.

    It is due when at least `violations` of the last `windows` windows with enough data violate, and the newest does.
    """
    if verdict.level == "not_enough_data":
        return verdict
    counted = [verdict, *earlier][: config.windows]
    violations = sum(one.violates for one in counted)
    retrain = verdict.violates and violations >= config.violations
    return verdict.model_copy(update={"violations": violations, "windows": len(counted), "retrain": retrain})


def asks_for_message(verdict: Verdict, config: MonitoringConfig) -> bool:
    """Return whether the policy asks for a message about the verdict."""
    is_alert = verdict.level == "alert" and config.on_alert == "notify"
    return is_alert or (verdict.retrain and config.on_retrain in ("notify", "train"))


def _graded(
    observed: Observed,
    others: Sequence[MonitoringFinding],
    reference: Reference,
    bundle: Bundle,
    config: DriftConfig,
    too_few: str | None,
) -> dict[str, Any]:
    """Return the fields of a verdict that rows, drift and the other findings decide; the worst findings come first."""
    drift = [] if too_few else drift_findings(observed, reference, bundle, config)
    ordered = sorted([*others, *drift], key=lambda finding: -SEVERITY[finding.level])
    level: Level = ordered[0].level if ordered else "ok"
    if level == "ok" and too_few:
        level = "not_enough_data"
    reasons = [finding.words for finding in ordered if finding.level != "ok"]
    return {
        "model": observed.model,
        "version": observed.version,
        "rows": observed.rows,
        "level": level,
        "reasons": [*reasons, too_few] if too_few else reasons,
        "findings": ordered,
    }


def _causes(traffic: ServiceTraffic, status: str) -> str:
    """Return the three most frequent causes whose status begins so, in brackets; nothing if there are none."""
    causes = [f"{count:,} x {cause}" for cause, count in traffic.causes.items() if cause.startswith(status)]
    return f" ({', '.join(causes[:3])})" if causes else ""


def _too_few(rows: int, minimum: int, what: str, others: dict[str, int]) -> str | None:
    if rows >= minimum:
        return None
    beside = f"; other versions answered {sum(others.values()):,}" if others else ""
    return f"{rows:,} rows were {what}, but drift is judged from {minimum:,} rows on{beside}"


def _percent(share: float) -> str:
    return "none" if math.isnan(share) else f"{100 * share:.3g} %"
