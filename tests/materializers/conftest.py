"""A real artifact store in a temporary folder."""

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from zenml.artifact_stores import LocalArtifactStore, LocalArtifactStoreConfig
from zenml.enums import StackComponentType

from materializers.files import FileMaterializer

Kind = TypeVar("Kind", bound=FileMaterializer)


@pytest.fixture
def store(tmp_path: Path) -> LocalArtifactStore:
    now = datetime.datetime.now(datetime.UTC)
    return LocalArtifactStore(
        name="store",
        id=uuid4(),
        config=LocalArtifactStoreConfig(path=str(tmp_path)),
        flavor="local",
        type=StackComponentType.ARTIFACT_STORE,
        user=uuid4(),
        created=now,
        updated=now,
    )


@pytest.fixture
def at(store: LocalArtifactStore, tmp_path: Path) -> Callable[..., Any]:
    """Makes a materializer for the artifact with a name; a second one for the same name reads what the first wrote."""

    def make(kind: type[Kind], name: str = "artifact") -> Kind:
        (tmp_path / name).mkdir(exist_ok=True)
        return kind(uri=str(tmp_path / name), artifact_store=store)

    return make
