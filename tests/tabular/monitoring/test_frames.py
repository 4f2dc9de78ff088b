"""Rows rebuilt from statistics are spread as the training rows were; rows of now come back from their codes."""

import numpy as np
import pandas as pd
import pytest

from tabular.bundles.making import describing
from tabular.bundles.reference import NumberReference
from tabular.monitoring.frames import UNKNOWN, current_frame, prediction_name, reference_frame
from tabular.monitoring.statistics import psi
from tests.support.described import Described, described, prices, table


@pytest.fixture(scope="module")
def subject() -> Described:
    return described(table(5000, 1))


def test_the_reference_is_spread_as_the_training_rows_were(subject: Described) -> None:
    # given the rows that the statistics were taken from
    trained = table(5000, 1)

    # when
    rebuilt = reference_frame(subject.reference, subject.bundle, 1000, seed=1)

    # then: 200 quantiles of a number tell its distribution to half a percent of the rows
    assert list(rebuilt) == ["income", "place", "rooms", "heat", "prediction"]
    at = np.quantile(trained["income"].dropna(), np.linspace(0.01, 0.99, 99))
    reached = [np.mean(rebuilt["income"].dropna() <= value) for value in at]
    assert np.abs(np.array(reached) - np.linspace(0.01, 0.99, 99)).max() < 0.01
    assert rebuilt["income"].mean() == pytest.approx(trained["income"].mean(), rel=0.01)
    assert rebuilt["prediction"].std() == pytest.approx(prices(trained).std(), rel=0.03)


def test_few_different_values_keep_their_shares(subject: Described) -> None:
    trained, rebuilt = table(5000, 1), reference_frame(subject.reference, subject.bundle, 1000, seed=1)
    for column in ("rooms", "place"):
        shares = trained[column].value_counts(normalize=True)
        assert (rebuilt[column].value_counts(normalize=True) - shares).abs().max() <= 0.001
    for column in ("income", "heat"):
        assert rebuilt[column].isna().mean() == pytest.approx(trained[column].isna().mean(), abs=0.001)


def test_a_value_that_occurs_often_among_many_others_keeps_its_share(subject: Described) -> None:
    # given a third noughts in the middle of values that hardly repeat
    random = np.random.default_rng(3)
    values = np.where(random.random(4000) < 1 / 3, 0.0, random.normal(0, 1, 4000))
    numbers = subject.reference.numbers | {
        "income": NumberReference(missing=0.0, known=describing.histogram(values)),
    }
    reference = subject.reference.model_copy(update={"numbers": numbers})

    # when
    rebuilt = reference_frame(reference, subject.bundle, 1000, seed=1)["income"]

    # then
    assert (rebuilt == 0).mean() == pytest.approx((values == 0).mean(), abs=0.01)
    assert rebuilt[rebuilt != 0].nunique() > 600


def test_no_relation_between_columns_is_made_up_and_the_seed_decides(subject: Described) -> None:
    # given
    first = reference_frame(subject.reference, subject.bundle, 1000, seed=1)

    # then
    assert abs(first["income"].corr(first["prediction"])) < 0.1
    assert not any(first[column].dropna().is_monotonic_increasing for column in first)
    pd.testing.assert_frame_equal(first, reference_frame(subject.reference, subject.bundle, 1000, seed=1))
    other = reference_frame(subject.reference, subject.bundle, 1000, seed=2)
    assert not first["rooms"].equals(other["rooms"])
    assert first["rooms"].value_counts().equals(other["rooms"].value_counts())


def test_columns_without_any_value_are_missing_throughout(subject: Described) -> None:
    # given
    numbers = subject.reference.numbers | {"income": NumberReference(missing=1.0, known=None)}
    reference = subject.reference.model_copy(update={"numbers": numbers, "predictions": None})

    # when
    rebuilt = reference_frame(reference, subject.bundle, 100, seed=1)

    # then
    assert rebuilt["income"].isna().all() and rebuilt["prediction"].isna().all()
    assert rebuilt["income"].dtype == np.float64


def test_rows_of_now_come_back_from_their_codes(subject: Described) -> None:
    # given rows with a hole, a category that nobody knows, and missing heat, which is a category of its own
    now = table(50, 2)
    now.loc[0, ["income", "place", "heat"]] = [np.nan, "mars", None]

    # when
    frame = current_frame(subject.encoded(now)[0], prices(now), subject.bundle, seed=1)

    # then
    assert list(frame) == ["income", "place", "rooms", "heat", "prediction"]
    assert frame["place"][0] == UNKNOWN and frame["place"][1:].equals(now["place"][1:].astype("str"))
    assert frame["heat"].equals(now["heat"].astype("str"))
    assert frame["income"].equals(now["income"])
    assert np.array_equal(frame["prediction"], prices(now))


def test_many_rows_are_drawn_by_the_seed_and_stay_together(subject: Described) -> None:
    # given
    now = table(300, 2).drop(columns="sold").fillna({"income": 1.0, "heat": "gas"})
    rows = subject.encoded(now)[0]

    # when
    first, again, other = (current_frame(rows, prices(now), subject.bundle, 100, seed=seed) for seed in (1, 1, 2))

    # then
    pd.testing.assert_frame_equal(first, again)
    assert len(first) == 100 and not first.equals(other)
    assert np.array_equal(first["prediction"], prices(first))


def test_classes_are_spelled_as_the_data_spells_them() -> None:
    # given
    rows = table(400, 1)
    labels = np.array(["low", "high"])[np.arange(400) % 2]
    subject = described(rows, labels, classes=("high", "low"))

    # when
    trained = reference_frame(subject.reference, subject.bundle, 100, seed=1)
    now = current_frame(subject.encoded(rows[:3])[0], np.array([1, 0, -1]), subject.bundle, seed=1)

    # then
    assert trained["prediction"].value_counts().to_dict() == {"low": 50, "high": 50}
    assert now["prediction"].tolist() == ["low", "high", UNKNOWN]


def test_an_input_may_be_called_prediction(subject: Described) -> None:
    # given
    renamed = tuple(
        column.model_copy(update={"name": "prediction"}) if column.name == "rooms" else column
        for column in subject.bundle.columns
    )
    bundle = subject.bundle.model_copy(update={"columns": renamed})

    # then
    assert prediction_name(subject.bundle) == "prediction"
    assert prediction_name(bundle) == "model's prediction"


def test_the_customary_index_finds_no_difference_to_the_training(subject: Described) -> None:
    # given the bins of the training rows
    histogram = subject.reference.predictions
    assert histogram is not None
    rebuilt = reference_frame(subject.reference, subject.bundle, 1000, seed=1)["prediction"]

    # when
    counts = np.histogram(rebuilt, histogram.edges)[0]

    # then
    assert psi(counts.tolist(), histogram.shares, 5000) < 0.01
