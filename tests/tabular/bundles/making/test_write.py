"""The bundle: all that a service needs, whole or not there at all."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tabular.bundles import bundle as bundles
from tabular.bundles import reference
from tabular.bundles.making import describing, parity
from tabular.bundles.making import write as writing
from tabular.bundles.making.compiling import Raw, raw_columns
from tabular.bundles.making.report import PackageReport
from tabular.bundles.making.write import Origin, write
from tabular.bundles.predictor import CompiledPredictor
from tabular.config.stages import TargetConfig
from tabular.storage.persistence import from_bytes
from tests.support.fitted import fitted, table, target

ORIGIN = Origin(
    name="homes",
    version="3",
    created="2026-01-02T03:04:05+00:00",
    algorithm="lightgbm",
    data_sha256="ab" * 32,
    data_source="path",
    metrics={"rmse": 1.5, "mape": float("nan")},
    card="# homes\n",
)


def _written(folder: Path, classes: int = 0, **parameters: object) -> tuple[PackageReport, bundles.Bundle]:
    rows = table(classes=classes)
    model = fitted(rows[:200], classes=classes, **parameters)
    report = write(folder, model, rows[:200], rows[200:], target(classes), ORIGIN)
    return report, bundles.read(folder, report.bundle_sha256)


def test_a_regression_is_described_and_served_compiled(tmp_path: Path) -> None:
    # when
    report, bundle = _written(tmp_path / "deep" / "bundle", imputer="iterative")
    # then
    folder, rows = tmp_path / "deep" / "bundle", table()
    assert report.compiled
    assert bundle.compiled
    assert "agrees with the original" in bundle.why
    assert bundle.metrics == {"rmse": 1.5}
    assert [c.name for c in bundle.columns] == ["kind", "east", "floors", "rooms", "homes", "north", "new"]
    rooms, kind = bundle.columns[3], bundle.columns[0]
    assert (rooms.kind, rooms.min, rooms.max) == ("number", rows["rooms"][:200].min(), rows["rooms"][:200].max())
    assert rooms.missing_share == pytest.approx(23 / 200)
    assert kind.categories == ("9", "bay", "inland", "missing")
    assert bundle.baseline.prediction == np.median(rows["price"][:200])
    assert set(bundle.files) | {"bundle.json"} == {path.name for path in folder.iterdir()} == set(report.bytes)
    assert set(report.seconds) == {
        f"{who}_{count}" for who in ("compiled", "original") for count in ("1_row", "1000_rows")
    }
    # then: the compiled predictor and the original in the folder give the same
    held_out = rows[200:].drop(columns="price")
    original = from_bytes((folder / "model.skops").read_bytes())
    found = CompiledPredictor.load(folder).predict(parity.encoded(held_out, raw_columns(original)))
    np.testing.assert_allclose(found, original.predict(held_out), rtol=1e-9)


def test_a_classification_names_its_classes(tmp_path: Path) -> None:
    # when
    _, bundle = _written(tmp_path / "bundle", classes=3)
    # then
    assert bundle.classes == ("class 0", "class 1", "class 2")
    assert sum(bundle.baseline.probabilities.values()) == pytest.approx(1)
    assert bundle.baseline.prediction in bundle.classes
    assert sum(reference.read(tmp_path / "bundle").predicted.values()) == pytest.approx(1)


def test_what_cannot_be_compiled_is_served_by_the_original(tmp_path: Path) -> None:
    # when
    report, bundle = _written(tmp_path / "bundle", parameters={"n_estimators": 3, "linear_tree": True})
    # then
    assert not bundle.compiled
    assert report.parity is None
    assert "linear leaves" in bundle.why
    assert set(bundle.files) == {"model.skops", "card.md", "reference.json"}
    assert set(report.seconds) == {"original_1_row", "original_1000_rows"}


def test_a_compiled_predictor_that_differs_does_not_ship(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given: a compiler that shifts the base of the trees
    def shifted(model: object) -> dict[str, bytes]:
        files = true(model)
        recipe = json.loads(files["predictor.json"])
        recipe["estimator"]["base"] = [3.0]
        return files | {"predictor.json": json.dumps(recipe).encode()}

    true = writing.compiled
    monkeypatch.setattr(writing, "compiled", shifted)
    # when
    report, bundle = _written(tmp_path / "bundle")
    # then
    assert not bundle.compiled
    assert report.parity is not None
    assert report.parity.first is not None
    assert report.parity.first.case == "held out"
    assert "the original serves" in bundle.why
    assert "predictor.json" not in bundle.files
    assert not (tmp_path / "bundle" / "estimator.onnx").exists()


def test_a_bundle_is_replaced_whole_and_a_failure_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: an old bundle with a file that the new one does not have
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "old.txt").write_text("old")

    # when: writing fails at the last file
    def fails(*_: object) -> object:
        raise RuntimeError("no more room")

    with monkeypatch.context() as patched:
        patched.setattr(describing, "baseline", fails)
        with pytest.raises(RuntimeError, match="no more room"):
            _written(folder)
    # then
    assert [path.name for path in tmp_path.rglob("*")] == ["bundle", "old.txt"]
    # when
    _written(folder)
    # then
    assert not (folder / "old.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_the_reference_holds_the_training_rows(tmp_path: Path) -> None:
    # when
    _written(tmp_path / "bundle")
    # then
    found, rows = reference.read(tmp_path / "bundle"), table()[:200]
    assert found.rows == 200
    rooms = found.numbers["rooms"]
    assert rooms.known is not None
    assert len(rooms.known.edges) == 11
    assert rooms.known.shares == pytest.approx([0.1] * 10, abs=0.01)
    assert rooms.known.mean == pytest.approx(rows["rooms"].mean())
    assert rooms.missing == pytest.approx(23 / 200)
    assert found.categories["kind"].shares["missing"] == pytest.approx(rows["kind"].isna().mean())
    assert found.predictions is not None


def test_bins_of_repeated_values_are_fewer_and_hold_every_value() -> None:
    # given: nine of ten values are the same
    found = describing.histogram(np.array([1.0] * 90 + [2.0] * 5 + [3.0] * 5 + [np.nan]))
    # then
    assert found is not None
    assert list(found.edges) == sorted(set(found.edges))
    assert sum(found.shares) == pytest.approx(1)
    assert describing.histogram(np.array([4.0, 4.0])).shares == (1.0,)  # type: ignore[union-attr]
    assert describing.histogram(np.array([np.nan])) is None


def test_booleans_and_missing_labels_are_counted_as_text() -> None:
    # given
    rows = pd.DataFrame({"new": pd.Series([True, False, None, True], dtype=object), "price": [1.0, 2.0, 3.0, 4.0]})
    raw = Raw([], {"new": ["False", "True", "missing"]})
    # when
    found = describing.reference(rows, raw, np.ones(1), TargetConfig(column="price")).categories["new"]
    # then
    assert found.shares == {"False": 0.25, "True": 0.5, "missing": 0.25}
    assert found.missing == 0.25
