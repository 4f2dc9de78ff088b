"""Whether an artifact can still be read is found without reading it."""

from pathlib import Path

import pytest
from zenml.artifact_stores import LocalArtifactStore

from materializers.bundle import FOLDER, BundleMaterializer
from materializers.estimator import EstimatorMaterializer
from tests.support.bundles import make_bundle


@pytest.mark.parametrize("name", ["bundle.json", "predictor.json", "predictor.npz"])
def test_a_bundle_is_there_while_each_of_its_files_is(tmp_path: Path, store: LocalArtifactStore, name: str) -> None:
    # given
    make_bundle(tmp_path / FOLDER)
    materializer = BundleMaterializer(uri=str(tmp_path), artifact_store=store)
    assert materializer.is_there()
    # when
    (tmp_path / FOLDER / name).unlink()
    # then
    assert not materializer.is_there()


def test_a_file_beside_the_one_that_is_read_does_not_count(tmp_path: Path, store: LocalArtifactStore) -> None:
    # given
    materializer = EstimatorMaterializer(uri=str(tmp_path), artifact_store=store)
    (tmp_path / "model.png").touch()
    assert not materializer.is_there()
    # when
    (tmp_path / EstimatorMaterializer.FILE).touch()
    # then
    assert materializer.is_there()
