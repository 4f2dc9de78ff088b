"""What each verb makes of the aliases, and what it refuses."""

from typing import Any

import pytest

from registry import plans
from registry.history import HistoryEntry, ReleaseChange, ReleaseState, Removal
from tabular.bundles.manifest import ManifestChange, TrafficSplit
from tabular.errors import UserError
from tabular.reports.training import GateDecision

ALIASES = {"champion": "3", "challenger": "4", "staging": "5", "summer": "2"}
ALONE = TrafficSplit()
SHARED = TrafficSplit(champion=0.9, challenger=0.1)


def entry(
    revision: int, aliases: dict[str, str], action: Any = "promote", traffic: TrafficSplit = ALONE
) -> HistoryEntry:
    changed = ManifestChange(at="2026-11-21T14:05:00+00:00", by="a test", why="")
    change = ReleaseChange(action=action, aliases=aliases, traffic=traffic)
    return HistoryEntry(
        revision=revision, name="houses", changed=changed, git_commit="unknown", moved=(), change=change, previous=""
    )


def state(aliases: dict[str, str] = ALIASES, traffic: TrafficSplit = SHARED) -> ReleaseState:
    return ReleaseState(entry(7, aliases, traffic=traffic), 7, dict(aliases))


def decision(verdict: Any, *reasons: str) -> GateDecision:
    return GateDecision(
        decision=verdict,
        reasons=list(reasons),
        metric="wmape",
        challenger=19.0,
        champion=20.0,
        champion_version="3",
        difference=None,
        tolerance=0.0,
        resamples=100,
        broken_limits={},
    )


def promoted(version: str, to: str = "champion", share: float | None = None, **state_: Any) -> ReleaseChange:
    plan = plans.promote(state(**state_), version, to, share, None, False)
    assert plan is not None
    return plan


def lines(*champions: str | tuple[str, str]) -> list[HistoryEntry]:
    """A history by its champions; a pair has the action, too."""
    pairs = [one if isinstance(one, tuple) else (one, "promote") for one in champions]
    return [entry(number, {"champion": champion}, action) for number, (champion, action) in enumerate(pairs, start=1)]


def test_a_challenger_that_becomes_champion_is_no_challenger_any_more() -> None:
    plan = promoted("4")
    assert plan.aliases == {"champion": "4", "staging": "5", "summer": "2"}
    assert plan.traffic == TrafficSplit()


def test_another_champion_leaves_challenger_and_traffic_as_they_are() -> None:
    plan = promoted("5")
    assert plan.aliases == {**ALIASES, "champion": "5"}
    assert plan.traffic == SHARED


def test_a_challenger_gets_the_share_that_is_asked_for_or_none() -> None:
    assert promoted("6", "challenger", 0.25).traffic == TrafficSplit(champion=0.75, challenger=0.25)
    assert promoted("6", "challenger").traffic == TrafficSplit()


def test_another_share_for_the_same_challenger_is_a_change_and_the_same_is_none() -> None:
    assert promoted("4", "challenger", 0.5).traffic.challenger == 0.5
    assert plans.promote(state(), "4", "challenger", 0.1, None, False) is None


def test_who_is_champion_already_changes_nothing() -> None:
    assert plans.promote(state(), "3", "champion", None, decision("keep"), True) is None


def test_a_champion_cannot_challenge_itself_and_only_challengers_have_a_share() -> None:
    with pytest.raises(UserError, match="version 3 is the champion and cannot challenge itself"):
        plans.promote(state(), "3", "challenger", None, None, False)
    with pytest.raises(UserError, match="share of the traffic is for a challenger, not for the alias 'staging'"):
        plans.promote(state(), "6", "staging", 0.1, None, False)


def test_force_against_the_gate_is_recorded_with_what_spoke_against_it() -> None:
    against = plans.promote(state(), "4", "champion", None, decision("reject", "clearly worse"), True)
    agreed = plans.promote(state(), "4", "champion", None, decision("promote", "clearly better"), True)
    assert against is not None and (against.forced, against.overruled) == (True, ("clearly worse",))
    assert agreed is not None and (agreed.forced, agreed.overruled) == (False, ())
    assert agreed.gate is not None and agreed.gate.reasons == ["clearly better"]


