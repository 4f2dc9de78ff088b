"""What is observed in a window of the prediction log."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from tabular.config.monitoring import MonitoringConfig
from tabular.monitoring.observing import observe_window, service_traffic
from tabular.prediction_log.records import ERRORS, FEEDBACK, PREDICTIONS, Refusals
from tabular.prediction_log.windows import Requests
from tests.support.logs import HOUR, NOON, at, predicted, truth, write
from tests.support.watched import Watched


def test_a_window_of_the_log(tmp_path: Path, watched: Watched) -> None:
    # given: three rows in the window, one before it, and one of the day before, whose true value is known by now
    def row(minutes: float, name: str) -> None:
        made = predicted(at(minutes), name, {"size": 20.0, "kind": "flat"}, 40.0, model="homes")
        write(tmp_path / "log", PREDICTIONS, made)

    for minutes in (-1, 0, 30, 59):
        row(minutes, f"r{minutes}")
    row(-24 * 60 + 5, "yesterday")
    write(tmp_path / "log", FEEDBACK, truth("yesterday", 50.0), truth("r0", 50.0))
    write(tmp_path / "log", ERRORS, Refusals(at(1), "/predict", 422, "unknown_field", 3))
    config = MonitoringConfig.model_validate(
        {
            "model": "homes",
            "log": str(tmp_path / "log"),
            "window": {"hours": 1, "until": (NOON + HOUR).isoformat()},
            "performance": {"delay_hours": 24},
        }
    )

    # when
    window, sample = observe_window(config, watched.bundle, watched.reference)

    # then
    assert (window.start, window.end) == ("2025-11-21T12:00:00.000+00:00", "2025-11-21T13:00:00.000+00:00")
    assert (window.observed.rows, window.traffic.requests, window.traffic.refused) == (3, 3, 3)
    assert window.performance is not None and window.performance.rows == 1
    assert window.performance.start == (NOON - timedelta(days=1)).isoformat(timespec="milliseconds")
    assert sample["size"].tolist() == [20.0] * 3 and sample["prediction"].tolist() == [40.0] * 3


def test_traffic_of_a_window() -> None:
    # given 90 requests in one minute and 10 in another, one of which held ten rows
    times = np.concatenate([np.linspace(0, 59, 90), np.linspace(120, 170, 10)])
    latency = np.arange(1.0, 101.0)

    # when
    made = service_traffic(
        Requests(times, latency, 109), {(422, "invalid_type"): 5, (200, "fallback"): 2, (500, "internal"): 1}, 3600
    )

    # then
    assert (made.requests, made.rows, made.peak_requests) == (100, 109, 90)
    assert (made.p50_ms, made.p99_ms) == (50.5, pytest.approx(99.01))
    assert (made.failed, made.fallback, made.refused) == (1, 2, 5)
    assert made.error_share == pytest.approx(3 / 106) and made.rows_per_second == pytest.approx(109 / 3600)
    assert made.causes == {"422 invalid_type": 5, "500 internal": 1}


def test_nothing_asked_has_no_shares() -> None:
    # when
    made = service_traffic(Requests(np.empty(0), np.empty(0), 0), {}, 3600)
    # then
    assert made.p99_ms is None and np.isnan(made.error_share)
