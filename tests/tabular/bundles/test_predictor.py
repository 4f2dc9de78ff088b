"""The compiled predictor: its imports, and its errors for damaged files."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tabular.bundles.bundle import BadBundle
from tabular.bundles.making.compiling import compiled
from tabular.bundles.predictor import CompiledPredictor, Rows
from tests.support.fitted import fitted, table
from tests.support.project import ROOT

HEAVY = ("pandas", "sklearn", "onnx", "pyarrow", "lightgbm", "xgboost", "skops")


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return compiled(fitted(table(), imputer="knn"))


def _folder(files: dict[str, bytes], folder: Path) -> Path:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def test_a_prediction_imports_nothing_heavy(files: dict[str, bytes], tmp_path: Path) -> None:
    # given
    _folder(files, tmp_path)
    program = f"""
import sys, numpy, pathlib
from tabular.bundles.predictor import CompiledPredictor, Rows
predictor = CompiledPredictor.load(pathlib.Path({str(tmp_path)!r}))
rows = Rows(numpy.full((2, 5), numpy.nan), numpy.full((2, 2), -1, dtype=numpy.int32))
assert numpy.isfinite(predictor.predict(rows)).all()
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    # when
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    # then
    assert run.stdout.strip() == "[]", run.stderr


@pytest.mark.parametrize("name", ["predictor.json", "predictor.npz", "estimator.onnx"])
def test_damage_to_any_file_is_reported(name: str, files: dict[str, bytes], tmp_path: Path) -> None:
    # given: the first half of a file
    _folder(files | {name: files[name][: len(files[name]) // 2]}, tmp_path)
    # when / then
    with pytest.raises(BadBundle, match=name.replace("predictor.npz", "predictor.npz is damaged")):
        CompiledPredictor.load(tmp_path)


@pytest.mark.parametrize("name", ["predictor.json", "predictor.npz", "estimator.onnx"])
def test_a_missing_file_is_reported(name: str, files: dict[str, bytes], tmp_path: Path) -> None:
    # given
    (_folder(files, tmp_path) / name).unlink()
    # when / then
    with pytest.raises(BadBundle):
        CompiledPredictor.load(tmp_path)


def test_no_rows_give_no_predictions(files: dict[str, bytes], tmp_path: Path) -> None:
    predictor = CompiledPredictor.load(_folder(files, tmp_path))
    assert predictor.predict(Rows(np.empty((0, 5)), np.empty((0, 2), dtype=np.int32))).shape == (0,)
