"""Loading registered models that another version of the project has stored."""

import re
import zipfile
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient

from registry import mlflow_registry
from tabular.errors import UserError
from tabular.storage.persistence import TRUSTED_TYPES
from tests.support.fitted import fitted, table
from tests.support.released import Shop


def test_a_model_of_another_layout_is_refused_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given: a registered model whose file names a module that this version does not have
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    client = MlflowClient()
    experiment = client.create_experiment("training", artifact_location=str(tmp_path / "runs"))
    with mlflow.start_run(experiment_id=experiment):
        logged = mlflow.sklearn.log_model(
            fitted(table(), "linear"),
            name="model",
            serialization_format="skops",
            skops_trusted_types=TRUSTED_TYPES,
            pip_requirements=[],
        )
    version = mlflow.register_model(logged.model_uri, "flats")
    [file] = tmp_path.rglob("*.skops")
    _rename(file, "tabular.learning.", "tabular.")
    monkeypatch.setattr(mlflow_registry, "registry_client", MlflowClient)

    # when / then
    with pytest.raises(
        UserError, match=r"^version 1 of flats was stored by another version .*use one that was trained since$"
    ):
        mlflow_registry.load(version)


@pytest.mark.parametrize("name", ["it's", 'a "b"', "both ' and \"", "a\\", "100%"])
def test_versions_that_another_program_has_named_are_found(shop: Shop, name: str) -> None:
    # given
    shop.client.create_registered_model(name)
    for number in ("1", "2"):
        shop.client.create_model_version(name, str(shop.folder / number), tags={"made": number})
    # when / then
    assert [str(version.version) for version in mlflow_registry.versions(shop.client, name)] == ["2", "1"]
    [found] = mlflow_registry.with_tags(shop.client, name, {"made": "1"})
    assert str(found.version) == "1"
    assert mlflow_registry.with_tags(shop.client, name, {"made": "3"}) == []


def _rename(file: Path, module: str, earlier: str) -> None:
    """Give the modules in a skops file, and in the list of trusted types beside it, the names that they had earlier."""
    described = file.with_name("MLmodel")
    described.write_text(described.read_text().replace(module, earlier))
    with zipfile.ZipFile(file) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    changed, count = re.subn(re.escape(module.encode()), earlier.encode(), content["schema.json"])
    assert count > 0
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in (content | {"schema.json": changed}).items():
            archive.writestr(name, data)
