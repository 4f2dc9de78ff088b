"""Giving a version its alias as the gate decided, while others may change the release at the same time."""

from registry import plans
from registry.history import ReleaseState
from registry.labels import CHALLENGER, CHAMPION
from registry.releases import LostRace, Releases
from tabular.reports.registered import Promotion
from tabular.reports.training import GateDecision


def settled(releases: Releases) -> ReleaseState:
    """The state after unfinished changes are completed and changes made in the registry itself are taken over.

    The registry says which version is champion, and the gate compares with that one. The history has to say the same.
    """
    while True:
        base = releases.settle()
        if not releases.strays(base):
            return base
        try:
            releases.change(plans.adopt(base), "aliases were moved in the registry itself", base)
        except LostRace:
            continue


def follow_gate(releases: Releases, version: str, decision: GateDecision, why: str) -> Promotion:
    """Make a version champion or challenger, or leave it without an alias, as the gate decided.

    A decision to promote that was made against another champion than the present one makes the version challenger.
    """
    state = settled(releases)
    if decision.decision == "reject" or state.aliases.get(CHAMPION) == version:
        return _promotion(releases, version, state, decision.reasons[0])
    if decision.decision == "promote":
        promoted = give(releases, version, CHAMPION, decision, why)
        if promoted.alias == CHAMPION:
            return promoted
        why_not = {"reason": promoted.reason}
        return give(releases, version, CHALLENGER, decision, why).model_copy(update=why_not)
    return give(releases, version, CHALLENGER, decision, why)


def give(
    releases: Releases,
    version: str,
    to: str,
    decision: GateDecision,
    why: str,
    share: float | None = None,
    force: bool = False,
) -> Promotion:
    """Give a version an alias. It becomes champion only if the gate preferred it to the present champion, or if forced.

    A challenger answers the given share of the requests, 0 to 1. The result says what holds in the end, also if
    somebody else changed the release meanwhile.
    """
    while True:
        base = settled(releases)
        champion = base.aliases.get(CHAMPION)
        if to == CHAMPION and not force and champion != version:
            if decision.decision != "promote":
                return _promotion(releases, version, base, decision.reasons[0])
            if decision.champion_version != champion:
                said = f"version {champion} became champion meanwhile: version {version} has to be judged against it"
                return _promotion(releases, version, base, said)
        plan = plans.promote(base, version, to, share, decision, force)
        if plan is not None:
            try:
                releases.change(plan, why, base)
            except LostRace:
                continue  # decided again above, for the state that holds now
        return _promotion(releases, version, releases.settle(), decision.reasons[0])


def _promotion(releases: Releases, version: str, state: ReleaseState, reason: str) -> Promotion:
    return Promotion(
        name=releases.name,
        version=version,
        aliases=sorted(alias for alias, number in state.aliases.items() if number == version),
        revision=state.revision,
        manifest=releases.manifest_location if CHAMPION in state.aliases else None,
        reason=reason,
    )
