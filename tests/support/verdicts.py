"""Verdicts as data, without any rows behind them."""

from typing import Any

from tabular.reports.training import Interval
from tabular.reports.verdicts import Grade, Kind, Level, MonitoringFinding, Performance, ServiceTraffic, Verdict

ORDER: dict[str, int] = {"alert": 0, "warn": 1, "ok": 2}
LIMITS: dict[Kind, tuple[float, float]] = {"latency": (500.0, 2000.0), "performance": (0.05, 0.15)}
"""Thresholds of warning and alert by kind of finding; (0.05, 0.08) for all others."""


def found(
    subject: str, value: float = 0.01, level: Grade = "ok", kind: Kind = "distribution", **more: Any
) -> MonitoringFinding:
    warn, alert = LIMITS.get(kind, (0.05, 0.08))
    given: dict[str, Any] = {"warn": warn, "alert": alert, "measure": "share", "words": f"{subject} is at {value:g}"}
    return MonitoringFinding(kind=kind, subject=subject, level=level, value=value, **(given | more))


def traffic(**more: Any) -> ServiceTraffic:
    given = {
        "requests": 4000,
        "rows": 4128,
        "p50_ms": 3.25,
        "p95_ms": 41.0,
        "p99_ms": 640.0,
        "rows_per_second": 1.2,
        "peak_requests": 91,
        "failed": 11,
        "fallback": 3,
        "refused": 42,
        "causes": {"422 unknown_field": 42, "500 internal": 11},
    }
    return ServiceTraffic(**(given | more))


def performance(value: float = 16.4, held_out: float = 12.2) -> Performance:
    return Performance(
        rows=300,
        start="2026-03-01T00:00:00+00:00",
        end="2026-03-02T00:00:00+00:00",
        metric="wmape",
        metrics={
            "r2": Interval(value=0.8, low=0.75, high=0.85),
            "wmape": Interval(value=value, low=value - 1, high=value + 1),
        },
        held_out={"wmape": held_out},
    )


def verdict(day: int, *findings: MonitoringFinding, **more: Any) -> Verdict:
    """The verdict about a day of March; its level is that of its worst finding."""
    ordered = sorted(findings, key=lambda finding: ORDER[finding.level])
    level: Level = ordered[0].level if ordered else "not_enough_data"
    given = {
        "source": "log",
        "model": "houses",
        "version": "2",
        "start": f"2026-03-{day:02}T00:00:00.000+00:00",
        "end": f"2026-03-{day + 1:02}T00:00:00.000+00:00",
        "rows": 500,
        "level": level,
        "reasons": [finding.words for finding in ordered if finding.level != "ok"],
        "findings": ordered,
    }
    return Verdict(**(given | more))
