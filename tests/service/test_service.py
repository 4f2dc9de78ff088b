"""The settings that BentoML needs before it starts the workers."""

import pytest
from bentoml.exceptions import BentoMLException

from service.service import Stackhouse


def test_a_wrong_setting_is_told_when_the_service_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    monkeypatch.setenv("STACKHOUSE_WORKERS", "none")

    # when
    with pytest.raises(BentoMLException) as refused:
        Stackhouse.inject_config()

    # then
    said = str(refused.value)
    assert "'workers'" in said and "'none'" in said and "\n" not in said


def test_the_number_of_workers_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    monkeypatch.setenv("STACKHOUSE_WORKERS", "3")

    # when
    Stackhouse.inject_config()

    # then
    assert Stackhouse.config["workers"] == 3
