"""Changing what is released: decide by one new entry of the history, then bring everything to what it says."""

import contextlib
import random
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from registry.author import author, git_commit
from registry.history import APPLIED, Change, Entry, History, Move, Newest, Removal
from registry.mlflow_registry import CHALLENGER, CHAMPION
from registry.store import MANIFEST as FILE
from registry.store import Store
from tabular.bundles import manifest as release
from tabular.bundles.bundle import MANIFEST, digest
from tabular.bundles.manifest import Change as Changed
from tabular.bundles.manifest import Manifest, Release
from tabular.errors import UserError
from tabular.storage import places

BUNDLE, BUNDLE_SHA256 = "bundle", "bundle_sha256"
"""Tags of a version: where its bundle lies, and the sha256 of its `bundle.json`."""

COLLISIONS = ("BAD_REQUEST", "TEMPORARILY_UNAVAILABLE")
"""What MLflow's database answers to the second of two who write the same tag, or while it is locked."""
PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds before each further attempt; every write can be repeated."""

Follower = Callable[[Entry], None]
"""Brings something outside of the registry to what an entry says; called again after an interruption."""


class LostRace(Exception):
    """Somebody else changed the release first; the message says who, and what to do."""


class Releases:
    """One registered model: its aliases, its history and its release manifest.

    Args:
        client: of MLflow.
        store: the model's folder in the artifact store.
        name: of the registered model; it must exist.
        root: the repository, for the commit.
        followers: what else follows the release, in this order.
        remove: deletes what a removal names; None where nothing may be deleted.
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
        self.client = client
        self.store = store
        self.name = name
        self.history = History(client, store, name)
        self._root = root
        self._followers = followers
        self._remove = remove

    @property
    def manifest_location(self) -> str:
        """What `STACKHOUSE_MANIFEST` is set to for a service that follows this model."""
        return places.join(self.store.location, FILE)

    def note_bundle(self, version: str, location: str, sha256: str) -> None:
        """Note where a version's bundle lies, which makes it a version that can be released.

        Args:
            version: its number.
            location: of the bundle's folder.
            sha256: of its `bundle.json`.
        """
        self.client.set_model_version_tag(self.name, version, BUNDLE_SHA256, sha256)
        self.client.set_model_version_tag(self.name, version, BUNDLE, location)

    def settle(self) -> Newest:
        """Complete whatever a crash, here or elsewhere, has left undone.

        Whoever has applied an entry looks again: a newer one may have been made meanwhile, and the slower of two who
        wrote the same alias must not have the last word with the older entry.

        Returns:
            The state, with nothing left to do. It was interrupted if the one before differs.

        Raises:
            Broken: the history cannot be read.
        """
        for pause in (*PAUSES, None):
            try:
                return self._settle()
            except MlflowException as error:
                if pause is None or error.error_code not in COLLISIONS:
                    raise
            time.sleep(random.uniform(0.5, 1.0) * pause)
        raise AssertionError("the last attempt returns or raises")

    def _settle(self) -> Newest:
        while True:
            newest = self.history.newest()
            if newest.entry is None or newest.is_settled:
                return newest
            self._apply(newest.entry, newest)

    def change(self, change: Change, why: str, base: Newest) -> Entry:
        """Decide a change and carry it out.

        Args:
            change: what is to become of the model.
            why: for the history.
            base: the settled state that the change was made up from.

        Returns:
            The entry of the history.

        Raises:
            LostRace: the state is no longer `base`.
            UserError: the champion that it names cannot be served.
        """
        self.ensure_servable(change, base)
        moved = [
            Move(alias=alias, before=base.aliases.get(alias), after=change.aliases.get(alias))
            for alias in sorted(base.aliases.keys() | change.aliases.keys())
            if base.aliases.get(alias) != change.aliases.get(alias)
        ]
        entry = Entry(
            revision=base.revision + 1,
            name=self.name,
            changed=Changed(at=datetime.now(UTC).isoformat(timespec="milliseconds"), by=author(), why=why),
            git_commit=git_commit(self._root),
            moved=tuple(moved),
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

    def strays(self, newest: Newest) -> list[str]:
        """In words, the aliases that point elsewhere than the history says: somebody has moved them in the registry."""
        wanted = newest.entry.change.aliases if newest.entry else {}
        return [
            f"the alias '{alias}' points to {_version(newest.aliases.get(alias))} in the registry, "
            f"and to {_version(wanted.get(alias))} in the history"
            for alias in sorted(wanted.keys() | newest.aliases.keys())
            if wanted.get(alias) != newest.aliases.get(alias)
        ]

    def manifest(self, entry: Entry) -> Manifest | None:
        """What the manifest has to be at an entry; None without a champion that can be served."""
        aliases = entry.change.aliases
        champion = self._release(aliases.get(CHAMPION))
        if champion is None:
            return None
        challenger = self._release(aliases.get(CHALLENGER))
        return Manifest(
            revision=entry.revision,
            name=self.name,
            champion=champion,
            challenger=challenger,
            traffic=entry.change.traffic if challenger else release.Traffic(),
            changed=entry.changed,
        )

    def written_manifest(self) -> Manifest:
        """The manifest as it lies there. Raises places.NotThere without one, BadManifest for another file."""
        return release.parse(self.store.read(FILE), self.manifest_location)

    def write_manifest(self, entry: Entry) -> Manifest | None:
        """Make the manifest what it has to be, unless it is already."""
        wanted = self.manifest(entry)
        if wanted is not None:
            written: Manifest | None = None
            with contextlib.suppress(places.NotThere, release.BadManifest):
                written = self.written_manifest()
            if written != wanted:
                self.store.write(FILE, wanted.model_dump_json(indent=2).encode() + b"\n")
        return wanted

    def _apply(self, entry: Entry, state: Newest) -> None:
        """Write what differs from the entry, the champion's alias first: it moves in one write, from one to another."""
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
            follow(entry)
        for removal in change.removes:
            self._delete(removal)
        self.client.set_registered_model_tag(self.name, APPLIED, str(entry.revision))

    def _delete(self, removal: Removal) -> None:
        assert self._remove is not None, "whoever plans a removal says how to carry it out"
        self._remove(removal)
        with _unless_gone():
            self.client.delete_model_version(self.name, removal.version)

    def _release(self, version: str | None) -> Release | None:
        tags = self._found(version).tags if version else {}
        if BUNDLE not in tags:
            return None
        return Release(version=str(version), bundle=tags[BUNDLE], sha256=tags[BUNDLE_SHA256])

    def _found(self, version: str) -> ModelVersion:
        return self.client.get_model_version(self.name, version)

    def ensure_servable(self, change: Change, base: Newest) -> None:
        """Raises UserError where the new champion was never packaged, or its bundle is gone or was changed.

        One that somebody has made champion in the registry itself is adopted as it is; `verify` says what it lacks.
        """
        version = change.aliases.get(CHAMPION)
        if version is None or version == base.aliases.get(CHAMPION) or change.action == "adopt":
            return
        servable = self._release(version)
        if servable is None:
            raise UserError(f"version {version} of {self.name} was never packaged: train again, which packages it")
        location = places.join(servable.bundle, MANIFEST)
        try:
            found = digest(self.store.read(location))
        except places.NotThere:
            raise UserError(f"the bundle of version {version} is gone: there is no {location}; train again") from None
        if found != servable.sha256:
            raise UserError(f"the bundle of version {version} was changed: {location} has the sha256 {found}")


def _version(version: str | None) -> str:
    return f"version {version}" if version else "nothing"


@contextlib.contextmanager
def _unless_gone() -> Iterator[None]:
    try:
        yield
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
