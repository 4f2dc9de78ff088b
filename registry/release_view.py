"""Reading what is released: the aliases, the history and the release manifest of one registered model."""

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from registry.history import History, HistoryEntry, ReleaseState
from registry.labels import BUNDLE, BUNDLE_SHA256, CHALLENGER, CHAMPION
from registry.mlflow_registry import version_named
from registry.store import MANIFEST, Store
from tabular.bundles import manifest as release
from tabular.bundles.manifest import Manifest, Release
from tabular.errors import UserError
from tabular.storage import places


class ReleaseView:
    """One registered model for those who only read; `Releases` adds what writes.

    Args:
        client: the MLflow client.
        store: the model's folder in the artifact store.
        name: name of the registered model; it must exist.
    """

    def __init__(self, client: MlflowClient, store: Store, name: str) -> None:
        self.client = client
        self.store = store
        self.name = name
        self.history = History(client, store, name)

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
            traffic=entry.change.traffic if challenger else release.TrafficSplit(),
            changed=entry.changed,
        )

    def written_manifest(self) -> Manifest:
        """The manifest in the store. Raises places.NotThere without one, BadManifest where it is not a manifest."""
        return release.parse(self.store.read(MANIFEST), self.manifest_location)

    def servable(self, version: str | None) -> Release | None:
        """Where a version's bundle lies; None without a version, and for one that was never packaged."""
        tags = self.client.get_model_version(self.name, version).tags if version else {}
        if BUNDLE not in tags or BUNDLE_SHA256 not in tags:
            return None
        return Release(version=str(version), bundle=tags[BUNDLE], sha256=tags[BUNDLE_SHA256])

    def packaged(self, version: str) -> Release:
        """Where a version's bundle lies. Raises UserError for a version that was never packaged."""
        found = self.servable(version)
        if found is None:
            raise UserError(f"version {version} of {self.name} was never packaged: train again, which packages it")
        return found


def _version(version: str | None) -> str:
    return f"version {version}" if version else "nothing"
