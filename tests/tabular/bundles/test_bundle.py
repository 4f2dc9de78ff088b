"""An incomplete, changed or invalid bundle is refused, and the message names the file."""

import json
from pathlib import Path
from typing import Any

import pytest

from tabular.bundles.bundle import BadBundle, digest, read
from tabular.errors import UserError


def _bundle(folder: Path, **changes: Any) -> Path:
    """A small bundle that is not compiled."""
    (folder / "model.skops").write_bytes(b"model")
    fields = {
        "format": 2,
        "name": "homes",
        "version": "1",
        "task": "regression",
        "target": "price",
        "created": "2026-01-02T03:04:05+00:00",
        "model_sha256": digest(b"model"),
        "data_sha256": "00",
        "data_source": "path",
        "algorithm": "linear",
        "columns": [{"name": "rooms", "kind": "number", "min": 1.0, "max": 2.0, "missing_share": 0.0}],
        "metrics": {"rmse": 1.0},
        "baseline": {"prediction": 3.0},
        "compiled": False,
        "why": "no reason",
        "files": {"model.skops": digest(b"model")},
    }
    (folder / "bundle.json").write_text(json.dumps(fields | changes))
    return folder


def test_a_whole_bundle_is_read(tmp_path: Path) -> None:
    # given
    folder = _bundle(tmp_path)
    # when
    bundle = read(folder, digest((folder / "bundle.json").read_bytes()))
    # then
    assert bundle.columns[0].name == "rooms"
    assert bundle.classes == ()


def test_a_manifest_of_another_sha256_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadBundle, match=r"bundle.json: its sha256 is [0-9a-f]{64}, not abc"):
        read(_bundle(tmp_path), "abc")


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    # given
    folder = _bundle(tmp_path)
    (folder / "model.skops").write_bytes(b"Model")
    # when / then
    with pytest.raises(BadBundle, match="model.skops: its sha256 is"):
        read(folder)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    # given
    folder = _bundle(tmp_path)
    (folder / "model.skops").unlink()
    # when / then
    with pytest.raises(BadBundle, match="model.skops: No such file"):
        read(folder)


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="bundle.json: No such file"):
        read(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": 1}, "its format 1 is not the one that this version .* reads; package or train the model again"),
        ({"extra": 1}, "unknown key 'extra'"),
        ({"compiled": True}, "does not list predictor.json"),
        ({"files": {}}, "does not list model.skops"),
        ({"files": {"../../etc/passwd": "0"}}, "not the name of a file"),
        ({"files": {"..": "0"}}, "not the name of a file"),
    ],
)
def test_an_invalid_manifest_is_refused(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(BadBundle, match=said):
        read(_bundle(tmp_path, **changes))


def test_a_manifest_that_is_not_json_is_refused(tmp_path: Path) -> None:
    # given
    (tmp_path / "bundle.json").write_bytes(b'{"format": 1')
    # when / then
    with pytest.raises(BadBundle, match="Invalid JSON"):
        read(tmp_path)
