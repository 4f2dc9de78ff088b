"""Checking a release: the manifest against the history, and every file of the bundles against its sha256."""

from typing import NamedTuple

from registry.history import HistoryEntry
from registry.labels import CHAMPION
from registry.releases import Releases
from tabular.bundles.bundle import MANIFEST, digest, parse
from tabular.bundles.manifest import Release
from tabular.errors import UserError
from tabular.storage import places


class ReleaseCheck(NamedTuple):
    """The result of one check."""

    what: str
    ok: bool
    text: str
    """Result in words."""


def verify(releases: Releases) -> list[ReleaseCheck]:
    """Check the history, the aliases, the manifest, and each file of each bundle that it names. Nothing is changed."""
    newest = releases.history.newest()
    found = [_history(releases)]
    strays = releases.strays(newest)
    found.append(ReleaseCheck("aliases", not strays, "; ".join(strays) or "as in the history"))
    if newest.entry is None:
        return [*found, ReleaseCheck("manifest", False, "nothing was released yet")]
    if not newest.is_settled:
        text = f"revision {newest.revision} is decided and not carried out; any `models` command completes it"
        return [*found, ReleaseCheck("manifest", False, text)]
    return [*found, *_manifest(releases, newest.entry)]


def _history(releases: Releases) -> ReleaseCheck:
    try:
        entries = releases.history.read()
    except UserError as error:
        return ReleaseCheck("history", False, str(error))
    return ReleaseCheck("history", True, f"{len(entries)} entries, each with the sha256 of the one before")


def _manifest(releases: Releases, entry: HistoryEntry) -> list[ReleaseCheck]:
    wanted = releases.manifest(entry)
    if wanted is None:
        champion = entry.change.aliases.get(CHAMPION)
        text = f"the champion, version {champion}, was never packaged" if champion else "none, and there is no champion"
        return [ReleaseCheck("manifest", champion is None, text)]
    try:
        written = releases.written_manifest()
    except UserError as error:
        return [ReleaseCheck("manifest", False, f"{error}; `python run.py models release rebuild` writes it again")]
    same = written == wanted
    text = f"revision {written.revision}, " + ("as in the registry" if same else "and the registry says otherwise")
    named = [("champion", written.champion), ("challenger", written.challenger)]
    return [
        ReleaseCheck("manifest", same, text),
        *(finding for role, release in named if release for finding in _bundle(releases, role, release)),
    ]


def _bundle(releases: Releases, role: str, release: Release) -> list[ReleaseCheck]:
    what = f"{role}, version {release.version}"
    try:
        content = releases.store.read(places.join(release.bundle, MANIFEST))
        if digest(content) != release.sha256:
            return [ReleaseCheck(what, False, f"{MANIFEST} has the sha256 {digest(content)}, not {release.sha256}")]
        files = parse(content, MANIFEST).files
    except UserError as error:
        return [ReleaseCheck(what, False, str(error))]
    found = [ReleaseCheck(f"{what}: {MANIFEST}", True, release.sha256)]
    for name, expected in files.items():
        try:
            sha256 = digest(releases.store.read(places.join(release.bundle, name)))
        except UserError as error:
            sha256 = str(error)
        same = sha256 == expected
        found.append(ReleaseCheck(f"{what}: {name}", same, sha256 if same else f"{sha256}, not {expected}"))
    return found
