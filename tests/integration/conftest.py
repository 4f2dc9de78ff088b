"""A training run that several test files look at, made once in each worker."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tabular.table.sample import SampleSpec, make_sample
from tests.support.project import ROOT
from tests.support.runs import QUICK, Clones, Repository, Trained, overrides


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV of 1,500 rows with the columns and the irregularities of the real table."""
    spec = SampleSpec.model_validate(yaml.safe_load((ROOT / "configs" / "samples" / "california.yaml").read_text()))
    rows: pd.DataFrame = make_sample(spec, seed=7).sample(1500, random_state=1)
    file = tmp_path_factory.mktemp("data") / "homes.csv"
    rows.to_csv(file, index=False)
    return file


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, table: Path) -> Iterator[Trained]:
    """The main job in a repository that was never initialised.

    Later commands of other tests use its stores. None may change what this one left: they register models under other
    names, or look only at their own run.
    """
    project = Repository.copy(tmp_path_factory.mktemp("trained"))
    command = ["--config", "configs/train.yaml", *overrides(f"data.path={table}", *QUICK)]
    finished = project.run(*command)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    summary = project.summary()
    _, aliases = project.registered(summary["model"]["name"])
    yield Trained(project, command, finished, summary, aliases)
    project.stop()


@pytest.fixture(scope="session")
def clones(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Clones:
    """The main job once more in a second clone, and then in the first one again."""
    path = tmp_path_factory.mktemp("second") / "project"
    shutil.copytree(trained.project.path, path, ignore=_is_left_by_runs)
    second = Repository(path, trained.project.home)
    name = trained.summary["model"]["name"]
    before = trained.project.registered(name)
    summaries = {"second": second.train(*trained.command), "first": trained.project.train(*trained.command)}
    return Clones(**summaries, registered_before=before, registered_after=trained.project.registered(name))


def _is_left_by_runs(folder: str, names: list[str]) -> set[str]:
    """The files at the top of a copy that its runs have written; `tabular/reports` is a room."""
    return {".zen", ".cache", "reports"} & {*names} if ".zen" in names else set()
