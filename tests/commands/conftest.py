"""Fixtures of the tests of the commands."""

from tests.support.tracking import own_tracking

__all__ = ["own_tracking"]
