"""A history that cannot lie: what is lost is filled in, what was changed is found."""

import json
import math
import shutil

import pytest

from registry import plans
from registry.history import TAG_LENGTH, BrokenHistory, champions
from tests.support.bundles import NAME
from tests.support.released import Shop, promote, roll_back
from tests.support.reports import gate
from tests.support.strays import strew


def test_each_entry_tells_who_when_from_to_why_and_on_which_commit(shop: Shop) -> None:
    # when
    promote(shop, "1", why="the first")
    promote(shop, "2", why="fewer errors")

    # then
    first, second = shop.releases.history.read()
    assert (first.revision, second.revision) == (1, 2)
    assert [(move.alias, move.before, move.after) for move in second.moved] == [("champion", "1", "2")]
    assert second.changed.why == "fewer errors" and "@" in second.changed.by
    assert second.changed.at > first.changed.at and second.git_commit == "unknown"  # the folder is no checkout


def test_an_entry_lies_in_the_registry_and_in_the_artifact_store(shop: Shop) -> None:
    # when
    promote(shop, "1")

    # then
    tag = shop.client.get_registered_model(NAME).tags["release.000001"]
    assert (shop.folder / "releases" / "history" / "000001.json").read_text() == tag
    assert json.loads(tag)["moved"] == [{"after": "1", "alias": "champion", "before": None}]


@pytest.mark.parametrize("is_of_an_earlier_version", [False, True])
def test_an_entry_with_an_undefined_metric_is_followed_by_others(shop: Shop, is_of_an_earlier_version: bool) -> None:
    # given: earlier versions wrote the bare word
    releases, decision = shop.releases, gate(None, "keep").model_copy(update={"challenger": float("nan")})
    plan = plans.promote(releases.settle(), "1", "challenger", None, decision, force=False)
    assert plan is not None
    releases.change(plan, "undefined", releases.settle())
    file = shop.folder / "releases" / "history" / "000001.json"
    assert '"challenger":"NaN"' in file.read_text()
    if is_of_an_earlier_version:
        text = file.read_text().replace('"challenger":"NaN"', '"challenger":NaN')
        file.write_text(text)
        shop.client.set_registered_model_tag(NAME, "release.000001", text)
    # when
    promote(shop, "2")
    # then
    first, second = shop.releases.history.read()
    assert first.change.gate is not None and math.isnan(first.change.gate.challenger)
    assert second.change.aliases == {"challenger": "1", "champion": "2"}


@pytest.mark.parametrize("lost", ["store", "registry"])
def test_what_one_side_has_lost_is_filled_from_the_other(shop: Shop, lost: str) -> None:
    # given
    promote(shop, "1")
    promote(shop, "2")
    written = shop.releases.history.read()
    if lost == "store":
        shutil.rmtree(shop.folder / "releases" / "history")
    else:
        shop.client.delete_registered_model_tag(NAME, "release.000002")

    # when: nothing has noticed yet, and the next change comes
    assert shop.releases.history.read() == written
    promote(shop, "3")

    # then
    assert shop.entries() == ["1", "2", "3"]
    assert sorted(file.name for file in (shop.folder / "releases" / "history").iterdir()) == [
        "000001.json",
        "000002.json",
        "000003.json",
    ]


def test_an_entry_that_was_changed_on_one_side_is_found(shop: Shop) -> None:
    # given
    promote(shop, "1", why="it is better")
    promote(shop, "2")
    file = shop.folder / "releases" / "history" / "000001.json"
    file.write_text(file.read_text().replace("it is better", "I said so"))

    # then
    with pytest.raises(BrokenHistory, match="revision 1 .*the registry's tags differ"):
        shop.releases.history.read()


def test_an_entry_that_was_changed_on_both_sides_does_not_fit_the_next_one(shop: Shop) -> None:
    # given
    promote(shop, "1", why="it is better")
    promote(shop, "2")
    file = shop.folder / "releases" / "history" / "000001.json"
    file.write_text(file.read_text().replace("it is better", "I said so"))
    shop.client.set_registered_model_tag(NAME, "release.000001", file.read_text())

    # then
    with pytest.raises(BrokenHistory, match="revision 2 .*does not follow from the entry before"):
        shop.releases.history.read()


def test_an_entry_that_is_gone_on_both_sides_is_missed(shop: Shop) -> None:
    # given
    promote(shop, "1")
    promote(shop, "2")
    (shop.folder / "releases" / "history" / "000001.json").unlink()
    shop.client.delete_registered_model_tag(NAME, "release.000001")

    # then
    with pytest.raises(BrokenHistory, match="revision 1 .*neither in the artifact store nor in the registry"):
        shop.releases.history.read()


def test_a_long_entry_is_spread_over_tags_that_a_database_takes(shop: Shop) -> None:
    # given
    why = "because " * 2000

    # when
    promote(shop, "1", why=why)
    shutil.rmtree(shop.folder / "releases" / "history")

    # then
    tags = shop.client.get_registered_model(NAME).tags
    assert max(len(text) for text in tags.values()) <= TAG_LENGTH and "release.000001.3" in tags
    [entry] = shop.releases.history.read()
    assert entry.changed.why == why


def test_rollbacks_go_back_through_the_champions_one_after_the_other(shop: Shop) -> None:
    # given
    for version in ("1", "2", "3"):
        promote(shop, version)

    # when
    roll_back(shop)
    roll_back(shop)

    # then: 3 is out of the way for good, and promoted anew it lies on top
    assert shop.entries() == ["1", "2", "3", "2", "1"]
    assert champions(shop.releases.history.read()) == ["1"]
    promote(shop, "3")
    assert champions(shop.releases.history.read()) == ["1", "3"]


def test_a_rollback_to_a_version_further_back(shop: Shop) -> None:
    # given
    for version in ("1", "2", "3"):
        promote(shop, version)

    # when
    roll_back(shop, to="1")

    # then
    assert champions(shop.releases.history.read()) == ["1"]
    assert plans.protected(shop.releases.settle(), shop.releases.history.read(), window=2) == {"1", "3"}


def test_what_a_desktop_leaves_in_the_folder_is_passed_over(shop: Shop) -> None:
    # given
    promote(shop, "1")
    strew(shop.folder / "releases" / "history")

    # when
    promote(shop, "2")

    # then
    assert [entry.revision for entry in shop.releases.history.read()] == [1, 2]
