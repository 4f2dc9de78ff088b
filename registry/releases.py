"""Changing what is released: decide by one new entry of the history, then bring everything to what it says."""

import contextlib
import random
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from registry.author import author, git_commit
from registry.history import APPLIED, HistoryEntry, ReleaseChange, ReleaseState, Removal
from registry.labels import BUNDLE, BUNDLE_SHA256, CHAMPION
from registry.release_view import ReleaseView
from registry.store import MANIFEST, Store
from tabular.bundles.bundle import MANIFEST as BUNDLE_MANIFEST
from tabular.bundles.bundle import digest
from tabular.bundles.manifest import BadManifest, Manifest, ManifestChange
from tabular.errors import UserError
from tabular.storage import places

COLLISIONS = ("BAD_REQUEST", "TEMPORARILY_UNAVAILABLE")
"""Error codes of MLflow's database for the second of two writers of one tag, and while it is locked."""
PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds to wait before each further attempt; every write can be repeated."""

Follower = Callable[[MlflowClient, str, HistoryEntry], None]
"""Brings something else to what an entry of the named model says; it is called again after an interruption."""


class LostRace(Exception):
    """Somebody else changed the release first. The message says who it was, and what to do."""


class Releases(ReleaseView):
    """One registered model: its aliases, its history and its release manifest.

    Args:
        client: the MLflow client.
        store: the model's folder in the artifact store.
        name: name of the registered model; it must exist.
        root: folder of the repository, for the commit.
        followers: called in this order with each entry that is carried out.
        remove: deletes everything that a removal names; None where nothing may be deleted.
    """

    def __init__(
        self,
        client: MlflowClient,
        store: Store,
        name: str,
        root: Path,
        followers: Sequence[Follower] = (),
        remove: Callable[[Removal], None] | None = None,
    ) -> None:
        super().__init__(client, store, name)
        self._root = root
        self._followers = followers
        self._remove = remove

    def note_bundle(self, version: str, location: str, sha256: str) -> None:
        """Record where a version's bundle lies; from now on the version can be released.

        Args:
            version: number of the version.
            location: location of the bundle's folder.
            sha256: sha256 of its `bundle.json`.
        """
        self.client.set_model_version_tag(self.name, version, BUNDLE_SHA256, sha256)
        self.client.set_model_version_tag(self.name, version, BUNDLE, location)

    def settle(self) -> ReleaseState:
        """Complete a change that a crash, here or elsewhere, has left unfinished.

        After an entry is applied, the history is read again: a newer entry may have been added meanwhile, and the
        slower of two processes that wrote the same alias must not leave the alias of the older entry.

        Returns:
            The state with nothing left to do.

        Raises:
            BrokenHistory: the history cannot be read.
        """
        for pause in (*PAUSES, None):
            try:
                return self._settle()
            except MlflowException as error:
                if pause is None or error.error_code not in COLLISIONS:
                    raise
            time.sleep(random.uniform(0.5, 1.0) * pause)
        raise AssertionError("the last attempt returns or raises")

    def _settle(self) -> ReleaseState:
        while True:
            newest = self.history.newest()
            if newest.entry is None or newest.is_settled:
                return newest
            self._apply(newest.entry, newest)

    def change(self, change: ReleaseChange, why: str, base: ReleaseState) -> HistoryEntry:
        """Decide a change and carry it out.

        Args:
            change: the new state of the model.
            why: reason for the history.
            base: the settled state that the change was planned for.

        Returns:
            The entry of the history.

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
            previous=digest(base.entry.content()) if base.entry else "",
        )
        if not self.history.append(entry):
            winner = self.history.newest().entry
            who = (
                f"{winner.changed.by} made revision {winner.revision} ({winner.change.action})"
                if winner
                else "somebody"
            )
            raise LostRace(f"{who} of {self.name} meanwhile; nothing of yours was done: look again, then repeat it")
        self.settle()
        return entry

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

    def _apply(self, entry: HistoryEntry, state: ReleaseState) -> None:
        """Write everything that differs from the entry. The champion's alias comes first and moves in one write."""
        change = entry.change
        self.history.copy(entry)
        for alias in sorted(change.aliases, key=lambda alias: alias != CHAMPION):
            if state.aliases.get(alias) != change.aliases[alias]:
                self.client.set_registered_model_alias(self.name, alias, change.aliases[alias])
        for alias in state.aliases.keys() - change.aliases.keys():
            self.client.delete_registered_model_alias(self.name, alias)
        for key, value in change.sets.items():
            self.client.set_model_version_tag(self.name, str(change.version), key, value)
        self.write_manifest(entry)
        for follow in self._followers:
            follow(self.client, self.name, entry)
        for removal in change.removes:
            self._delete(removal)
        self.client.set_registered_model_tag(self.name, APPLIED, str(entry.revision))

    def _delete(self, removal: Removal) -> None:
        assert self._remove is not None, "releases that plan a removal are opened with `remove`"
        self._remove(removal)
        with _unless_gone():
            self.client.delete_model_version(self.name, removal.version)

    def ensure_servable(self, change: ReleaseChange, base: ReleaseState) -> None:
        """Raises UserError if the new champion was never packaged, or if its bundle is missing or was changed.

        A champion that somebody has set in the registry itself is adopted as it is; `verify` reports what it lacks.
        """
        version = change.aliases.get(CHAMPION)
        if version is None or version == base.aliases.get(CHAMPION) or change.action == "adopt":
            return
        servable = self.packaged(version)
        location = places.join(servable.bundle, BUNDLE_MANIFEST)
        try:
            found = digest(self.store.read(location))
        except places.NotThere:
            raise UserError(f"the bundle of version {version} is gone: there is no {location}; train again") from None
        if found != servable.sha256:
            raise UserError(f"the bundle of version {version} was changed: {location} has the sha256 {found}")


@contextlib.contextmanager
def _unless_gone() -> Iterator[None]:
    try:
        yield
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
