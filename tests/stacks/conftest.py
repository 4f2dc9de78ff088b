"""A new ZenML configuration for each test, in this process."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from zenml.client import Client

from stacks import files
from tests.support.project import ROOT
from tests.support.zenml_configurations import configuration, forget


@pytest.fixture(scope="session")
def new_configuration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that ZenML makes at its first start. Tests copy them, because making them takes seconds."""
    folder = tmp_path_factory.mktemp("new") / "zenml"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZENML_CONFIG_PATH", str(folder))
        patch.delenv("ZENML_REPOSITORY_PATH", raising=False)
        forget()
        assert Client().active_stack_model.name == "default"
    forget()
    return folder


@pytest.fixture
def repository(new_configuration: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that ZenML has never seen, and a configuration in which nothing is registered."""
    configuration(new_configuration, tmp_path / "zenml")
    folder = tmp_path / "repository"
    folder.mkdir()
    monkeypatch.setenv("ZENML_CONFIG_PATH", str(tmp_path / "zenml"))
    monkeypatch.delenv("ZENML_REPOSITORY_PATH", raising=False)
    monkeypatch.chdir(folder)
    forget()
    yield folder
    forget()


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without any variable that the project's stacks mention."""
    for name in files.names(ROOT):
        for variable, _ in files.references(files.read(ROOT, name)):
            monkeypatch.delenv(variable, raising=False)
    for variable in ("GOOGLE_APPLICATION_CREDENTIALS", "KUBECONFIG", "WANDB_MODE"):
        monkeypatch.delenv(variable, raising=False)
    assert not set(os.environ) & {"WANDB_API_KEY", "STACKHOUSE_BUCKET"}
