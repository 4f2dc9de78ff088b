"""From what was observed to a verdict, and from verdicts to whether the model is due for another training."""

import math
from collections.abc import Sequence

from tabular.bundles.bundle import Bundle
from tabular.bundles.reference import Reference
from tabular.config.monitoring import (
    DriftConfig,
    MonitoringConfig,
    RetrainConfig,
    ServiceLimits,
    Threshold,
    is_at_least,
)
from tabular.monitoring import drift, performance
from tabular.reports.verdicts import (
    SEVERITY,
    Grade,
    Kind,
    Level,
    MonitoringFinding,
    Observed,
    ServiceTraffic,
    Verdict,
    Window,
)

REQUESTS = 30
"""With fewer requests the service is not judged."""


def grade_window(
    window: Window, reference: Reference, bundle: Bundle, config: MonitoringConfig, earlier: Sequence[Verdict]
) -> Verdict:
    """The verdict on a window of the prediction log.

    Args:
        window: what was observed.
        reference: of the training rows.
        bundle: of the version that was watched.
        config: thresholds and policy.
        earlier: what is thought of the windows before it, the newest first: those with enough data.
    """
    observed, minimum = window.observed, config.window.minimum
    findings = grade_service(window.traffic, config.service)
    if performed := performance.finding(window.performance, config.performance):
        findings.append(performed)
    enough = observed.rows >= minimum
    if enough:
        findings += drift.findings(observed, reference, bundle, config.drift)
    verdict = Verdict(
        source="log",
        model=observed.model,
        version=observed.version,
        start=window.start,
        end=window.end,
        rows=observed.rows,
        level=_level(findings, enough),
        reasons=_reasons(findings, _too_few(observed.rows, minimum, "logged in the window", window.other_versions)),
        findings=worst_first(findings),
        traffic=window.traffic,
        performance=window.performance,
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
    """The verdict on a batch.

    Args:
        observed: its rows.
        broken_rules: what the validation found.
        reference: of the training rows.
        bundle: of the version that scored it.
        config: when a difference counts.
        minimum: with fewer rows drift is not judged.
        span: when scoring began and ended, UTC, ISO 8601.
    """
    enough = observed.rows >= minimum
    findings = [*broken_rules, *(drift.findings(observed, reference, bundle, config) if enough else [])]
    return Verdict(
        source="batch",
        model=observed.model,
        version=observed.version,
        start=span[0],
        end=span[1],
        rows=observed.rows,
        level=_level(findings, enough),
        reasons=_reasons(findings, _too_few(observed.rows, minimum, "scored", {})),
        findings=worst_first(findings),
    )


def grade_service(traffic: ServiceTraffic, limits: ServiceLimits) -> list[MonitoringFinding]:
    """Latency, errors and refusals against their limits."""
    if traffic.requests + traffic.failed + traffic.refused < REQUESTS:
        return []
    failed = f"{_percent(traffic.error_share)} failed{_causes(traffic, '5')}"
    refused = f"{_percent(traffic.refused_share)} were refused{_causes(traffic, '4')}"
    found = [
        _limited("errors", "errors", "share", traffic.error_share, limits.error_share, failed),
        _limited("refused", "refused", "share", traffic.refused_share, limits.refused_share, refused),
    ]
    if traffic.p99_ms is not None and traffic.requests >= REQUESTS:
        words = f"the slowest hundredth of the requests took {traffic.p99_ms:,.4g} ms or more"
        found.append(_limited("latency", "p99", "milliseconds", traffic.p99_ms, limits.p99_ms, words))
    return found


def due(verdict: Verdict, earlier: Sequence[Verdict], config: RetrainConfig) -> Verdict:
    """The verdict with its answer to whether the model is due for another training.

    It is when at least `violations` of the last `windows` windows with enough data violate, and the newest does.
    """
    if verdict.level == "not_enough_data":
        return verdict
    counted = [verdict, *earlier][: config.windows]
    violations = sum(one.violates for one in counted)
    return verdict.model_copy(
        update={
            "violations": violations,
            "windows": len(counted),
            "retrain": verdict.violates and violations >= config.violations,
        }
    )


def worst_first(findings: Sequence[MonitoringFinding]) -> list[MonitoringFinding]:
    """By level; those of one level stay in their order."""
    return sorted(findings, key=lambda finding: -SEVERITY[finding.level])


def _limited(
    kind: Kind, subject: str, measure: str, value: float, limit: Threshold | None, words: str
) -> MonitoringFinding:
    level: Grade = "ok" if limit is None else is_at_least(value, limit)
    return MonitoringFinding(
        kind=kind,
        subject=subject,
        level=level,
        measure=measure,
        value=value,
        warn=None if limit is None else limit.warn,
        alert=None if limit is None else limit.alert,
        words=f"{subject}: {words}",
    )


def _causes(traffic: ServiceTraffic, status: str) -> str:
    """The three most frequent causes whose status begins so, in brackets; nothing without any."""
    causes = [f"{count:,} x {cause}" for cause, count in traffic.causes.items() if cause.startswith(status)]
    return f" ({', '.join(causes[:3])})" if causes else ""


def _level(findings: Sequence[MonitoringFinding], enough: bool) -> Level:
    worst: Level = max((finding.level for finding in findings), key=SEVERITY.__getitem__, default="ok")
    return worst if worst != "ok" or enough else "not_enough_data"


def _reasons(findings: Sequence[MonitoringFinding], too_few: str) -> list[str]:
    said = [finding.words for finding in worst_first(findings) if finding.level != "ok"]
    return [*said, *([too_few] if too_few else [])]


def _too_few(rows: int, minimum: int, what: str, others: dict[str, int]) -> str:
    if rows >= minimum:
        return ""
    beside = f"; other versions answered {sum(others.values()):,}" if others else ""
    return f"{rows:,} rows were {what}, and judging drift takes {minimum:,}{beside}"


def _percent(share: float) -> str:
    return "none" if math.isnan(share) else f"{100 * share:.3g} %"
