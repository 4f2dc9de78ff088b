"""What is released: aliases, manifest and configs agree, and what cannot be served is not released."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from registry import configs, plans
from registry.gated_promotion import follow_gate, give, settled
from registry.release_checks import verify
from tabular.errors import UserError
from tabular.reports.training import GateDecision
from tests.support.bundles import NAME, damage
from tests.support.released import Shop, promote, roll_back


def decided(decision: str, champion: str | None) -> GateDecision:
    return GateDecision.model_validate(
        {
            "decision": decision,
            "reasons": ["so said the gate"],
            "obstacles": [],
            "metric": "wmape",
            "challenger": 12.0,
            "champion": None,
            "champion_version": champion,
            "compared_on": "400 held-out rows" if champion else "",
            "difference": None,
            "tolerance": 0.0,
            "resamples": 2000,
            "broken_limits": {},
        }
    )


def failures(shop: Shop) -> list[str]:
    return [f"{finding.what}: {finding.text}" for finding in verify(shop.releases) if not finding.ok]


def test_the_manifest_names_champion_and_challenger_with_their_bundles(shop: Shop) -> None:
    # when
    promote(shop, "1")
    releases = shop.releases
    base = releases.settle()
    plan = plans.promote(base, "2", "challenger", 0.25, None, force=False)
    assert plan is not None
    releases.change(plan, "a try", base)

    # then
    manifest = releases.written_manifest()
    assert (manifest.revision, manifest.name, manifest.changed.why) == (2, NAME, "a try")
    assert manifest.challenger is not None and manifest.traffic.challenger == 0.25
    assert [manifest.champion.version, manifest.challenger.version] == ["1", "2"]
    assert manifest.champion.bundle == shop.client.get_model_version(NAME, "1").tags["bundle"]
    assert failures(shop) == []


def test_a_challenger_that_becomes_champion_challenges_no_longer(shop: Shop) -> None:
    # given
    promote(shop, "1")
    promote(shop, "2", "challenger")

    # when
    promote(shop, "2")

    # then
    assert shop.state() == ({"champion": "2"}, "2", 3)
    assert shop.releases.written_manifest().challenger is None


def test_the_configs_know_the_aliases_and_the_repository_the_champion(shop: Shop, tmp_path: Path) -> None:
    # given
    file = tmp_path / "releases" / NAME / "champion.yaml"

    def champion() -> tuple[str, list[str]]:
        configs.export_champion(tmp_path, shop.client, NAME)
        kept = yaml.safe_load(file.read_text())
        return kept["version"], kept["aliases"]

    promote(shop, "1")

    # when
    promote(shop, "2")

    # then
    assert champion() == ("2", ["champion"])
    assert configs.read(shop.client, shop.client.get_model_version(NAME, "1")).aliases == ()
    roll_back(shop)
    assert champion() == ("1", ["champion"])


def test_the_repository_keeps_the_newest_version_and_a_folder_that_cannot_be_written_stops_nothing(
    shop: Shop, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # given
    newest, older = (configs.read(shop.client, shop.client.get_model_version(NAME, number)) for number in ("3", "2"))
    (tmp_path / "file").touch()

    # when
    configs.export_trained(tmp_path, shop.client, newest)
    configs.export_trained(tmp_path, shop.client, older)
    configs.export_trained(tmp_path / "file", shop.client, newest)

    # then
    assert yaml.safe_load((tmp_path / "releases" / NAME / "model_config.yaml").read_text())["version"] == "3"
    assert "model_config.yaml is not written" in caplog.text


def test_a_version_whose_bundle_is_gone_or_changed_is_not_released(shop: Shop) -> None:
    # given
    promote(shop, "1")
    copy = shutil.copytree(shop.releases.written_manifest().champion.bundle, shop.folder / "copy")
    for version, sha256 in (("2", "0" * 64), ("3", "0" * 64)):
        shop.releases.note_bundle(version, str(copy if version == "2" else shop.folder / "nowhere"), sha256)

    # then
    with pytest.raises(UserError, match="bundle of version 2 was changed"):
        promote(shop, "2")
    with pytest.raises(UserError, match="bundle of version 3 is gone"):
        promote(shop, "3")
    assert shop.state() == ({"champion": "1"}, "1", 1)


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def _turn(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))


@pytest.mark.parametrize("spoil", [_empty, _cut, _turn, Path.unlink])
@pytest.mark.parametrize("to", ["champion", "challenger"])
def test_nothing_moves_where_any_file_of_the_bundle_is_damaged(
    shop: Shop, to: str, spoil: Callable[[Path], None]
) -> None:
    # given
    promote(shop, "1")
    bundle = Path(shop.releases.packaged("2").bundle)
    copy = shop.folder / "copy"
    for name in sorted(file.name for file in bundle.iterdir()):
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(bundle, copy)
        shop.releases.note_bundle("2", str(copy), shop.releases.packaged("2").sha256)
        spoil(copy / name)
        # when / then: one line that names the file
        with pytest.raises(UserError, match=f"^the bundle of version 2 (is gone|was changed): .*/copy/{name}.*train"):
            promote(shop, "2", to)
    assert shop.state() == ({"champion": "1"}, "1", 1)


def test_a_rollback_to_a_damaged_bundle_moves_nothing(shop: Shop) -> None:
    # given
    copy = shutil.copytree(shop.releases.packaged("1").bundle, shop.folder / "copy")
    shop.releases.note_bundle("1", str(copy), shop.releases.packaged("1").sha256)
    promote(shop, "1")
    promote(shop, "2")
    _turn(copy / "predictor.npz")
    # when / then
    with pytest.raises(UserError, match="predictor.npz has the sha256"):
        roll_back(shop)
    assert shop.state() == ({"champion": "2"}, "2", 2)


def test_verify_finds_every_file_that_is_not_the_one_that_was_released(shop: Shop) -> None:
    # given
    folder = shutil.copytree(shop.client.get_model_version(NAME, "1").tags["bundle"], shop.folder / "bundle")
    shop.releases.note_bundle("1", str(folder), shop.client.get_model_version(NAME, "1").tags["bundle_sha256"])
    promote(shop, "1")
    assert failures(shop) == []

    # when
    damage(folder / "model.skops")
    (folder / "card.md").unlink()

    # then
    assert [text.split(":")[1].strip() for text in failures(shop)] == ["model.skops", "card.md"]


def test_a_manifest_that_was_lost_or_changed_is_found_and_written_again(shop: Shop) -> None:
    # given
    promote(shop, "1")
    promote(shop, "2")
    file = shop.folder / "releases" / "manifest.json"
    file.write_text(file.read_text().replace('"version": "2"', '"version": "1"'))
    assert any("the registry says otherwise" in text for text in failures(shop))

    # when
    newest = shop.releases.settle().entry
    assert newest is not None
    shop.releases.write_manifest(newest)

    # then
    assert failures(shop) == []


def test_an_alias_that_somebody_moved_in_the_registry_is_noticed_and_taken_over(shop: Shop) -> None:
    # given
    promote(shop, "1")
    shop.client.set_registered_model_alias(NAME, "champion", "3")
    releases = shop.releases
    [stray] = releases.strays(releases.settle())
    assert stray == "the alias 'champion' points to version 3 in the registry, and to version 1 in the history"

    # when
    settled(releases)

    # then: the registry is right, and the history says so
    assert shop.state() == ({"champion": "3"}, "3", 2)
    assert shop.releases.history.read()[-1].change.action == "adopt"
    assert failures(shop) == []


@pytest.mark.parametrize(
    ("decision", "against", "aliases"),
    [
        ("promote", "1", {"champion": "2"}),
        ("keep", "1", {"champion": "1", "challenger": "2"}),
        ("reject", "1", {"champion": "1"}),
        ("promote", None, {"champion": "1", "challenger": "2"}),  # judged before there was a champion
        ("promote", "3", {"champion": "1", "challenger": "2"}),  # judged against another one
    ],
)
def test_the_gate_is_followed_as_far_as_it_judged_against_the_champion_that_is(
    shop: Shop, decision: str, against: str | None, aliases: dict[str, str]
) -> None:
    # given
    promote(shop, "1")

    # when
    promotion = follow_gate(shop.releases, "2", decided(decision, against), "trained")

    # then
    assert shop.releases.history.newest().aliases == aliases
    assert promotion.alias == next((alias for alias, version in aliases.items() if version == "2"), None)
    assert ("became champion meanwhile" in promotion.reason) == (decision == "promote" and against != "1")


def test_a_forced_promotion_says_so_in_the_history(shop: Shop) -> None:
    # given
    promote(shop, "1")

    # when
    promotion = give(shop.releases, "2", "champion", decided("reject", "1"), "the boss wants it", force=True)

    # then
    assert promotion.alias == "champion"
    last = shop.releases.history.read()[-1]
    assert (last.change.forced, last.change.overruled) == (True, ("so said the gate",))
    assert last.change.gate is not None and last.change.gate.decision == "reject"


def test_without_force_the_gate_has_the_last_word(shop: Shop) -> None:
    # given
    promote(shop, "1")

    # when
    promotion = give(shop.releases, "2", "champion", decided("keep", "1"), "")

    # then
    assert (promotion.alias, promotion.revision) == (None, 1)
    assert shop.state() == ({"champion": "1"}, "1", 1)
