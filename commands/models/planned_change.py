"""Showing a planned change, asking for confirmation, and carrying it out."""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from commands.common.answering import ModelsCommand
from commands.common.failures import Failed
from commands.common.screen import size_in_words, table
from commands.common.session import REFUSED, Session
from commands.models.group import ChangeOptions
from commands.models.show_history import gate_in_words, moves_in_words
from tabular.errors import one_line

if TYPE_CHECKING:
    from rich.console import RenderableType

    from registry.history import HistoryEntry, ReleaseChange, ReleaseState


@dataclass(frozen=True)
class PlannedChange:
    """A change that is not decided yet."""

    action: str
    version: str | None
    change: "ReleaseChange | None"
    """None if there is nothing to change."""
    refusals: tuple[str, ...] = ()
    """Reasons why the change is not carried out."""
    remedy: str = ""
    """A command that helps against the refusal."""


def carry_out(
    request: ModelsCommand, options: ChangeOptions, session: Session, plan: PlannedChange, next_: str
) -> None:
    """Show a plan. Unless it is refused or a dry run, ask for confirmation at a terminal and carry the plan out.

    At the end, `next_` is shown as the command to type next.

    Raises:
        Failed: the change was decided, and could not be completed.
        LostRace: somebody else was faster.
        SystemExit: the change was refused, or not confirmed.
    """
    change = plan.change
    if change is not None:
        session.releases.ensure_servable(change, session.base)
    document = _document(session, options, plan)
    shown = _shown(session, plan)
    if plan.refusals:
        request.screen.answer(document, shown)
        for refusal in plan.refusals:
            click.echo(f"refused: {refusal}", err=True)
        click.echo(f"nothing was changed; {plan.remedy}", err=True)
        sys.exit(REFUSED)
    if change is None:
        request.screen.answer(document, [f"{session.name}: nothing to change"], next_)
        return
    if options.dry_run:
        request.screen.answer(document, [*shown, "dry run: nothing was written"], "the same without --dry-run")
        return
    if not options.yes and sys.stdin.isatty():
        if not request.screen.is_json:
            request.screen.answer(document, shown)
            shown = []
        if not click.confirm(f"{_in_a_line(session, plan, change)}: go on?", err=True):
            click.echo("nothing was changed", err=True)
            sys.exit(REFUSED)
    entry = commit(session, change, options.reason)
    decided = {"changed": True, "revision": entry.revision, "moved": [move.model_dump() for move in entry.moved]}
    request.screen.answer(document | decided, [*shown, f"done: revision {entry.revision}"], next_)


def commit(session: Session, change: "ReleaseChange", why: str) -> "HistoryEntry":
    """Carry out a change; before the first one of a model, take over the aliases that it has already.

    Raises:
        Failed: the change was decided, and could not be completed.
        LostRace: somebody else was faster.
    """
    from registry import configs, plans

    base = session.base
    if session.strays and base.revision == 0:
        _commit(session, plans.adopt(base), "these aliases were there before there was a history", base)
        base = session.releases.history.newest()
    entry = _commit(session, change, why, base)
    configs.export_champion(session.root, session.client, session.name)
    return entry


def _commit(session: Session, change: "ReleaseChange", why: str, base: "ReleaseState") -> "HistoryEntry":
    from registry.releases import LostRace

    try:
        return session.releases.change(change, why, base)
    except Exception as error:  # whatever it is: the user has to know whether the change was decided
        # The entry of somebody else who was faster may hold an equal change.
        if isinstance(error, LostRace) or not session.releases.has_decided(change, base.revision + 1):
            raise
        raise Failed(
            f"revision {base.revision + 1} is decided and not completed ({one_line(error)}); "
            "the next `python run.py models` command completes it"
        ) from error


def _document(session: Session, options: ChangeOptions, plan: PlannedChange) -> dict[str, Any]:
    change = plan.change
    plain = change.model_dump(mode="json") if change else {}
    return {
        "model": session.name,
        "action": plan.action,
        "version": plan.version,
        "dry_run": options.dry_run,
        "changed": False,
        "refused": list(plan.refusals),
        "revision": session.base.revision,
        "moved": [move.model_dump() for move in change.moves(session.base.aliases)] if change else [],
        "aliases": plain.get("aliases", session.base.aliases),
        "traffic": plain.get("traffic"),
        "gate": plain.get("gate"),
        "forced": plain.get("forced", False),
        "overruled": plain.get("overruled", []),
        "tags": plain.get("sets", {}),
        "removes": plain.get("removes", []),
        "why": options.reason,
    }


def _in_a_line(session: Session, plan: PlannedChange, change: "ReleaseChange") -> str:
    parts = [plan.action if plan.version is None else f"{plan.action} version {plan.version} of {session.name}"]
    parts += [moves_in_words(change.moves(session.base.aliases))] if change.moves(session.base.aliases) else []
    if change.removes:
        numbers = ", ".join(removal.version for removal in change.removes)
        parts.append(f"delete version {numbers} for good ({size_in_words(sum(one.size for one in change.removes))})")
    return "; ".join(parts)


def _shown(session: Session, plan: PlannedChange) -> "list[RenderableType]":
    change = plan.change
    if change is None:
        return []
    shown: list[RenderableType] = []
    if moved := change.moves(session.base.aliases):
        rows = [(move.alias, move.before or "none", move.after or "none") for move in moved]
        shown.append(table(("alias", "from", "to"), rows))
    if change.sets:
        tags = ", ".join(f"{key}={value}" for key, value in change.sets.items())
        shown.append(f"version {plan.version}: {tags}")
    if change.traffic.challenger or any(move.alias == "challenger" for move in moved):
        shown.append(f"traffic: champion {change.traffic.champion:.0%}, challenger {change.traffic.challenger:.0%}")
    if change.gate:
        shown += [f"gate: {gate_in_words(change.gate)}", *(f"  {reason}" for reason in change.gate.reasons)]
    if change.forced:
        shown += ["forced against:", *(f"  {reason}" for reason in change.overruled)]
    if change.removes:
        rows = []
        for removal in change.removes:
            artifacts = [f"{len(removal.artifacts)} ZenML artifacts"] if removal.artifacts else []
            things = [*filter(None, [removal.model_uri]), *artifacts, *removal.bentos, *removal.folders]
            rows.append((removal.version, size_in_words(removal.size), ", ".join(things)))
        what = "what is deleted with it"
        shown.append(table(("version", "size", what), rows, folded=(what,)))
        shown.append(f"in all {size_in_words(sum(removal.size for removal in change.removes))}")
    return shown
