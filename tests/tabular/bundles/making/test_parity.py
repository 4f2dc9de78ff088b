"""A compiled pipeline answers as the original does, whatever it is made of; and what differs is noticed."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from tabular.bundles.making import parity
from tabular.bundles.making.compiling import compiled, raw_columns
from tabular.bundles.making.report import ParityReport
from tabular.bundles.predictor import CompiledPredictor, Rows
from tests.support.fitted import fitted, table


def _predictor(model: Pipeline, folder: Path) -> CompiledPredictor:
    for name, content in compiled(model).items():
        (folder / name).write_bytes(content)
    return CompiledPredictor.load(folder)


def _compared(rows: pd.DataFrame, model: Pipeline, folder: Path) -> ParityReport:
    return parity.compare(model, _predictor(model, folder), rows.drop(columns="price"), raw_columns(model))


@pytest.mark.parametrize(
    ("algorithm", "classes", "imputer", "encoding", "transform"),
    [
        ("linear", 0, "median", "label", "none"),
        ("linear", 2, "mean", "similarity", "none"),
        ("linear", 3, "knn", "label", "none"),
        ("random_forest", 0, "iterative", "similarity", "log"),
        ("random_forest", 2, "median", "label", "none"),
        ("random_forest", 3, "mean", "similarity", "none"),
        ("hist_gradient_boosting", 0, "knn", "similarity", "log"),
        ("hist_gradient_boosting", 2, "iterative", "label", "none"),
        ("hist_gradient_boosting", 3, "median", "similarity", "none"),
        ("lightgbm", 0, "iterative", "similarity", "log"),
        ("lightgbm", 2, "knn", "label", "none"),
        ("lightgbm", 3, "iterative", "similarity", "none"),
        ("xgboost", 0, "mean", "label", "log"),
        ("xgboost", 0, "knn", "similarity", "none"),
        ("xgboost", 2, "iterative", "similarity", "none"),
        ("xgboost", 3, "median", "label", "none"),
    ],
)
def test_the_compiled_predictor_agrees_on_every_row_and_variant(
    algorithm: str, classes: int, imputer: str, encoding: str, transform: str, tmp_path: Path
) -> None:
    # given: a fitted pipeline, and rows that it has not seen
    rows = table(classes=classes)
    model = fitted(rows[:200], algorithm, classes, imputer, encoding, transform)
    # when
    report = _compared(rows[200:], model, tmp_path)
    # then
    assert report.first is None
    assert report.agrees
    assert report.held_out == 60
    assert report.largest <= 1e-5
    named = {"held out", "one row at a time", "rooms missing", "kind unseen", "all missing", "a number 1e+09"}
    assert named <= set(report.cases)
    assert "agrees with the original" in report.in_words()


def test_tables_of_numbers_only_and_of_categories_only_are_compiled(tmp_path: Path) -> None:
    for columns in (["rooms", "floors"], ["kind", "new"]):
        # given
        rows = table()[[*columns, "price"]]
        model = fitted(rows[:200])
        # when
        report = _compared(rows[200:], model, tmp_path)
        # then
        assert report.agrees, report.first


def test_the_matrix_is_the_original_one_to_the_last_digit(tmp_path: Path) -> None:
    # given
    rows = table()
    model = fitted(rows[:200], imputer="iterative")
    # when
    matrix = _predictor(model, tmp_path).matrix(parity.encoded(rows[200:], raw_columns(model)))
    # then
    np.testing.assert_array_equal(matrix, model[:-1].transform(rows[200:].drop(columns="price")))


def test_a_row_is_answered_alike_alone_and_in_company(tmp_path: Path) -> None:
    # given: one row has no number at all, which scikit-learn's iterative imputer fills otherwise in company
    rows = table()
    model = fitted(rows[:200], imputer="iterative")
    encoded = parity.encoded(rows[200:], raw_columns(model))
    encoded.numbers[4] = np.nan
    predictor = _predictor(model, tmp_path)
    # when
    together = predictor.predict(encoded)
    alone = [predictor.predict(Rows(encoded.numbers[i : i + 1], encoded.codes[i : i + 1]))[0] for i in range(60)]
    # then
    np.testing.assert_allclose(together, alone, rtol=1e-9)


def test_predicting_leaves_the_rows_as_they_were(tmp_path: Path) -> None:
    # given
    rows = table()
    model = fitted(rows[:200])
    encoded = parity.encoded(rows, raw_columns(model))
    before = encoded.numbers.copy()
    # when
    _predictor(model, tmp_path).predict(encoded)
    # then
    assert np.isnan(before).any()
    np.testing.assert_array_equal(encoded.numbers, before)


def test_a_predictor_that_differs_on_one_row_is_caught(tmp_path: Path) -> None:
    # given: the right answers, but for rows whose text is unseen
    rows = table()
    model = fitted(rows[:200])
    right = _predictor(model, tmp_path)

    class Wrong:
        def predict(self, rows: Rows) -> NDArray[np.float64]:
            answers = right.predict(rows)
            answers[rows.codes[:, 0] == -1] *= 1 + 3e-5
            return answers

    # when
    report = parity.compare(model, Wrong(), rows[200:].drop(columns="price"), raw_columns(model))
    # then
    assert not report.agrees
    assert report.largest == pytest.approx(3e-5, rel=1e-3)
    assert report.largest_held_out < 1e-9
    assert report.first is not None
    assert report.first.case == "kind unseen"
    assert report.first.inputs["kind"] == "a category that nobody has seen"
    assert "case 'kind unseen'" in report.in_words()


def test_another_label_is_a_difference_however_small() -> None:
    # given: probabilities that differ by less than the tolerance around a tie, and a clear case turned around
    original = np.array([[0.5000001, 0.4999999], [0.9, 0.1]])
    # when
    found = parity.ParityTally(classifies=True)
    found.add("near a tie", pd.DataFrame({"x": [1.0, 2.0]}), original, np.array([[0.4999999, 0.5000001], [0.9, 0.1]]))
    # then
    assert found.ties == 1
    assert found.first is None
    # when
    found.add("turned", pd.DataFrame({"x": [1.0, 2.0]}), original, np.array([[0.5000001, 0.4999999], [0.1, 0.9]]))
    # then
    assert found.first is not None
    assert found.first.row == 1


@pytest.mark.parametrize(
    ("original", "compiled", "difference"),
    [
        (100.0, 100.001, 1e-5),
        (np.inf, np.inf, 0.0),
        (np.nan, np.nan, 0.0),
        (np.inf, 1.0, np.inf),
        (1.0, np.nan, np.inf),
    ],
)
def test_differences_are_relative_and_know_infinity(original: float, compiled: float, difference: float) -> None:
    found = parity.differences(np.array([original]), np.array([compiled]), classifies=False)
    assert found[0] == pytest.approx(difference, rel=1e-6)


def test_next_to_zero_a_difference_is_relative_to_what_is_usual() -> None:
    # given: predictions of both signs, of which one is all but 0
    original = np.array([-2000.0, 1e-3, 1000.0])
    # when
    last_digits = parity.differences(original, original + 1e-4, classifies=False, usual=1000.0)
    wrong = parity.differences(original, original + np.array([0.0, 1.0, 0.0]), classifies=False, usual=1000.0)
    # then
    np.testing.assert_allclose(last_digits, [5e-8, 1e-7, 1e-7], rtol=1e-4)
    assert wrong[1] == pytest.approx(1e-3)


def test_a_linear_model_whose_predictions_cross_zero_is_compiled(tmp_path: Path) -> None:
    # given: many rows next to 0, where the last digits of a sum in float32 are a large part of it
    rows = table(count=3000)[["east", "north", "price"]]
    rows["north"] = rows["north"].fillna(5.0)
    rows["price"] = rows["east"] - 0.7 * rows["north"]
    model = fitted(rows[:200], "linear")
    # when
    report = _compared(rows[200:], model, tmp_path)
    # then
    assert report.agrees, report.first
