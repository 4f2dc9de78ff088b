"""The commands for the release manifest: `release show`, `release verify` and `release rebuild`."""

import shlex
import sys
from dataclasses import replace

from commands.common.answering import ModelsCommand, answers
from commands.common.screen import table
from commands.common.session import REFUSED, open_session
from commands.models.group import ChangeOptions, changes, models
from commands.models.planned_change import PlannedChange, carry_out
from tabular.errors import UserError


@models.group()
def release() -> None:
    """Look at the release manifest that services follow, check it, or write it again."""


@release.command()
@answers
def show(request: ModelsCommand) -> None:
    """Show the manifest, its location, and how a service follows it."""
    from tabular.storage import places

    session = open_session(request.root, request.model)
    location = session.releases.manifest_location
    try:
        manifest = session.releases.written_manifest()
    except places.NotThere:
        raise UserError(
            f"{session.name} is not released yet; `python run.py models promote newest --to champion` releases it"
        ) from None
    shares = manifest.traffic
    roles = (("champion", manifest.champion, shares.champion), ("challenger", manifest.challenger, shares.challenger))
    rows = [(role, named.version, f"{share:.0%}", named.bundle) for role, named, share in roles if named is not None]
    shown = table(("role", "version", "traffic", "bundle"), rows, folded=("bundle",), title=session.name)
    changed = manifest.changed
    said = f"revision {manifest.revision}, {changed.at} by {changed.by}{f': {changed.why}' if changed.why else ''}"
    setting = f"STACKHOUSE_MANIFEST={shlex.quote(location)}"
    document = {
        "model": session.name,
        "location": location,
        "setting": setting,
        "manifest": manifest.model_dump(mode="json"),
    }
    request.screen.answer(document, [shown, said, f"manifest: {location}"], f"`{setting} bentoml serve`")


@release.command()
@answers
def verify(request: ModelsCommand) -> None:
    """Check the manifest against the history and every file against its sha256; exit code 1 for a difference."""
    from rich.text import Text

    from registry import release_checks

    session = open_session(request.root, request.model)
    findings = release_checks.verify(session.releases)
    states = {True: Text("ok", "green"), False: Text("fails", "red")}
    rows = [(finding.what, states[finding.ok], finding.text) for finding in findings]
    is_good = all(finding.ok for finding in findings)
    document = {
        "model": session.name,
        "ok": is_good,
        "findings": [finding._asdict() for finding in findings],
    }
    good, bad = "`python run.py models release show`", "`python run.py models release rebuild`, or train again"
    shown = table(("what", "state", "what was found"), rows, folded=("what was found",))
    request.screen.answer(document, [shown], good if is_good else bad)
    if not is_good:
        sys.exit(REFUSED)


@release.command()
@changes
def rebuild(request: ModelsCommand, options: ChangeOptions) -> None:
    """Take over aliases that were moved in the registry itself, and write the manifest again."""
    from registry import plans

    session = open_session(request.root, request.model)
    entry, base = session.base.entry, session.base
    if session.strays:
        if base.revision == 0:
            session = replace(session, strays=[])  # taking them over is the change itself
        plan = PlannedChange("adopt", None, plans.adopt(base))
        carry_out(request, options, session, plan, "`python run.py models release verify`")
        return
    if entry is None:
        raise UserError(
            f"{session.name} has no alias to release; `python run.py models promote newest --to champion` gives one"
        )
    wanted = session.releases.manifest(entry) if options.dry_run else session.releases.write_manifest(entry)
    location = session.releases.manifest_location
    done = "would be written" if options.dry_run else "is what the history says"
    said = f"{location} {done}: revision {entry.revision}" if wanted else "there is no champion that can be served"
    document = {
        "model": session.name,
        "action": "rebuild",
        "dry_run": options.dry_run,
        "revision": base.revision,
        "location": location if wanted else None,
    }
    request.screen.answer(document, [said], "`python run.py models release verify`")
