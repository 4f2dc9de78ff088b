"""The append-only history of a registered model: numbered entries, each with the sha256 of the one before.

An entry is kept twice: as a file in the artifact store and as a tag of the registered model. Creating the file
decides: if several people create entry 7 at once, the store lets one of them succeed. The tag is written afterwards.
If either of the two is lost, it is restored from the other.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, NamedTuple

from mlflow import MlflowClient
from pydantic import Field, ValidationError

from registry.store import Store
from tabular.bundles.bundle import digest
from tabular.bundles.manifest import ManifestChange, TrafficSplit
from tabular.config.base import Items, StrictModel, explain
from tabular.errors import UserError
from tabular.reports.training import GateDecision
from tabular.storage.places import NotThere

FOLDER = "history"
TAG = "release."
"""Prefix of the registered model's tags; the six digits of the revision follow."""
TAG_LENGTH = 5000
"""Longest tag that MLflow's databases accept; a longer entry is spread over several tags."""
APPLIED = "release.applied"
"""Tag with the newest revision that aliases, manifest and everything else have been brought to."""

Action = Literal["promote", "rollback", "alias", "tag", "archive", "delete", "prune", "adopt"]


class BrokenHistory(UserError):
    """The history is damaged: an entry is missing, was changed or cannot be read."""


class AliasMove(StrictModel):
    """An alias that an entry moved, with its version before and after; None if there was or is no such alias."""

    alias: str
    before: str | None
    after: str | None


class Removal(StrictModel):
    """A version that an entry deletes, and where its parts lie: all of this is known before the first deletion."""

    version: str
    run_id: str | None = None
    """Id of the MLflow run."""
    model_uri: str | None = None
    """URI of the model that MLflow keeps."""
    artifacts: Items[str] = ()
    """ZenML ids of the artifact versions that only this version uses."""
    bentos: Items[str] = ()
    """Tags in the Bento store and in its model store."""
    folders: Items[str] = ()
    """Folders below the repository's `.cache`."""
    size: int = 0
    """Number of bytes, as far as they could be counted."""


class ReleaseChange(StrictModel):
    """The state that a registered model is to have: all aliases as they will be, and what else is done."""

    action: Action
    version: str | None = None
    """Number of the version that the change is about."""
    aliases: dict[str, str]
    """Version of every alias after the change."""
    traffic: TrafficSplit = TrafficSplit()
    sets: dict[str, str] = {}
    """Tags that `version` gets."""
    removes: Items[Removal] = ()
    forced: bool = False
    overruled: Items[str] = ()
    """Reasons against the change, in words, if it was forced."""
    gate: GateDecision | None = None
    """The decision of the gate that the change rests on."""

    def moves(self, before: Mapping[str, str]) -> tuple[AliasMove, ...]:
        """The aliases that the change moves, given the version of each alias before it."""
        return tuple(
            AliasMove(alias=alias, before=before.get(alias), after=self.aliases.get(alias))
            for alias in sorted(before.keys() | self.aliases.keys())
            if before.get(alias) != self.aliases.get(alias)
        )


class HistoryEntry(StrictModel):
    """A change that was decided, as it stands in the history."""

    format: Literal[1] = 1
    revision: Annotated[int, Field(ge=1)]
    """1 for the first entry; the release manifest carries the same number."""
    name: str
    """Name of the registered model."""
    changed: ManifestChange
    """When the change was made, by whom and why."""
    git_commit: str
    moved: Items[AliasMove]
    change: ReleaseChange
    previous: str
    """sha256 of the entry before it as that one is stored; empty for the first entry."""

    def content(self) -> bytes:
        """The entry as the bytes that are stored: JSON with sorted keys."""
        plain = json.loads(self.model_dump_json())  # in which NaN, a metric without a value, is a text
        return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


class ReleaseState(NamedTuple):
    """The newest entry of the history, and how far the registry has followed it."""

    entry: HistoryEntry | None
    applied: int
    """Revision that the registry and the manifest have been brought to; 0 before the first."""
    aliases: dict[str, str]
    """Version of each alias as the registry has it now."""
    sha256: str = ""
    """sha256 of the newest entry as it is stored; empty before the first."""

    @property
    def revision(self) -> int:
        """Revision of the newest entry; 0 before the first."""
        return self.entry.revision if self.entry else 0

    @property
    def is_settled(self) -> bool:
        """Whether the newest entry was carried out completely."""
        return self.applied >= self.revision

    @property
    def champion(self) -> str | None:
        """Version number of the champion once a change that was interrupted is completed; None without one."""
        return (self.entry.change.aliases if self.entry and not self.is_settled else self.aliases).get("champion")


