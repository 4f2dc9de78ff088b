"""Fixtures of the tests of the commands."""

from collections.abc import Callable, Iterator

import pytest

from tests.support.registered import Registered
from tests.support.tracking import own_tracking
from tests.support.typed import use

__all__ = ["own_tracking"]


@pytest.fixture
def made(original: tuple[Registered, Callable[[], None]], monkeypatch: pytest.MonkeyPatch) -> Iterator[Registered]:
    """The model that the module's fixture `original` has made: the test's own, and restored after it."""
    made, restore = original
    use(made, monkeypatch)
    yield made
    restore()
