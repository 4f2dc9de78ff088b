"""The command `history`, and sentences about moved aliases and decisions of the gate."""

from typing import TYPE_CHECKING

from commands.common.answering import ModelsCommand, answers
from commands.common.screen import table
from commands.common.session import open_session
from commands.models.group import models
from commands.models.show_versions import in_words

if TYPE_CHECKING:
    from registry.history import AliasMove, HistoryEntry
    from tabular.reports.training import GateDecision


@models.command()
@answers
def history(request: ModelsCommand) -> None:
    """Show who changed what and why, the newest entry last; each entry is checked against the one before it."""
    session = open_session(request.root, request.model)
    entries = session.releases.history.read()
    rows = [
        (
            entry.revision,
            entry.changed.at,
            entry.changed.by,
            entry.change.action,
            _what(entry),
            "forced" if entry.change.forced else "",
            entry.change.gate and gate_in_words(entry.change.gate),
            entry.changed.why,
            entry.git_commit[:8] + ("-dirty" if entry.git_commit.endswith("-dirty") else ""),
        )
        for entry in entries
    ]
    heads = ("revision", "when", "who", "action", "from -> to", "forced", "numbers", "why", "commit")
    document = {"model": session.name, "entries": [entry.model_dump(mode="json") for entry in entries]}
    none = f"nothing was changed yet in {session.name}"
    next_ = (
        "`python run.py models rollback --dry-run`"
        if entries
        else "`python run.py models promote newest --to champion`"
    )
    shown = [table(heads, rows, folded=("numbers", "why")) if entries else none]
    request.screen.answer(document, shown, next_)


def moves_in_words(moved: "tuple[AliasMove, ...] | list[AliasMove]") -> str:
    """The moved aliases in words, such as `champion 2 -> 3`."""
    return ", ".join(f"{move.alias} {move.before or 'none'} -> {move.after or 'none'}" for move in moved)


def gate_in_words(gate: "GateDecision") -> str:
    """A decision of the gate with its numbers, in words."""
    text = f"{gate.decision}: {gate.metric} {in_words(gate.challenger)}"
    if gate.champion is not None:
        text += f" against {in_words(gate.champion)} of version {gate.champion_version}"
    if gate.difference is not None:
        span = f"{in_words(gate.difference.low)} to {in_words(gate.difference.high)}"
        text += f", better by {in_words(gate.difference.value)} ({span})"
    return text


def _what(entry: "HistoryEntry") -> str:
    change = entry.change
    parts = [moves_in_words(entry.moved)] if entry.moved else []
    parts += [f"version {change.version}: {key}={value}" for key, value in change.sets.items()]
    if change.removes:
        parts.append(f"deleted version {', '.join(removal.version for removal in change.removes)}")
    if change.traffic.challenger:
        parts.append(f"challenger answers {change.traffic.challenger:.0%}")
    return "; ".join(parts)
