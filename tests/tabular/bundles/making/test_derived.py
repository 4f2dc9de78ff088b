"""Dates, expressions, target means and temperatures: the compiled predictor gives the original's answers."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from tabular.bundles.encoding import Encoder
from tabular.bundles.making import describing, parity
from tabular.bundles.making.compiling import compiled, raw_columns
from tabular.bundles.predictor import CompiledPredictor
from tabular.config.stages import FeatureConfig, ImputationConfig, TargetConfig
from tabular.learning import imputation, training
from tabular.learning.features import preprocessing
from tabular.reports.training import BestParameters
from tabular.storage.persistence import from_bytes, to_bytes
from tests.support.fitted import FEW, table

EXPRESSIONS = {"space": "rooms / `homes` ** 2", "odd": "log(north - 5) * max(east, 4) + exp(-rooms) / floors"}
PARTS = ("year", "month", "day_of_week", "day_of_year", "age")


def _rows(classes: int = 0) -> pd.DataFrame:
    """The table with a day and a moment in a zone, both with holes, a boolean with holes, and sixty towns."""
    rows, random = table(classes=classes), np.random.default_rng(8)
    count = len(rows)
    rows["sold"] = pd.Timestamp("1999-12-01") + pd.to_timedelta(random.integers(0, 900, count), unit="D")
    moments = rows["sold"] + pd.to_timedelta(random.integers(0, 86_400, count), unit="s")
    rows.insert(1, "stamp", moments.dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo"))
    rows["town"] = [f"town {number}" for number in random.integers(0, 60, count)]
    rows["new"] = rows["new"].astype(object)
    rows.loc[::8, "sold"] = pd.NaT
    rows.loc[::13, "stamp"] = pd.NaT
    rows.loc[::7, ["new", "town"]] = None
    return rows


def _model(
    rows: pd.DataFrame, algorithm: str, classes: int, encoded: tuple[str, ...] = ("town",), temperature: float = 1.0
) -> Pipeline:
    target = TargetConfig(column="price", task="classification" if classes else "regression", class_weight=None)
    recipe = imputation.strategy("median", ImputationConfig(), 1, 1)
    config = FeatureConfig(expressions=EXPRESSIONS, dates=PARTS, target_encoding=encoded)
    way = preprocessing(rows, target, imputation.ImputerPair(recipe.scaler, recipe.imputer), config, None, 1)
    best = BestParameters(algorithm=algorithm, target_transform="none", parameters=FEW[algorithm])
    return training.fit(rows, target, way, best, 1, 1, temperature)


def _load(model: Pipeline, folder: Path) -> CompiledPredictor:
    for name, content in compiled(model).items():
        (folder / name).write_bytes(content)
    return CompiledPredictor.load(folder)


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_the_matrix_is_that_of_the_original_bit_for_bit(classes: int, tmp_path: Path) -> None:
    # given
    rows = _rows(classes)
    model = from_bytes(to_bytes(_model(rows, "linear", classes, ("town", "kind"))))
    raw, inputs = raw_columns(model), rows.drop(columns="price")
    predictor = _load(model, tmp_path)
    # when / then
    np.testing.assert_array_equal(predictor.matrix(parity.encoded(inputs, raw)), model[:-1].transform(inputs))
    assert raw.dates == {"sold", "stamp"}
    assert raw.numbers[0] == "stamp"


def test_categories_that_make_one_name_are_compiled_each_for_itself(tmp_path: Path) -> None:
    # given
    rows = _rows().assign(kind_9=lambda r: r["new"], kind_9_True=[1.0, 2.0] * 130)
    rows["kind"] = rows["kind"].where(rows["kind"] != "9", "9_True")
    model = from_bytes(to_bytes(_model(rows, "linear", 0)))
    raw, inputs = raw_columns(model), rows.drop(columns="price")
    # when / then
    assert "categories_0__kind_9_True" in model[:-1].get_feature_names_out()
    np.testing.assert_array_equal(
        _load(model, tmp_path).matrix(parity.encoded(inputs, raw)), model[:-1].transform(inputs)
    )


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("algorithm", FEW)
def test_a_calibrated_classifier_agrees(algorithm: str, classes: int, tmp_path: Path) -> None:
    # given
    rows = _rows(classes)
    model = _model(rows, algorithm, classes, temperature=2.5)
    # when
    report = parity.compare(model, _load(model, tmp_path), rows.drop(columns="price"), raw_columns(model))
    # then
    assert report.agrees, report.first
    assert {"sold missing", "sold as text", "stamp extreme", "town unseen"} <= set(report.cases)


@pytest.mark.parametrize("temperature", [0.3, 9.0])
def test_a_temperature_keeps_the_labels_and_moves_the_probabilities(temperature: float, tmp_path: Path) -> None:
    # given
    rows = _rows(3)
    inputs = rows.drop(columns="price")
    plain = _model(rows, "xgboost", 3)
    model = _model(rows, "xgboost", 3, temperature=temperature)
    # when
    served = _load(model, tmp_path).predict(parity.encoded(inputs, raw_columns(model)))
    # then
    np.testing.assert_allclose(served, model.predict_proba(inputs), atol=1e-6)
    np.testing.assert_array_equal(served.argmax(axis=1), plain.predict_proba(inputs).argmax(axis=1))
    gain = served.max(axis=1).mean() - plain.predict_proba(inputs).max(axis=1).mean()
    assert gain > 0.01 if temperature < 1 else gain < -0.01


def test_the_service_reads_what_training_read(tmp_path: Path) -> None:
    # given
    rows = _rows()
    model = _model(rows, "lightgbm", 0)
    inputs = rows.drop(columns="price")
    columns = describing.columns(rows, list(inputs.columns), raw_columns(model))
    encoder, predictor = Encoder(columns), _load(model, tmp_path)
    sent: list[dict[str, Any]] = [
        {name: None if pd.isna(value) else value for name, value in row.items()}
        for row in inputs.head(40).to_dict(orient="records")
    ]
    for row in sent:
        row |= {name: row[name].isoformat() for name in ("sold", "stamp") if row[name] is not None}
    # when
    together = predictor.predict(encoder.rows(sent)[0])
    alone = [predictor.predict(encoder.row(row)[0])[0] for row in sent]
    # then
    np.testing.assert_array_equal(together, model.predict(inputs.head(40)))
    np.testing.assert_array_equal(together, alone)
    kinds = {column.name: column.kind for column in columns}
    assert (kinds["sold"], kinds["stamp"], kinds["new"]) == ("date", "date", "category")


def test_the_reference_counts_dates_as_numbers_of_days() -> None:
    # given
    rows = _rows()
    raw = raw_columns(_model(rows, "linear", 0))
    # when
    found = describing.reference(rows, raw, np.zeros(len(rows)), TargetConfig(column="price"))
    # then
    sold = found.numbers["sold"]
    assert sold.missing == pytest.approx(rows["sold"].isna().mean())
    assert sold.known is not None
    assert sold.known.edges[0] == (rows["sold"].min() - pd.Timestamp(0)).days
