"""The change that each command of `models` plans. Nothing is written here: `Releases.change` carries a plan out."""

from collections.abc import Sequence
from typing import Literal

from registry.history import HistoryEntry, ReleaseChange, ReleaseState, Removal, champions
from registry.labels import ARCHIVED, CHALLENGER, CHAMPION, STAGING
from tabular.bundles.manifest import TrafficSplit
from tabular.errors import UserError
from tabular.reports.training import GateDecision


def promote(
    base: ReleaseState, version: str, to: str, share: float | None, gate: GateDecision | None, force: bool
) -> ReleaseChange | None:
    """Give a version the alias `champion`, `challenger` or `staging`; None if there is nothing to change.

    Args:
        base: the settled state.
        version: number of the version.
        to: the alias.
        share: share of the requests that a challenger answers, 0 to 1; None means that the champion answers all.
        gate: the gate's decision about a future champion; None for the other aliases, and where it was not asked.
        force: promote against the gate, which is recorded.

    Raises:
        UserError: the champion is to be its own challenger, or a share is given for another alias than `challenger`.
    """
    if share is not None and to != CHALLENGER:
        raise UserError(f"a share of the traffic is for a challenger, not for the alias '{to}'; leave --traffic out")
    if to == CHALLENGER and base.aliases.get(CHAMPION) == version:
        raise UserError(f"version {version} is the champion and cannot challenge itself")
    aliases = {**base.aliases, to: version}
    if to == CHAMPION and aliases.get(CHALLENGER) == version:
        del aliases[CHALLENGER]
    traffic = _traffic(base, aliases)
    if to == CHALLENGER:
        traffic = TrafficSplit(champion=1 - (share or 0.0), challenger=share or 0.0)
    if aliases == base.aliases and traffic == _traffic(base, aliases):
        return None
    overruled = gate.reasons if gate and force and gate.decision != "promote" else []
    return ReleaseChange(
        action="promote",
        version=version,
        aliases=aliases,
        traffic=traffic,
        forced=bool(overruled),
        overruled=tuple(overruled),
        gate=gate,
    )


def rollback(base: ReleaseState, entries: Sequence[HistoryEntry], to: str | None) -> ReleaseChange:
    """Make the earlier champion `to` the champion again; None means the champion before the present one.

    Raises:
        UserError: there was no earlier champion, or `to` never was champion, or it is champion now.
    """
    pile = champions(entries)
    present = base.aliases.get(CHAMPION)
    if to is None:
        if len(pile) < 2:
            raise UserError("there is no earlier champion to go back to; `python run.py models history` shows them all")
        to = pile[-2]
    if to == present:
        raise UserError(f"version {to} is the champion already")
    ever = {entry.change.aliases.get(CHAMPION) for entry in entries}
    if to not in ever:
        raise UserError(f"version {to} never was champion; `python run.py models promote {to} --to champion` judges it")
    aliases = {**base.aliases, CHAMPION: to}
    if aliases.get(CHALLENGER) == to:
        del aliases[CHALLENGER]
    return ReleaseChange(action="rollback", version=to, aliases=aliases, traffic=_traffic(base, aliases))


def alias(base: ReleaseState, name: str, version: str) -> ReleaseChange | None:
    """Give a version an alias that services do not follow.

    Raises:
        UserError: services follow this alias.
    """
    if name in (CHAMPION, CHALLENGER):
        raise UserError(f"the alias '{name}' is released: `python run.py models promote {version} --to {name}`")
    aliases = {**base.aliases, name: version}
    if aliases == base.aliases:
        return None
    return ReleaseChange(action="alias", version=version, aliases=aliases, traffic=_traffic(base, aliases))


def tag(base: ReleaseState, version: str, tags: dict[str, str]) -> ReleaseChange:
    """Set tags of a version."""
    aliases = base.aliases
    return ReleaseChange(action="tag", version=version, aliases=aliases, traffic=_traffic(base, aliases), sets=tags)


def archive(base: ReleaseState, version: str) -> ReleaseChange:
    """Mark a version as out of use, and take the alias `staging` from it.

    Raises:
        UserError: another alias points to it.
    """
    aliases = {name: number for name, number in base.aliases.items() if (name, number) != (STAGING, version)}
    refuse_aliased(aliases, version, "archived")
    traffic, sets = _traffic(base, aliases), {ARCHIVED: "true"}
    return ReleaseChange(action="archive", version=version, aliases=aliases, traffic=traffic, sets=sets)


def remove(base: ReleaseState, removals: Sequence[Removal], action: Literal["delete", "prune"]) -> ReleaseChange:
    """Delete versions with everything that only they use. Raises UserError if an alias points to one of them."""
    for removal in removals:
        refuse_aliased(base.aliases, removal.version, "deleted")
    return ReleaseChange(
        action=action,
        version=removals[0].version if len(removals) == 1 else None,
        aliases=base.aliases,
        traffic=_traffic(base, base.aliases),
        removes=tuple(removals),
    )


def adopt(base: ReleaseState) -> ReleaseChange:
    """Take over the aliases that somebody has set in the registry itself."""
    return ReleaseChange(action="adopt", aliases=base.aliases, traffic=_traffic(base, base.aliases))


def protected(base: ReleaseState, entries: Sequence[HistoryEntry], window: int) -> set[str]:
    """The versions that may not be pruned: those with an alias, and the last `window` different champions."""
    ever = dict.fromkeys(entry.change.aliases.get(CHAMPION) for entry in reversed(entries))
    return {*base.aliases.values(), *[champion for champion in ever if champion][:window]}


def refuse_aliased(aliases: dict[str, str], version: str, done: str) -> None:
    """Raise UserError if an alias points to the version; `done` says what cannot be done with it."""
    pointing = sorted(name for name, number in aliases.items() if number == version)
    if pointing:
        raise UserError(
            f"version {version} has the alias {' and '.join(pointing)} and cannot be {done}; point it elsewhere first"
        )


def _traffic(base: ReleaseState, aliases: dict[str, str]) -> TrafficSplit:
    """The present shares of the requests; all are the champion's once there is no challenger."""
    return base.entry.change.traffic if base.entry and CHALLENGER in aliases else TrafficSplit()
