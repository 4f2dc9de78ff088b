"""A registered model whose versions can be released: a real MLflow registry in SQLite, real bundles, no training."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import mlflow
from mlflow import MlflowClient

from registry import configs, plans
from registry.history import ReleaseState
from registry.releases import Releases
from registry.store import LocalStore
from tabular.learning.model_config import Runs
from tests.support.bundles import NAME, make_bundle
from tests.support.compared import config


@dataclass(frozen=True)
class Shop:
    """A registry with its store, all in one folder, so that a copy of it is another registry in the same state."""

    folder: Path

    @property
    def uri(self) -> str:
        return f"sqlite:///{self.folder}/mlflow.db"

    @property
    def client(self) -> MlflowClient:
        # The artifact repository of a run is found by MLflow's own setting.
        mlflow.set_tracking_uri(self.uri)
        return MlflowClient(self.uri, self.uri)

    @property
    def releases(self) -> Releases:
        return Releases(self.client, LocalStore(self.folder / "releases"), NAME, self.folder)

    def state(self) -> tuple[dict[str, str], str, int]:
        """The aliases, the champion of the manifest, and the number of entries."""
        releases = self.releases
        return releases.history.newest().aliases, releases.written_manifest().champion.version, len(self.entries())

    def entries(self) -> list[str]:
        """The champion after each entry of the history, whose chain of hashes is checked."""
        return [entry.change.aliases.get("champion", "") for entry in self.releases.history.read()]


def open_shop(folder: Path, versions: int = 3) -> Shop:
    """Make a registry with packaged versions of one model, none of which has an alias."""
    folder.mkdir(parents=True, exist_ok=True)
    shop = Shop(folder)
    client = shop.client
    client.create_registered_model(NAME)
    experiment = client.create_experiment("training", artifact_location=str(folder / "runs"))
    for number in range(1, versions + 1):
        add_version(shop, client, experiment, str(number))
    return shop


def add_version(shop: Shop, client: MlflowClient, experiment: str, number: str) -> None:
    """Add a version, with everything that the steps `register` and `package` write."""
    run = client.create_run(experiment).info
    tags = {"metric.wmape": f"{20 - int(number)}.5", "held_out_sha256": "d" * 64, "data_source": "path"}
    version = client.create_model_version(NAME, str(shop.folder / "models" / number), run.run_id, tags)
    assert str(version.version) == number
    bundle = shop.folder / "bundles" / number
    shop.releases.note_bundle(number, str(bundle), make_bundle(bundle, number))
    runs = Runs(zenml="training", mlflow=run.run_id)
    configs.write(client, version, config(name=NAME, version=number, aliases=(), runs=runs))


def copied(shop: Shop, folder: Path) -> Shop:
    """A copy of the shop in another folder; bundles and runs are shared."""
    folder.mkdir(parents=True)
    shutil.copy(shop.folder / "mlflow.db", folder)
    for name in ("releases",):
        if (shop.folder / name).is_dir():
            shutil.copytree(shop.folder / name, folder / name)
    return Shop(folder)


def promote(shop: Shop, version: str, to: str = "champion", why: str = "it is better") -> None:
    """Give a version an alias, without asking the gate."""
    releases = shop.releases
    base = releases.settle()
    plan = plans.promote(base, version, to, None, None, force=False)
    assert plan is not None
    releases.change(plan, why, base)


def roll_back(shop: Shop, to: str | None = None) -> None:
    """Roll back to an earlier champion."""
    releases = shop.releases
    base = releases.settle()
    releases.change(plans.rollback(base, releases.history.read(), to), "it was better", base)


def settled(releases: Releases) -> ReleaseState:
    """The state; it fails where a change is not carried out completely."""
    newest = releases.history.newest()
    assert newest.is_settled and not releases.strays(newest)
    return newest
