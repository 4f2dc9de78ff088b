"""A training on a small table, step by step."""

from typing import Any

import pytest

from tests.support.way import from_table_to_decision


@pytest.fixture(scope="session")
def way(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The artifacts from the table to the decision of the gate; no test changes them."""
    return from_table_to_decision(tmp_path_factory.mktemp("way"))