class History:
    """The entries of one registered model, whose folder in the artifact store is `store`."""

    def __init__(self, client: MlflowClient, store: Store, name: str) -> None:
        self._client = client
        self._store = store
        self._name = name

    def newest(self) -> ReleaseState:
        """The newest entry and how far it was carried out. Raises BrokenHistory if the entry cannot be read."""
        model = self._client.get_registered_model(self._name)
        revision = max([0, *_revisions(model.tags), *self._stored()])
        aliases = {alias: str(version) for alias, version in model.aliases.items()}
        applied = int(model.tags.get(APPLIED, "0"))
        if not revision:
            return ReleaseState(None, applied, aliases)
        content = self._kept(revision, model.tags)
        return ReleaseState(self._entry(revision, content), applied, aliases, digest(content))

    def read(self) -> list[HistoryEntry]:
        """All entries, the oldest first, each checked against the one after it. Raises BrokenHistory for damage."""
        tags = self._client.get_registered_model(self._name).tags
        stored = self._stored()
        entries: list[HistoryEntry] = []
        before = ""
        for revision in range(1, max([0, *_revisions(tags), *stored]) + 1):
            content = self._kept(revision, tags)
            entry = self._entry(revision, content)
            both = _tag(revision) in tags and revision in stored
            if both and self._store.read(file_of(revision)) != content:
                raise BrokenHistory(f"{self._where(revision)}: the artifact store and the registry's tags differ")
            if entry.previous != before:
                raise BrokenHistory(
                    f"{self._where(revision)}: it does not follow from the entry before; one was changed"
                )
            entries.append(entry)
            before = digest(content)
        return entries

    def append(self, entry: HistoryEntry) -> bool:
        """Add an entry, whose revision is one more than the newest. Returns False if somebody else was faster."""
        if any(revision >= entry.revision for revision in self._stored()):
            return False
        return self._store.create(file_of(entry.revision), entry.content())

    def copy(self, entry: HistoryEntry) -> None:
        """Write the entry's tag, and restore the files of entries that were lost."""
        tags = self._client.get_registered_model(self._name).tags
        for tag, text in reversed(_as_tags(entry).items()):  # the first tag last: where it exists, all exist
            if tags.get(tag) != text:
                self._client.set_registered_model_tag(self._name, tag, text)
        stored = self._stored()
        for revision in _revisions(tags):
            if revision not in stored:
                self._store.create(file_of(revision), _content(tags, revision))

    def _kept(self, revision: int, tags: Mapping[str, str]) -> bytes:
        """The entry as it is stored."""
        try:
            return _content(tags, revision) if _tag(revision) in tags else self._store.read(file_of(revision))
        except NotThere:
            where = self._where(revision)
            raise BrokenHistory(f"{where}: it is neither in the artifact store nor in the registry") from None

    def _entry(self, revision: int, content: bytes) -> HistoryEntry:
        try:
            entry = HistoryEntry.model_validate_json(content)
        except ValidationError as error:
            raise BrokenHistory(f"{self._where(revision)}: {explain(error, HistoryEntry)}") from None
        if (entry.revision, entry.name) != (revision, self._name):
            raise BrokenHistory(f"{self._where(revision)}: it calls itself revision {entry.revision} of {entry.name}")
        return entry

    def _stored(self) -> set[int]:
        return {int(name.removesuffix(".json")) for name in self._store.names(FOLDER, r"\d{6,}\.json")}

    def _where(self, revision: int) -> str:
        return f"the history of {self._name}, revision {revision} ({self._store.location}/{file_of(revision)})"


def champions(entries: Sequence[HistoryEntry]) -> list[str]:
    """The champions that a rollback would go back through, the present one last.

    A promotion puts a version on the pile; a rollback removes the versions above the one that it goes back to.
    """
    pile: list[str] = []
    for entry in entries:
        champion = entry.change.aliases.get("champion")
        if champion is None or (pile and pile[-1] == champion):
            continue
        if entry.change.action == "rollback" and champion in pile:
            while pile[-1] != champion:
                pile.pop()
        else:
            pile.append(champion)
    return pile


def _revisions(tags: Mapping[str, str]) -> list[int]:
    return sorted(int(tag.removeprefix(TAG)) for tag in tags if tag.startswith(TAG) and tag[len(TAG) :].isdecimal())


def _tag(revision: int) -> str:
    return f"{TAG}{revision:06d}"


def _as_tags(entry: HistoryEntry) -> dict[str, str]:
    text = entry.content().decode()
    pieces = [text[start : start + TAG_LENGTH] for start in range(0, len(text), TAG_LENGTH)]
    return {_tag(entry.revision) + (f".{number}" if number else ""): piece for number, piece in enumerate(pieces)}


def _content(tags: Mapping[str, str], revision: int) -> bytes:
    text, number = tags[_tag(revision)], 1
    while f"{_tag(revision)}.{number}" in tags:
        text, number = text + tags[f"{_tag(revision)}.{number}"], number + 1
    return text.encode()


def file_of(revision: int) -> str:
    """Name of the file of a revision in the model's folder."""
    return f"{FOLDER}/{revision:06d}.json"
