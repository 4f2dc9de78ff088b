"""What is released: reading it, deciding a change by one new history entry, and bringing everything to what it says."""

import contextlib
import logging
import random
import time
from datetime import UTC, datetime
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from pydantic import ValidationError
from zenml.client import Client

from registry import configs, retention, stages
from registry.author import author, git_commit
from registry.history import APPLIED, History, HistoryEntry, ReleaseChange, ReleaseState, file_of
from registry.labels import BUNDLE, BUNDLE_SHA256, CHALLENGER, CHAMPION
from registry.mlflow_registry import GONE, by_number, registry_client, version_named
from registry.store import MANIFEST, Store, folder_of
from tabular.bundles import manifest as release
from tabular.bundles.bundle import MANIFEST as BUNDLE_MANIFEST
from tabular.bundles.bundle import digest, parse
from tabular.bundles.manifest import BadManifest, Manifest, ManifestChange, Release, TrafficSplit
from tabular.errors import UserError
from tabular.storage import places
from tabular.storage.repository import ROOT

logger = logging.getLogger(__name__)

COLLISIONS = ("BAD_REQUEST", "TEMPORARILY_UNAVAILABLE")
"""Error codes of MLflow's database for the second of two writers of one tag, and while it is locked."""
PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds to wait before each further attempt; every write can be repeated."""


class LostRace(Exception):
    """Somebody else changed the release first. The message says who it was, and what to do."""


class Releases:
    """A registered model that exists: its aliases, its history and its release manifest.

    `store` is the model's folder in the artifact store; the repository `root` has the commit and the caches.
    """

    def __init__(self, client: MlflowClient, store: Store, name: str, root: Path = ROOT) -> None:
        self.client = client
        self.store = store
        self.name = name
        self.history = History(client, store, name)
        self._root = root

    @property
    def manifest_location(self) -> str:
        """The value of `STACKHOUSE_MANIFEST` for a service that follows this model."""
        return places.join(self.store.location, MANIFEST)

    def version(self, reference: str) -> ModelVersion:
        """The version with this number or alias, or the newest one for `newest`. Raises UserError without it."""
        return version_named(self.client, self.name, reference)

    def strays(self, newest: ReleaseState) -> list[str]:
        """In words, the aliases that point elsewhere than the history says: somebody moved them in the registry."""
        wanted = newest.entry.change.aliases if newest.entry else {}
        return [
            f"the alias '{alias}' points to {_version(newest.aliases.get(alias))} in the registry, "
            f"and to {_version(wanted.get(alias))} in the history"
            for alias in sorted(wanted.keys() | newest.aliases.keys())
            if wanted.get(alias) != newest.aliases.get(alias)
        ]

    def manifest(self, entry: HistoryEntry) -> Manifest | None:
        """The manifest that belongs to an entry; None without a champion that can be served."""
        aliases = entry.change.aliases
        champion = self.servable(aliases.get(CHAMPION))
        if champion is None:
            return None
        challenger = self.servable(aliases.get(CHALLENGER))
        return Manifest(
            revision=entry.revision,
            name=self.name,
            champion=champion,
            challenger=challenger,
            traffic=entry.change.traffic if challenger else TrafficSplit(),
            changed=entry.changed,
        )

    def written_manifest(self) -> Manifest:
        """The manifest in the store. Raises places.NotThere without one, BadManifest where it is not a manifest."""
        return release.parse(self.store.read(MANIFEST), self.manifest_location)

    def servable(self, version: str | None) -> Release | None:
        """Where a version's bundle lies; None without a version, and for one that is gone or was never packaged."""
        found = by_number(self.client, self.name, version) if version else None
        tags = found.tags if found else {}
        if BUNDLE not in tags or BUNDLE_SHA256 not in tags:
            return None
        return Release(version=str(version), bundle=tags[BUNDLE], sha256=tags[BUNDLE_SHA256])

    def packaged(self, version: str) -> Release:
        """Where a version's bundle lies. Raises UserError for a version that was never packaged."""
        found = self.servable(version)
        if found is None:
            raise UserError(f"version {version} of {self.name} was never packaged: train again, which packages it")
        return found

    def note_bundle(self, version: str, location: str, sha256: str) -> None:
        """Record where a version's bundle lies, with the sha256 of its `bundle.json`; now it can be released."""
        self.client.set_model_version_tag(self.name, version, BUNDLE_SHA256, sha256)
        self.client.set_model_version_tag(self.name, version, BUNDLE, location)

    def settle(self) -> ReleaseState:
        """Complete a change that a crash, here or elsewhere, has left unfinished.

        After an entry is applied, the history is read again: a newer entry may have been added meanwhile, and the
        slower of two processes that wrote the same alias must not leave the alias of the older entry.

        Raises:
            BrokenHistory: the history cannot be read.
        """
        for pause in (*PAUSES, None):
            try:
                while True:
                    newest = self.history.newest()
                    if newest.entry is None or newest.is_settled:
                        return newest
                    self._apply(newest.entry, newest)
            except MlflowException as error:
                if pause is None or error.error_code not in COLLISIONS:
                    raise
            time.sleep(random.uniform(0.5, 1.0) * pause)
        raise AssertionError("the last attempt returns or raises")

    def change(self, change: ReleaseChange, why: str, base: ReleaseState) -> HistoryEntry:
        """Decide a change that was planned for the settled state `base`, and carry it out.

        Raises:
            LostRace: the state is no longer `base`.
            UserError: the new champion cannot be served.
        """
        self.ensure_servable(change, base)
        entry = HistoryEntry(
            revision=base.revision + 1,
            name=self.name,
            changed=ManifestChange(at=datetime.now(UTC).isoformat(timespec="milliseconds"), by=author(), why=why),
            git_commit=git_commit(self._root),
            moved=change.moves(base.aliases),
            change=change,
            previous=base.sha256,
        )
        if not self.history.append(entry):
            winner = self.history.newest().entry
            assert winner is not None, "the store holds an entry of this revision"
            made = (
                f"{winner.changed.by} made revision {winner.revision} ({winner.change.action}) of {self.name} meanwhile"
            )
            raise LostRace(f"{made}; nothing of yours was done: look again, then repeat it")
        self.settle()
        return entry

    def has_decided(self, change: ReleaseChange, revision: int) -> bool:
        """Whether the file of a revision holds this change, made here. The registry is not asked: it may not answer."""
        try:
            entry = HistoryEntry.model_validate_json(self.store.read(file_of(revision)))
        except (UserError, OSError, ValidationError):
            return False
        same = entry.change.model_dump_json() == change.model_dump_json()  # as text, because NaN does not equal itself
        return same and entry.changed.by == author()

    def write_manifest(self, entry: HistoryEntry) -> Manifest | None:
        """Write the manifest that belongs to an entry, unless it is there. Returns it; None without a champion."""
        wanted = self.manifest(entry)
        if wanted is not None:
            written: Manifest | None = None
            with contextlib.suppress(places.NotThere, BadManifest):
                written = self.written_manifest()
            if written != wanted:
                self.store.write(MANIFEST, wanted.model_dump_json(indent=2).encode() + b"\n")
        return wanted

    def rewrite_manifest(self) -> None:
        """Write the manifest where it differs from the newest entry, as after a bundle that was lost is made again."""
        newest = self.history.newest()
        if newest.entry is not None and newest.is_settled:
            self.write_manifest(newest.entry)

    def _apply(self, entry: HistoryEntry, state: ReleaseState) -> None:
        """Write everything that differs from the entry. The champion's alias comes first and moves in one write."""
        change = entry.change
        self.history.copy(entry)
        for alias in sorted(change.aliases, key=lambda alias: alias != CHAMPION):
            if state.aliases.get(alias) != change.aliases[alias]:
                self._point(alias, change.aliases[alias])
        for alias in state.aliases.keys() - change.aliases.keys():
            self.client.delete_registered_model_alias(self.name, alias)
        for key, value in change.sets.items():
            self.client.set_model_version_tag(self.name, str(change.version), key, value)
        self.write_manifest(entry)
        stages.follow_aliases(self.client, self.name, entry)
        configs.follow_aliases(self.client, self.name, entry)
        for removal in change.removes:
            retention.remove(removal, self.client, self._root)
            try:
                self.client.delete_model_version(self.name, removal.version)
            except MlflowException as error:
                if error.error_code not in GONE:
                    raise
        self.client.set_registered_model_tag(self.name, APPLIED, str(entry.revision))

    def _point(self, alias: str, version: str) -> None:
        try:
            self.client.set_registered_model_alias(self.name, alias, version)
        except MlflowException as error:
            if error.error_code not in GONE:
                raise
            lost = f"version {version} of {self.name} is no longer in the registry, and '{alias}' points to nothing"
            logger.warning("%s; the training that made it registers it again", lost)

    def ensure_servable(self, change: ReleaseChange, base: ReleaseState) -> None:
        """Raises UserError if a new champion was never packaged, or a file of a new bundle is missing or was changed.

        A champion that somebody has set in the registry itself is adopted as it is; `verify` reports what it lacks.
        """
        if change.action == "adopt":
            return
        new = {to: number for to, number in change.aliases.items() if number != base.aliases.get(to)}
        if CHAMPION in new:
            self.check_bundle(self.packaged(new[CHAMPION]))
        if challenger := self.servable(new.get(CHALLENGER)):
            self.check_bundle(challenger)

    def check_bundle(self, servable: Release) -> None:
        """Raises UserError if a file of a bundle is missing or was changed."""
        files = parse(self._checked(servable, BUNDLE_MANIFEST, servable.sha256), BUNDLE_MANIFEST).files
        for name, expected in files.items():
            self._checked(servable, name, expected)

    def _checked(self, packaged: Release, name: str, expected: str) -> bytes:
        """A file of a bundle. Raises UserError if it is missing or has another sha256."""
        location = places.join(packaged.bundle, name)
        try:
            content = self.store.read(location)
        except places.NotThere:
            said = f"the bundle of version {packaged.version} is gone: there is no {location}; train again"
            raise UserError(said) from None
        if (found := digest(content)) != expected:
            said = f"the bundle of version {packaged.version} was changed: {location} has the sha256 {found}"
            raise UserError(f"{said}, not {expected}; train again, which packages it again")
        return content


def open_releases(name: str, root: Path = ROOT) -> Releases:
    """The releases of a registered model: registry, history and manifest of the active stack.

    Raises:
        UserError: the stack has no MLflow registry, or its artifact store cannot hold releases.
    """
    return Releases(registry_client(), folder_of(Client().active_stack.artifact_store, name), name, root)


def _version(version: str | None) -> str:
    return f"version {version}" if version else "nothing"
