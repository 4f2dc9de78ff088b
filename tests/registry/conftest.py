"""A registry made once: MLflow's own tables take seconds to make."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.released import Shop, copied, open_shop
from tests.support.tracking import own_tracking

__all__ = ["another", "original", "own_tracking", "shop"]


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
