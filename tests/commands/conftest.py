"""What the tests of the commands share."""

from tests.registry.conftest import own_tracking

__all__ = ["own_tracking"]
