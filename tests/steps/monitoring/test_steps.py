"""Each step of monitoring, called with small inputs."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import steps.monitoring.assess as assess_module
from registry import bundles
from registry.bundles import FetchedBundle
from registry.store import LocalStore
from registry.watching import Watch
from steps.monitoring.assess import assess, assess_batch
from steps.monitoring.drift_report import drift_report
from steps.monitoring.observe import observe
from steps.monitoring.track_verdict import track_verdict
from tabular.config.batch import BatchConfig
from tabular.config.monitoring import MonitoringConfig
from tabular.prediction_log.records import PREDICTIONS
from tabular.reports.verdicts import Window
from tests.support.logs import NOON, predicted, write
from tests.support.verdicts import found, verdict
from tests.support.watched import model, rows_of

HOMES = model()


@pytest.fixture(autouse=True)
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bundle of the watched version is at hand, and metadata of a step goes nowhere."""
    bundle = FetchedBundle(tmp_path, "0" * 64, HOMES.bundle, HOMES.reference)
    monkeypatch.setattr(bundles, "fetch", lambda name, version: bundle)
    monkeypatch.setattr(assess_module, "log_metadata", lambda metadata: None)


@pytest.fixture
def config(tmp_path: Path) -> MonitoringConfig:
    until = (NOON + timedelta(hours=1)).isoformat()
    given = {"model": "homes", "log": str(tmp_path / "log"), "window": {"hours": 1, "until": until, "minimum": 30}}
    return MonitoringConfig.model_validate(given)


def window(log: Path, config: MonitoringConfig, shift: float) -> tuple[Window, pd.DataFrame]:
    rows = rows_of(300, shift).to_dict("records")
    records = [predicted(NOON, f"r{number}", row, 2 * row["size"], model="homes") for number, row in enumerate(rows)]
    write(log, PREDICTIONS, *records)
    made: tuple[Window, pd.DataFrame] = observe.entrypoint(config)
    return made


@pytest.mark.parametrize(("shift", "level"), [(0.0, "ok"), (30.0, "alert")])
def test_a_window_is_observed_and_assessed(
    shift: float, level: str, tmp_path: Path, config: MonitoringConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    watch = Watch(LocalStore(tmp_path / "store"))
    monkeypatch.setattr(assess_module, "open_watch", lambda name: watch)

    # when
    observed, sample = window(tmp_path / "log", config, shift)
    made = assess.entrypoint(observed, config)

    # then
    assert (observed.observed.rows, len(sample)) == (300, 300)
    assert (made.level, made.rows, made.windows) == (level, 300, 1)
    assert watch.verdicts("1") == [made]


def test_a_batch_is_assessed() -> None:
    # given
    class Scored:
        """What of a batch's report is assessed."""

        observed = HOMES.observed(300, shift=30.0)
        started, ended = "2026-03-01T00:00:00+00:00", "2026-03-01T00:01:00+00:00"

        def findings(self) -> list[Any]:
            return [found("size", kind="validation", level="warn")]

    # when
    config = BatchConfig(model="homes", input="rows.csv", output="scored")
    made = assess_batch.entrypoint(Scored(), config)

    # then
    assert (made.source, made.level, made.end) == ("batch", "alert", Scored.ended)
    assert {"validation", "distribution"} <= {one.kind for one in made.findings if one.level != "ok"}


def test_the_drift_report_shows_the_sample_beside_the_training_rows() -> None:
    # given
    sample = rows_of(50, 30.0).assign(prediction=1.0)

    # when
    page = drift_report.entrypoint(verdict(1, found("size", 0.4, "alert")), sample, 42)

    # then
    assert "<html" in page and "size" in page


def test_a_verdict_goes_to_the_tracker_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    sent: list[tuple[Any, ...]] = []

    class Tracker:
        def send_verdict(self, *given: Any) -> None:
            sent.append(given)

    monkeypatch.setattr("steps.monitoring.track_verdict.sender", {"mlflow": Tracker()}.__getitem__)
    one = verdict(1, found("size"))

    # when
    track_verdict.entrypoint(one, "<html>", "mlflow")

    # then
    assert sent == [(one, "<html>")]
