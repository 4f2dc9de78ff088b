"""Fixtures of the tests of the commands."""

from tests.registry.conftest import own_tracking

__all__ = ["own_tracking"]
