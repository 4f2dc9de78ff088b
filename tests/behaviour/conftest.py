"""The models that are questioned: of each shipped configuration, from its real table and from the built-in sample.

The real tables do not belong to the repository; without them the models of the samples are still questioned.
"""

from pathlib import Path

import pytest

from tests.support.learned import Learned, learned

FILES = {"train.yaml": "housing.csv", "obesity.yaml": "obesity.csv", "boston.yaml": "boston.csv"}
"""The real table of each configuration."""


def table(request: pytest.FixtureRequest, config: str, kind: str) -> Path | None:
    """The path of the real table, or None for the sample; skips where the real one is not at hand."""
    return None if kind == "sample" else Path(request.getfixturevalue("data_dir")) / FILES[config]


@pytest.fixture(scope="session", params=["real", "sample"])
def california(request: pytest.FixtureRequest) -> Learned:
    """House values of Californian districts, in dollars."""
    return learned("train.yaml", table(request, "train.yaml", request.param))


@pytest.fixture(scope="session", params=["real", "sample"])
def obesity(request: pytest.FixtureRequest) -> Learned:
    """Levels of obesity."""
    return learned("obesity.yaml", table(request, "obesity.yaml", request.param))


@pytest.fixture(scope="session", params=["real", "sample"])
def boston(request: pytest.FixtureRequest) -> Learned:
    """Values of homes in Boston, in thousands of dollars."""
    return learned("boston.yaml", table(request, "boston.yaml", request.param))


@pytest.fixture(scope="session", params=[f"{config}-{kind}" for config in FILES for kind in ("real", "sample")])
def anything(request: pytest.FixtureRequest) -> Learned:
    """Each of the models in turn."""
    config, _, kind = request.param.rpartition("-")
    return learned(config, table(request, config, kind))


@pytest.fixture(scope="session", params=[f"{config}-{kind}" for config in FILES for kind in ("real", "sample")])
def nothing(request: pytest.FixtureRequest) -> tuple[str, Learned]:
    """Each configuration with a model that was trained on a shuffled target: there was nothing to learn."""
    config, _, kind = request.param.rpartition("-")
    return config, learned(config, table(request, config, kind), shuffled=True)
