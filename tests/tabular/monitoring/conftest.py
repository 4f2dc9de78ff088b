"""What the tests of monitoring share."""

import pytest

from tests.support import watched as made
from tests.support.watched import Watched


@pytest.fixture(scope="session")
def watched() -> Watched:
    """A model of two columns; nobody changes it."""
    return made.model()
