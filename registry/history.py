"""The append-only history of a registered model: numbered entries, each with the sha256 of the one before.

An entry lies twice: as a file in the artifact store and as a tag of the registered model. Making the file decides: of
several people who make entry 7 at once, the store lets one, and the others have lost. The tag is written afterwards, so
whichever of the two is lost can be filled from the other.
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
"""What the registered model's tags are called, before the six digits of the revision."""
TAG_LENGTH = 5000
"""A longer tag is refused by MLflow's databases, so a long entry is spread over several."""
APPLIED = "release.applied"
"""The tag with the newest revision that aliases, manifest and all else have been brought to."""

Action = Literal["promote", "rollback", "alias", "tag", "archive", "delete", "prune", "adopt"]


class BrokenHistory(UserError):
    """The history does not hold together: an entry is missing, changed or not readable."""


class AliasMove(StrictModel):
    """An alias that an entry moved; None where there was or is none."""

    alias: str
    before: str | None
    after: str | None


class Removal(StrictModel):
    """A version that an entry deletes, and what lay where: all of it is known before the first deletion."""

    version: str
    run_id: str | None = None
    """Of MLflow."""
    model_uri: str | None = None
    """Where MLflow keeps the model's files."""
    artifacts: Items[str] = ()
    """ZenML's ids of the artifact versions that only this version uses."""
    bentos: Items[str] = ()
    """Tags in the Bento store and in its model store."""
    folders: Items[str] = ()
    """Folders below the repository's `.cache`."""
    size: int = 0
    """Bytes, as far as they could be counted."""


class ReleaseChange(StrictModel):
    """What is to become of the model: all aliases as they will be, and what else is done."""

    action: Action
    version: str | None = None
    """The version that it is about."""
    aliases: dict[str, str]
    """Every alias with its version, afterwards."""
    traffic: TrafficSplit = TrafficSplit()
    sets: dict[str, str] = {}
    """Tags of `version`."""
    removes: Items[Removal] = ()
    forced: bool = False
    overruled: Items[str] = ()
    """What spoke against it, in words, when it was forced."""
    gate: GateDecision | None = None
    """The numbers that it rests on."""


class HistoryEntry(StrictModel):
    """A change, once it is decided."""

    format: Literal[1] = 1
    revision: Annotated[int, Field(ge=1)]
    """1 for the first; the release manifest carries the same number."""
    name: str
    """Of the registered model."""
    changed: ManifestChange
    """When, by whom and why."""
    git_commit: str
    moved: Items[AliasMove]
    change: ReleaseChange
    previous: str
    """The sha256 of the entry before as it is stored; empty for the first."""

    def content(self) -> bytes:
        """The bytes that are stored: JSON with sorted keys."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":")).encode()


class ReleaseState(NamedTuple):
    """The end of the history."""

    entry: HistoryEntry | None
    applied: int
    """The revision that the registry and the manifest have been brought to; 0 before the first."""
    aliases: dict[str, str]
    """As the registry has them now."""

    @property
    def revision(self) -> int:
        """0 before the first entry."""
        return self.entry.revision if self.entry else 0

    @property
    def is_settled(self) -> bool:
        """Whether nothing was interrupted."""
        return self.applied >= self.revision

    @property
    def champion(self) -> str | None:
        """Version number of the champion once a change that was interrupted is completed; None without one."""
        return (self.entry.change.aliases if self.entry and not self.is_settled else self.aliases).get("champion")


class History:
    """The entries of one registered model.

    Args:
        client: of MLflow.
        store: the model's folder in the artifact store.
        name: of the registered model.
    """

    def __init__(self, client: MlflowClient, store: Store, name: str) -> None:
        self._client = client
        self._store = store
        self._name = name

    def newest(self) -> ReleaseState:
        """The last entry and how far it was carried out.

        Raises:
            BrokenHistory: the entry cannot be read, or belongs to another model.
        """
        model = self._client.get_registered_model(self._name)
        revision = max([0, *_revisions(model.tags), *self._stored()])
        aliases = {alias: str(version) for alias, version in model.aliases.items()}
        entry = self._entry(revision, model.tags) if revision else None
        return ReleaseState(entry, int(model.tags.get(APPLIED, "0")), aliases)

    def read(self) -> list[HistoryEntry]:
        """All entries, the oldest first, each checked against the one after it.

        Raises:
            BrokenHistory: one is missing, was changed, or differs between registry and artifact store.
        """
        tags = self._client.get_registered_model(self._name).tags
        stored = self._stored()
        entries: list[HistoryEntry] = []
        for revision in range(1, max([0, *_revisions(tags), *stored]) + 1):
            entry = self._entry(revision, tags)
            both = _tag(revision) in tags and revision in stored
            if both and self._store.read(_file(revision)) != _content(tags, revision):
                raise BrokenHistory(
                    f"{self._where(revision)}: the artifact store and the registry's tags tell different things"
                )
            before = digest(entries[-1].content()) if entries else ""
            if entry.previous != before:
                raise BrokenHistory(
                    f"{self._where(revision)}: it does not follow from the entry before; one was changed"
                )
            entries.append(entry)
        return entries

    def append(self, entry: HistoryEntry) -> bool:
        """Make an entry the newest one; False when somebody else has made another the newest meanwhile.

        Args:
            entry: its revision is one more than that of the newest.
        """
        if any(revision >= entry.revision for revision in self._stored()):
            return False
        return self._store.create(_file(entry.revision), entry.content())

    def copy(self, entry: HistoryEntry) -> None:
        """Write the entry's tag, and its file where that was lost."""
        tags = self._client.get_registered_model(self._name).tags
        for tag, text in reversed(_as_tags(entry).items()):  # the first last: where it is, all are
            if tags.get(tag) != text:
                self._client.set_registered_model_tag(self._name, tag, text)
        stored = self._stored()
        for revision in _revisions(tags):
            if revision not in stored:
                self._store.create(_file(revision), _content(tags, revision))

    def _entry(self, revision: int, tags: Mapping[str, str]) -> HistoryEntry:
        content = _content(tags, revision) if _tag(revision) in tags else self._stored_content(revision)
        try:
            entry = HistoryEntry.model_validate_json(content)
        except ValidationError as error:
            raise BrokenHistory(f"{self._where(revision)}: {explain(error, HistoryEntry)}") from None
        if (entry.revision, entry.name) != (revision, self._name):
            raise BrokenHistory(f"{self._where(revision)}: it calls itself revision {entry.revision} of {entry.name}")
        return entry

    def _stored_content(self, revision: int) -> bytes:
        try:
            return self._store.read(_file(revision))
        except NotThere:
            raise BrokenHistory(
                f"{self._where(revision)}: it is neither in the artifact store nor in the registry"
            ) from None

    def _stored(self) -> set[int]:
        return {int(name.removesuffix(".json")) for name in self._store.names(FOLDER)}

    def _where(self, revision: int) -> str:
        return f"the history of {self._name}, revision {revision} ({self._store.location}/{_file(revision)})"


def champions(entries: Sequence[HistoryEntry]) -> list[str]:
    """The champions that a rollback would go back through, the present one last.

    A promotion puts one on the pile, a rollback takes off whatever lies above the one that it goes back to.
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


def _file(revision: int) -> str:
    return f"{FOLDER}/{revision:06d}.json"
