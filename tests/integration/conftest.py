"""The runs that several test files look at, each made once."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tabular.sample import SampleSpec, make_sample
from tests.integration.runs import QUICK, ROOT, Trained, make_project, overrides


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,500 rows with the columns and troubles of the real table."""
    spec = SampleSpec.model_validate(yaml.safe_load((ROOT / "configs" / "samples" / "california.yaml").read_text()))
    rows: pd.DataFrame = make_sample(spec, seed=7).sample(1500, random_state=1)
    file = tmp_path_factory.mktemp("data") / "homes.csv"
    rows.to_csv(file, index=False)
    return file


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, table: Path) -> Trained:
    """The main job in a repository that was never initialised; later commands of other tests use the same store."""
    project = make_project(tmp_path_factory.mktemp("trained"))
    command = ["--config", "configs/train.yaml", *overrides(f"data.path={table}", *QUICK)]
    finished = project.run(*command)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    summary = project.summary()
    aliases = project.registry().get_registered_model(summary["model"]["name"]).aliases
    return Trained(project, command, finished, summary, {name: str(version) for name, version in aliases.items()})


@pytest.fixture(scope="session")
def versions(trained: Trained) -> Callable[..., int]:
    """Counts the versions of a registered model."""

    def count(name: str = "california-housing") -> int:
        return len(trained.project.registry().search_model_versions(f"name = '{name}'"))

    return count
