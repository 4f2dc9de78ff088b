"""From findings to a verdict, and from verdicts to another training."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tabular.config.monitoring import MonitoringConfig, RetrainConfig, ServiceLimits
from tabular.monitoring import grading
from tabular.reports.verdicts import Grade, Kind, Level, MonitoringFinding, ServiceTraffic, Verdict, Window
from tests.support.watched import Watched

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)


def found(kind: Kind, level: Grade) -> MonitoringFinding:
    return MonitoringFinding(kind=kind, subject="x", level=level, measure="share", value=0.5, words=f"{kind} {level}")


def verdict(hour: int, level: Level = "ok", kind: Kind = "distribution") -> Verdict:
    grade: Grade = "ok" if level == "not_enough_data" else level
    end = BEGAN + timedelta(hours=hour)
    return Verdict(
        source="log",
        model="homes",
        version="1",
        start=(end - timedelta(hours=1)).isoformat(timespec="milliseconds"),
        end=end.isoformat(timespec="milliseconds"),
        rows=500,
        level=level,
        reasons=[],
        findings=[] if level == "not_enough_data" else [found(kind, grade)],
    )


def calm(**values: Any) -> ServiceTraffic:
    figures = {"requests": 500, "rows": 500, "p50_ms": 1.0, "p95_ms": 2.0, "p99_ms": 3.0, "rows_per_second": 1.0}
    counts = {"peak_requests": 9, "failed": 0, "fallback": 0, "refused": 0, "causes": {}}
    return ServiceTraffic.model_validate(figures | counts | values)


def window(watched: Watched, rows: int = 500, **values: Any) -> Window:
    given: dict[str, Any] = {"traffic": calm(), "performance": None, "other_versions": {}, "unreadable": 0}
    span = {"start": BEGAN.isoformat(), "end": (BEGAN + timedelta(hours=1)).isoformat()}
    return Window.model_validate(span | {"observed": watched.observed(rows)} | given | values)


CONFIG = MonitoringConfig(model="homes", log="log")


@pytest.mark.parametrize(
    ("levels", "newest", "due", "violations"),
    [
        (["alert", "ok"], "alert", True, 2),
        (["alert", "alert"], "ok", False, 2),
        (["ok", "ok"], "alert", False, 1),
        (["ok", "ok", "alert"], "alert", False, 1),
        (["alert"], "not_enough_data", False, 0),
        (["warn", "warn"], "alert", False, 1),
        ([], "alert", False, 1),
    ],
)
def test_another_training_is_due_when_enough_of_the_last_windows_violate(
    levels: list[Level], newest: Level, due: bool, violations: int
) -> None:
    # given what was thought of the windows before, the newest first
    earlier = [verdict(-number, level) for number, level in enumerate(levels)]

    # when
    judged = grading.due(verdict(10, newest), earlier, RetrainConfig(violations=2, windows=3))

    # then
    assert (judged.retrain, judged.violations) == (due, violations)


def test_an_alert_of_the_service_alone_asks_for_no_training() -> None:
    # given
    policy = RetrainConfig(violations=1, windows=1)
    # when / then
    assert not grading.due(verdict(1, "alert", "latency"), [], policy).retrain
    assert grading.due(verdict(1, "alert", "performance"), [], policy).retrain


def test_a_quiet_window_is_ok_and_says_what_was_looked_at(watched: Watched) -> None:
    # when
    judged = grading.grade_window(window(watched), watched.reference, watched.bundle, CONFIG, [])

    # then
    assert (judged.level, judged.reasons, judged.rows, judged.retrain) == ("ok", [], 500, False)
    assert {finding.kind for finding in judged.findings} >= {"distribution", "missing", "prediction", "latency"}


def test_too_few_rows_are_not_judged_and_hide_no_outage(watched: Watched) -> None:
    # given
    few = window(watched, 50, other_versions={"2": 7})
    down = window(watched, 0, traffic=calm(requests=0, rows=0, p99_ms=None, failed=90, causes={"503 no_model": 90}))

    # when
    silent = grading.grade_window(few, watched.reference, watched.bundle, CONFIG, [])
    failing = grading.grade_window(down, watched.reference, watched.bundle, CONFIG, [])

    # then
    assert silent.level == "not_enough_data" and silent.reasons == [
        "50 rows were logged in the window, but drift is judged from 200 rows on; other versions answered 7"
    ]
    assert failing.level == "alert" and failing.reasons[0] == "errors: 100 % failed (90 x 503 no_model)"
    assert not failing.violates


def test_drift_is_an_alert_with_the_reason_first(watched: Watched) -> None:
    # given a category doubled
    moved = watched.observed(500, share=0.6)

    # when
    judged = grading.grade_window(
        window(watched, observed=moved), watched.reference, watched.bundle, CONFIG, [verdict(-1, "alert")]
    )

    # then
    assert (judged.level, judged.retrain, judged.violations, judged.windows) == ("alert", True, 2, 2)
    assert judged.reasons[0].startswith("kind") and judged.findings[0].subject == "kind"


def test_limits_of_the_service() -> None:
    # given
    slow = calm(p99_ms=600.0, refused=100, failed=3, fallback=3, causes={"422 invalid_type": 100, "500 internal": 3})

    # when
    findings = {one.kind: one for one in grading.grade_service(slow, ServiceLimits())}
    unlimited = grading.grade_service(slow, ServiceLimits(p99_ms=None, error_share=None, refused_share=None))

    # then
    assert {kind: one.level for kind, one in findings.items()} == {
        "errors": "warn",
        "refused": "warn",
        "latency": "warn",
    }
    assert findings["errors"].value == pytest.approx(6 / 603) and findings["refused"].value == pytest.approx(100 / 603)
    assert {one.level for one in unlimited} == {"ok"}
