"""The steps of the promotion pipeline, called in their order on a registry with three versions."""

from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest

from steps.promotion import judge as judge_module
from steps.promotion import release as release_module
from tabular.config.promotion import PromotionConfig
from tests.support.registered import Registered, registered


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registered]:
    before = mlflow.get_tracking_uri()
    made = registered(tmp_path / "model")
    monkeypatch.setattr(judge_module, "open_releases", lambda name: made.releases)
    monkeypatch.setattr(release_module, "open_releases", lambda name: made.releases)
    yield made
    mlflow.set_tracking_uri(before)


def test_a_version_is_judged_and_then_released(made: Registered) -> None:
    # given
    wanted = PromotionConfig(model=made.name, version="2", reason="spring data")

    # when
    decision = judge_module.judge.entrypoint(wanted)
    promotion = release_module.release.entrypoint(decision, wanted)

    # then
    assert decision.decision == "promote" and decision.champion_version is None
    assert promotion.alias == "champion" and made.aliases() == {"champion": "2"}
    assert made.releases.history.read()[0].changed.why == "spring data"


def test_without_rows_that_neither_saw_the_champion_stays_unless_it_is_forced(made: Registered) -> None:
    # given
    made.champion("1")
    wanted = PromotionConfig(model=made.name, version="newest")

    # when
    decision = judge_module.judge.entrypoint(wanted)
    kept = release_module.release.entrypoint(decision, wanted)
    forced = release_module.release.entrypoint(decision, wanted.model_copy(update={"force": True, "reason": "test"}))

    # then
    assert decision.decision == "keep" and decision.champion_version is None
    assert kept.aliases == [] and forced.aliases == ["champion"]
