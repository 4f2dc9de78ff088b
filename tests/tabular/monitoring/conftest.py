"""What the tests of monitoring share."""

import pytest

from tests.tabular.monitoring import watched as made
from tests.tabular.monitoring.watched import Watched


@pytest.fixture(scope="session")
def watched() -> Watched:
    """A model of two columns; nobody changes it."""
    return made.model()
