"""A registered model as training leaves it, in a second: a registry in SQLite, logged models, bundles."""

import contextlib
import functools
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from registry import configs
from registry.releases import Releases
from registry.store import LocalStore
from tabular.learning.model_config import Data, Runs
from tabular.reports.training import Interval
from tests.support.bundles import NAME, make_bundle
from tests.support.compared import config
from tests.support.released import Shop

WMAPE = 20.5
"""Metric of version 1; each further version is better by 1."""
HELD_OUT = "d" * 64


@dataclass(frozen=True)
class Registered(Shop):
    """A shop whose versions can also be deleted."""

    name: str = NAME

    @property
    def releases(self) -> Releases:
        return Releases(self.client, LocalStore(self.folder / "releases"), self.name, self.folder)

    @property
    def numbers(self) -> list[str]:
        """Numbers of the versions, the oldest first."""
        found = self.client.search_model_versions(f"name = '{self.name}'")
        return [str(number) for number in sorted(int(version.version) for version in found)]

    def tags(self, number: str) -> dict[str, str]:
        """Tags of a version."""
        return dict(self.client.get_model_version(self.name, number).tags)

    def aliases(self) -> dict[str, str]:
        """The aliases, as the registry has them."""
        return {alias: str(to) for alias, to in self.client.get_registered_model(self.name).aliases.items()}

    def champion(self, number: str) -> None:
        """Make a version champion, as the pipeline does."""
        from registry import plans

        plan = plans.promote(self.releases.settle(), number, "champion", None, None, force=False)
        assert plan is not None
        self.releases.change(plan, f"version {number} is good", self.releases.settle())


def registered(folder: Path, versions: int = 3, name: str = NAME) -> Registered:
    """Make a registered model with packaged versions 1, 2, ..., none of which has an alias.

    Each has a logged model, a run with its `model_config.yaml`, a bundle and the tags of
    `steps/training/register.py`, but for that of the ZenML run, because there is none.

    Args:
        folder: made by this.
        versions: how many.
        name: of the registered model.
    """
    folder.mkdir(parents=True)
    shutil.copy(_empty(), folder / "mlflow.db")
    made = Registered(folder, name)
    made.client.create_registered_model(name)
    made.client.create_experiment("training", artifact_location=str(folder / "runs"))
    for number in range(1, versions + 1):
        add(made, wmape=WMAPE + 1 - number)
    return made


def keep(made: Registered) -> Callable[[], None]:
    """Remember the state of a model; the returned function restores it.

    A test that changes a model and brings it back is several times quicker than one with a database of its own, for
    which every statement is compiled anew.
    """
    saved = made.folder.with_name(f"{made.folder.name}-kept")
    shutil.copytree(made.folder, saved)

    def restore() -> None:
        for path in made.folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
        for path in saved.iterdir():
            if path.is_dir():
                shutil.copytree(path, made.folder / path.name)
        with (
            contextlib.closing(sqlite3.connect(saved / "mlflow.db")) as before,
            contextlib.closing(sqlite3.connect(made.folder / "mlflow.db")) as now,
        ):
            before.backup(now)  # in one transaction, because MLflow has it open

    return restore


def add(made: Registered, wmape: float = WMAPE, held_out: str = HELD_OUT, **tags: str) -> ModelVersion:
    """Add a version, with everything that the steps `register` and `package` write.

    Args:
        made: the model.
        wmape: of the version.
        held_out: the sha256 of the rows that it was scored on.
        tags: further ones.
    """
    client = made.client
    experiment = client.get_experiment_by_name("training")
    assert experiment is not None
    number = str(max([0, *map(int, made.numbers)]) + 1)
    run = client.create_run(experiment.experiment_id).info
    model = client.create_logged_model(experiment.experiment_id, "model", run.run_id)
    files = Path(model.artifact_location)
    files.mkdir(parents=True)
    (files / "MLmodel").write_text(f"model {number}\n")
    client.finalize_logged_model(model.model_id, "READY")
    given = {
        "model_sha256": f"{int(number):064x}",
        "data_sha256": "a" * 64,
        "held_out_sha256": held_out,
        "metric.wmape": f"{wmape:.6g}",
        "metric.r2": f"{1 - wmape / 100:.6g}",
        "algorithm": "lightgbm",
        "target_transform": "log",
        "task": "regression",
        "data_source": "path",
        "git_commit": "unknown",
        "gate": "keep",
    }
    version = client.create_model_version(made.name, model.model_uri, run.run_id, given | tags)
    bundle = made.folder / "bundles" / number
    made.releases.note_bundle(number, str(bundle), make_bundle(bundle, number, name=made.name))
    cached = made.folder / ".cache" / "bundles" / f"{made.name}-{number}"
    shutil.copytree(bundle, cached)
    configs.write(client, version, _config(made.name, number, run.run_id, wmape, held_out))
    return version


def _config(name: str, number: str, run: str, wmape: float, held_out: str) -> Any:
    data = Data.model_validate(config().data.model_dump() | {"held_out_sha256": held_out})
    metrics = {
        "r2": Interval(value=1 - wmape / 100, low=0.7, high=0.9),
        "wmape": Interval(value=wmape, low=wmape - 1, high=wmape + 1),
    }
    runs = Runs(zenml=f"training-{number}", mlflow=run)
    parameters = {**config().parameters, "num_leaves": 30 + int(number)}
    return config(
        name=name,
        version=number,
        aliases=(),
        metrics=metrics,
        data=data,
        runs=runs,
        parameters=parameters,
        model_sha256=f"{int(number):064x}",
    )


@functools.cache
def _empty() -> Path:
    """A database with MLflow's empty tables, made once in a process, because making it takes seconds."""
    folder = Path(tempfile.mkdtemp(prefix="stackhouse-registry-"))
    client = MlflowClient(f"sqlite:///{folder}/mlflow.db", f"sqlite:///{folder}/mlflow.db")
    client.search_experiments()
    client.search_registered_models()
    return folder / "mlflow.db"
