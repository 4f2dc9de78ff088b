"""A registry made once: MLflow's own tables take seconds to make."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import mlflow
import pytest

from tests.support.released import Shop, copied, open_shop

SESSIONS_OWN = os.environ["MLFLOW_TRACKING_URI"]
"""What `tests/conftest.py` has set, read before any test has run."""


@pytest.fixture(autouse=True)
def own_tracking() -> Iterator[None]:
    """MLflow keeps its setting for the life of a process: it is put back for the tests that come after."""
    yield
    mlflow.set_tracking_uri(SESSIONS_OWN)


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop that no test changes."""
    return open_shop(tmp_path_factory.mktemp("registry") / "shop")


@pytest.fixture
def shop(original: Shop, tmp_path: Path) -> Shop:
    """Three packaged versions without aliases, the test's own."""
    return copied(original, tmp_path / "shop")


@pytest.fixture
def another(tmp_path: Path) -> Callable[[Shop, str], Shop]:
    """Copies a shop in the state that it is in."""
    return lambda shop, name: copied(shop, tmp_path / name)
