"""A fixture that gives MLflow its address back."""

import os
from collections.abc import Iterator

import mlflow
import pytest

SESSIONS_OWN = os.environ["MLFLOW_TRACKING_URI"]
"""The address that `tests/conftest.py` has set, read before any test has run."""


@pytest.fixture(autouse=True)
def own_tracking() -> Iterator[None]:
    """Restore MLflow's address after a test, because MLflow keeps it for the life of a process."""
    yield
    mlflow.set_tracking_uri(SESSIONS_OWN)
