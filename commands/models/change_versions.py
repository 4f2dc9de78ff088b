"""The commands that move aliases and set tags: `promote`, `rollback`, `alias`, `tag` and `archive`."""

import re
from typing import TYPE_CHECKING

import click

from commands.common.answering import ModelsCommand
from commands.common.session import Session, open_to_change
from commands.models.group import ChangeOptions, changes, models
from commands.models.planned_change import PlannedChange, carry_out
from registry.labels import ARCHIVED, CHALLENGER, CHAMPION, METRIC, RECORDED, STAGING
from tabular.errors import UserError

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

    from tabular.reports.training import GateDecision

LENGTH = 250
"""Longest name of an alias or a tag that MLflow accepts."""
LONGEST_VALUE = 5000
"""Longest value of a tag that MLflow's databases accept."""


@models.command()
@click.argument("version", metavar="V")
@click.option("--to", required=True, type=click.Choice([CHAMPION, CHALLENGER, STAGING]), help="The alias to give.")
@click.option(
    "--traffic",
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="Share of the requests that a challenger answers, 0 to 1.",
)
@click.option("--force", is_flag=True, help="Promote against the gate; needs --reason, and is recorded.")
@changes
def promote(
    request: ModelsCommand, options: ChangeOptions, version: str, to: str, traffic: float | None, force: bool
) -> None:
    """Make a version champion if the gate agrees, or make it challenger or staging."""
    from registry import plans

    if force and to != CHAMPION:
        raise UserError(f"--force overrules the gate, which judges champions only; leave it out with --to {to}")
    if force and not options.reason.strip():
        raise UserError("--force needs a reason for the history: --reason TEXT")
    session = open_to_change(request.root, request.model)
    found = session.version(version)
    number = str(found.version)
    _refuse_archived(found)
    change = plans.promote(session.base, number, to, traffic, None, force)
    against: tuple[str, ...] = ()
    if change is not None and to == CHAMPION:
        gate, against = _judged(session, found, force)
        overruled = against if force else ()
        change = change.model_copy(update={"gate": gate, "forced": bool(overruled), "overruled": overruled})
    remedy = f'`python run.py models promote {number} --to champion --force --reason "..."` overrules the gate'
    plan = PlannedChange("promote", number, change, refusals=() if force else against, remedy=remedy)
    next_ = "`python run.py models release show`" if to != "staging" else f"`python run.py models show {number}`"
    carry_out(request, options, session, plan, next_)


@models.command()
@click.option("--to", metavar="V", help="An earlier champion; if left out, the one before the present champion.")
@changes
def rollback(request: ModelsCommand, options: ChangeOptions, to: str | None) -> None:
    """Make an earlier champion the champion again, without asking the gate."""
    from registry import plans

    session = open_to_change(request.root, request.model)
    number = str(session.version(to).version) if to else None
    change = plans.rollback(session.base, session.releases.history.read(), number)
    found = session.version(str(change.version))  # a deleted one is refused here
    if found.tags.get(ARCHIVED) == "true":
        change = change.model_copy(update={"sets": {ARCHIVED: "false"}})
    carry_out(
        request,
        options,
        session,
        PlannedChange("rollback", change.version, change),
        "`python run.py models release show`",
    )


@models.command()
@click.argument("name")
@click.argument("version", metavar="V")
@changes
def alias(request: ModelsCommand, options: ChangeOptions, name: str, version: str) -> None:
    """Give a version an alias NAME of your own."""
    from registry import plans

    if not re.fullmatch(r"[A-Za-z0-9_-]+", name) or len(name) > LENGTH:
        raise UserError(f"an alias is made of letters, digits, - and _, at most {LENGTH}; '{name}' is not")
    if name.isdecimal() or re.fullmatch(r"latest|newest|v\d+", name, re.IGNORECASE):
        raise UserError(f"'{name}' cannot be an alias, because it reads as a version; choose another name")
    session = open_to_change(request.root, request.model)
    found = session.version(version)
    _refuse_archived(found)
    number = str(found.version)
    plan = PlannedChange("alias", number, plans.alias(session.base, name, number))
    carry_out(request, options, session, plan, f"`python run.py models show {name}`")


@models.command()
@click.argument("version", metavar="V")
@click.argument("pairs", metavar="KEY=VALUE...", nargs=-1, required=True)
@changes
def tag(request: ModelsCommand, options: ChangeOptions, version: str, pairs: tuple[str, ...]) -> None:
    """Set tags of a version; archived=false brings an archived version back."""
    from registry import plans

    tags = dict(_pair(text) for text in pairs)
    session = open_to_change(request.root, request.model)
    found = session.version(version)
    new = {key: value for key, value in tags.items() if found.tags.get(key) != value}
    number = str(found.version)
    plan = PlannedChange("tag", number, plans.tag(session.base, number, new) if new else None)
    carry_out(request, options, session, plan, f"`python run.py models show {number}`")


@models.command()
@click.argument("version", metavar="V")
@changes
def archive(request: ModelsCommand, options: ChangeOptions, version: str) -> None:
    """Mark a version as out of use, without deleting anything."""
    from registry import plans

    session = open_to_change(request.root, request.model)
    found = session.version(version)
    number = str(found.version)
    done = found.tags.get(ARCHIVED) == "true"
    plan = PlannedChange("archive", number, None if done else plans.archive(session.base, number))
    carry_out(request, options, session, plan, f"`python run.py models tag {number} archived=false` brings it back")


def _judged(session: Session, found: "ModelVersion", force: bool) -> "tuple[GateDecision | None, tuple[str, ...]]":
    """The decision of the gate about a future champion, and the reasons against it."""
    from registry.version_gate import judge

    try:
        gate = judge(session.releases, found, session.base.aliases.get(CHAMPION))
    except UserError as error:  # a version without a configuration cannot be judged, but can be forced
        if not force:
            raise
        return None, (str(error),)
    return gate, () if gate.decision == "promote" else tuple(gate.reasons)


def _refuse_archived(found: "ModelVersion") -> None:
    if found.tags.get(ARCHIVED) == "true":
        number = found.version
        raise UserError(
            f"version {number} is archived; `python run.py models tag {number} archived=false` brings it back"
        )


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not re.fullmatch(r"[\w.\- /]+", key) or len(key) > LENGTH or len(value) > LONGEST_VALUE:
        raise UserError(
            f"'{text[:80]}' is not a tag; write KEY=VALUE, of at most {LENGTH} and {LONGEST_VALUE} characters"
        )
    if key in RECORDED or key.startswith(METRIC):
        raise UserError(f"the tag '{key}' records how the version was made and is not changed by hand")
    if key == ARCHIVED and value != "false":
        raise UserError("`python run.py models archive V` archives; as a tag, archived can only be false")
    return key, value
