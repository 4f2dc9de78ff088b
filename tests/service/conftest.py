"""Live models, and the store that they follow."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.live import LiveModel
from tests.support.bundles import NewModel, make_bundle, manifest_of, named, write_manifest


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Where the release manifest goes."""
    return tmp_path / "store" / "release.json"


@pytest.fixture
def publish(manifest: Path) -> Callable[..., str]:
    """Makes a bundle of a version and names it champion; a model of version 3 answers 3."""

    def publish(version: str, revision: int, **options: object) -> str:
        folder = manifest.parent / f"bundle-{revision}"
        sha256 = make_bundle(folder, version, float(version), **options)  # type: ignore[arg-type]
        write_manifest(str(manifest), manifest_of(named(version, folder, sha256), revision))
        return sha256

    return publish


@pytest.fixture
def new_model(tmp_path: Path, manifest: Path) -> Iterator[NewModel]:
    """Makes live models that are stopped at the end; `poll_seconds` so long that only `reload` looks."""
    made: list[LiveModel] = []

    def new(location: str | None = str(manifest), poll_seconds: float = 3600.0, **options: Path) -> LiveModel:
        model = LiveModel(location, options.get("bento"), options.get("cache", tmp_path / "cache"), poll_seconds)
        made.append(model)
        model.start()
        return model

    yield new
    for model in made:
        model.stop()
