"""Who is told of which verdict."""

from pathlib import Path
from typing import Any

import pytest

from steps.monitoring.notify import notify
from tabular.config.monitoring import MonitoringConfig
from tests.support.ports import free_port
from tests.support.verdicts import found, verdict
from trackers import notifying
from trackers.notifying import Notification

ALERT = verdict(1, found("rooms", 0.4, "alert"))
DUE = ALERT.model_copy(update={"retrain": True})
CALM = verdict(1, found("rooms"))


def config(**values: Any) -> MonitoringConfig:
    return MonitoringConfig.model_validate({"model": "houses", "log": "log"} | values)


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was posted; who hears it is another test's matter."""
    heard: list[str] = []

    def post(text: str, document: dict[str, Any]) -> Notification:
        heard.append(text)
        return Notification(sent=True, words="told")

    monkeypatch.setattr(notifying, "post", post)
    return heard


@pytest.mark.parametrize(
    ("what", "settings", "is_told"),
    [
        (ALERT, {}, False),
        (ALERT, {"on_alert": "notify"}, True),
        (CALM, {"on_alert": "notify", "on_retrain": "train"}, False),
        (ALERT, {"on_retrain": "notify"}, False),
        (DUE, {"on_retrain": "notify"}, True),
        (DUE, {"on_retrain": "train"}, True),
        (DUE, {}, False),
    ],
)
def test_people_are_told_what_the_policy_says(what: Any, settings: Any, is_told: bool, told: list[str]) -> None:
    # when
    made = notify.entrypoint(what, config(**settings))
    # then
    assert made.sent == is_told and len(told) == is_told


def test_prometheus_that_is_down_is_told_and_stops_nothing(tmp_path: Path) -> None:
    # given
    address = f"http://127.0.0.1:{free_port()}"
    file = tmp_path / "stackhouse.prom"

    # when
    made = notify.entrypoint(ALERT, config(metrics={"textfile": str(file), "pushgateway": address}, on_alert="notify"))

    # then
    assert made.words.startswith("told; ") and address in made.words
    assert 'stackhouse_monitor_level{model="houses"' in file.read_text()