def test_a_rollback_goes_back_through_the_champions_and_not_to_and_fro() -> None:
    # given: 1, 2 and 3 were promoted in turn, then 3 was rolled back to 2
    history = lines("1", "2", "3", ("2", "rollback"))

    # then
    assert plans.rollback(state({"champion": "2"}, TrafficSplit()), history, None).aliases == {"champion": "1"}
    assert plans.rollback(state({"champion": "2"}, TrafficSplit()), history, "3").aliases == {"champion": "3"}


def test_a_rollback_to_the_challenger_takes_that_alias_from_it() -> None:
    plan = plans.rollback(state(), lines("4", "3"), None)
    assert (plan.aliases["champion"], "challenger" in plan.aliases, plan.traffic) == ("4", False, TrafficSplit())


@pytest.mark.parametrize(
    ("history", "to", "says"),
    [
        (["3"], None, "there is no earlier champion"),
        (["1", "3"], "3", "version 3 is the champion already"),
        (["1", "3"], "2", "version 2 never was champion"),
    ],
)
def test_a_rollback_to_what_never_was_is_refused(history: list[str], to: str | None, says: str) -> None:
    with pytest.raises(UserError, match=says):
        plans.rollback(state(), lines(*history), to)


def test_an_alias_of_ones_own_moves_and_a_released_one_is_refused() -> None:
    plan = plans.alias(state(), "summer", "6")
    assert plan is not None and plan.aliases == {**ALIASES, "summer": "6"} and plan.traffic == SHARED
    assert plans.alias(state(), "summer", "2") is None
    with pytest.raises(UserError, match="promote 6 --to challenger"):
        plans.alias(state(), "challenger", "6")


def test_archiving_takes_staging_away_and_is_refused_for_any_other_alias() -> None:
    plan = plans.archive(state(), "5")
    assert plan.sets == {"archived": "true"} and "staging" not in plan.aliases
    for number, alias in (("3", "champion"), ("4", "challenger"), ("2", "summer")):
        with pytest.raises(UserError, match=f"version {number} has the alias {alias} and cannot be archived"):
            plans.archive(state(), number)


def test_tags_and_removals_leave_aliases_and_traffic_as_they_are() -> None:
    tagged = plans.tag(state(), "2", {"owner": "ann"})
    one = plans.remove(state(), [Removal(version="1")], "delete")
    two = plans.remove(state(), [Removal(version="1"), Removal(version="6")], "prune")
    assert all((plan.aliases, plan.traffic) == (ALIASES, SHARED) for plan in (tagged, one, two))
    assert (tagged.sets, tagged.version) == ({"owner": "ann"}, "2")
    assert (one.action, one.version, two.action, two.version) == ("delete", "1", "prune", None)


@pytest.mark.parametrize("number", ALIASES.values())
def test_a_version_with_an_alias_is_not_deleted(number: str) -> None:
    with pytest.raises(UserError, match=f"version {number} has the alias .* and cannot be deleted"):
        plans.remove(state(), [Removal(version=number)], "delete")


def test_the_last_different_champions_and_all_aliases_are_protected_from_pruning() -> None:
    # given: 9 was rolled back to 8 and became champion again, so that three entries name two champions
    history = lines("6", "7", "8", "9", ("8", "rollback"), "9")
    base = state({"champion": "9", "summer": "2"}, TrafficSplit())

    # then
    assert plans.protected(base, history, 1) == {"9", "2"}
    assert plans.protected(base, history, 2) == {"9", "8", "2"}
    assert plans.protected(base, history, 3) == {"9", "8", "7", "2"}


def test_adopting_keeps_the_traffic_only_where_there_is_a_challenger() -> None:
    assert plans.adopt(state()).traffic == SHARED
    base = ReleaseState(entry(7, ALIASES, traffic=SHARED), 7, {"champion": "9"})
    assert (plans.adopt(base).aliases, plans.adopt(base).traffic) == ({"champion": "9"}, TrafficSplit())
