"""Isolation of the whole session, and the fixtures that the rooms share.

ZenML, BentoML, MLflow and W&B read the environment when they are first imported, and pytest loads this file before any
test. So every variable that could lead them to a person's own stacks, servers and models is removed from the
environment here, and they are given a temporary folder instead.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tabular.table.sample import SampleSpec, make_sample
from tests.support.project import ROOT, Project, isolate

SESSION = tempfile.TemporaryDirectory(prefix="stackhouse-tests-", ignore_cleanup_errors=True)
isolate(os.environ, Path(SESSION.name))
os.environ |= {
    # Without it ZenML finds this clone's own `.zen` and overwrites the stack that its user has set there.
    "ZENML_REPOSITORY_PATH": SESSION.name,
    "ZENML_CUSTOM_SOURCE_ROOT": str(ROOT),
    "MLFLOW_TRACKING_URI": f"sqlite:///{SESSION.name}/mlflow.db",
}


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real tables, named by STACKHOUSE_DATA_DIR or beside the repository; skips where there is none."""
    named = os.environ.get("STACKHOUSE_DATA_DIR")
    folder = Path(named or ROOT.parent / "shared" / "data").resolve()
    if not folder.is_dir():
        if named:
            pytest.fail(f"STACKHOUSE_DATA_DIR: there is no folder {folder}")
        pytest.skip(f"no real tables: there is no {folder}, and STACKHOUSE_DATA_DIR is not set")
    return folder


@pytest.fixture
def sample_rows() -> pd.DataFrame:
    """1,500 rows of the built-in sample, always the same; the table is the test's own, to change as it likes.

    Eight float64 columns, one of them with 1 % holes, the float64 target and a column of text.
    """
    spec = yaml.safe_load((ROOT / "configs" / "samples" / "california.yaml").read_text())
    return make_sample(SampleSpec.model_validate(spec | {"rows": 1500}), seed=42)


@pytest.fixture(scope="session")
def new_project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Project]]:
    """Makes copies of the repository, each with stores of its own.

    For a fixture of wider scope, such as one run that several tests of a module look at:

        @pytest.fixture(scope="module")
        def trained(new_project: Callable[[], Project]) -> Project:
            project = new_project()
            assert project.run("--set", "search.trials=2").returncode == 0
            return project
    """
    made: list[Project] = []

    def make() -> Project:
        made.append(Project.copy(tmp_path_factory.mktemp("copy")))
        return made[-1]

    yield make
    for project in made:
        project.stop()


@pytest.fixture
def project(new_project: Callable[[], Project]) -> Iterator[Project]:
    """A copy of the repository that is this test's own, in which nothing has run yet."""
    copy = new_project()
    yield copy
    copy.stop()
