"""Rows are counted once, whichever way they come in chunks."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from tabular.bundles.encoding import Notes
from tabular.monitoring.tally import Tally
from tabular.reports.verdicts import Observed
from tests.support.described import Described, described, prices, table
from tests.support.project import ROOT


def _in_chunks(subject: Described, rows: pd.DataFrame, sizes: list[int]) -> Observed:
    tally, start = Tally(subject.bundle, subject.reference), 0
    for size in sizes:
        part = rows[start : start + size]
        tally.add(*subject.encoded(part), prices(part))
        start += size
    assert start == len(rows)
    return tally.observed()


def _without_means(observed: Observed) -> dict[str, object]:
    plain = observed.model_dump()
    for counts in (*plain["numbers"].values(), plain["predictions"]):
        del counts["mean"]
    return plain


def test_counts_are_what_a_person_counts() -> None:
    # given: training rows, and others with values beyond them
    subject, rows = described(table(1000, 1)), table(400, 2)
    rows.loc[:9, "income"] = [-1.0] * 4 + [99.0] * 6
    rows.loc[:4, "place"] = "moon"
    # when
    observed = subject.observed(rows)
    # then
    income, known = observed.numbers["income"], rows["income"].dropna()
    training = subject.reference.numbers["income"].known
    assert training is not None
    assert (observed.model, observed.version, observed.rows) == ("homes", "3", 400)
    assert income.missing == rows["income"].isna().sum()
    assert income.out_of_range == ((known < training.points[0]) | (known > training.points[-1])).sum() >= 10
    assert income.mean == pytest.approx(known.mean())
    assert income.cells == np.histogram(known, [-np.inf, *np.nextafter(training.points, np.inf), np.inf])[0].tolist()
    assert income.cells[-1] == (known > training.points[-1]).sum() >= 6
    ends = [-np.inf, *np.nextafter(training.edges[1:-1], np.inf), np.inf]
    assert income.bins == np.histogram(known, ends)[0].tolist()
    place, heat = observed.categories["place"], observed.categories["heat"]
    assert (place.unknown, place.missing) == (5, 0)
    assert place.counts == {name: (rows["place"] == name).sum() for name in ("bay", "inland", "island", "ocean")}
    assert heat.missing == rows["heat"].isna().sum() > 0
    assert heat.counts == {name: (rows["heat"] == name).sum() for name in ("gas", "oil")}
    assert observed.predictions is not None
    assert observed.predictions.mean == pytest.approx(prices(rows).mean())
    assert observed.predicted is None


def test_the_training_rows_are_counted_as_they_were_described() -> None:
    # given
    rows = table(1000, 1)
    subject = described(rows)
    # when
    observed = subject.observed(rows)
    # then
    for name in ("income", "rooms", "sold"):
        counts, known = observed.numbers[name], subject.reference.numbers[name].known
        assert known is not None
        total = sum(counts.cells)
        assert np.cumsum(counts.cells[:-1]) / total == pytest.approx(known.reached, abs=0)
        assert np.array(counts.bins) / total == pytest.approx(known.shares, abs=0)
        assert counts.out_of_range == 0


@pytest.mark.parametrize("sizes", [[1, 7, 192, 100], [300], [299, 1], [100, 100, 100]], ids=str)
def test_chunks_of_any_size_give_what_all_rows_give(sizes: list[int]) -> None:
    # given
    subject, rows = described(table(500, 1)), table(300, 2)
    rows.loc[3, "place"] = "moon"
    # when
    whole, parts = subject.observed(rows), _in_chunks(subject, rows, sizes)
    # then
    assert _without_means(parts) == _without_means(whole)
    for name, counts in whole.numbers.items():
        assert parts.numbers[name].mean == pytest.approx(counts.mean, rel=1e-12)


def test_no_rows_are_no_rows() -> None:
    # given
    subject = described(table(100, 1))
    tally = Tally(subject.bundle, subject.reference)
    # when
    rows, _ = subject.encoded(table(5, 2))
    tally.add(rows._replace(numbers=rows.numbers[:0], codes=rows.codes[:0]), Notes(), np.empty(0))
    # then
    observed = tally.observed()
    assert observed.rows == 0
    assert observed.numbers["income"].mean is None
    assert sum(observed.categories["place"].counts.values()) == 0


def test_missing_and_unknown_categories_are_told_apart() -> None:
    # given: the model knows "missing" as a category of heat, and not of place
    subject, rows = described(table(500, 1)), table(100, 2)
    rows["heat"] = ["missing"] * 10 + [None] * 20 + ["coal"] * 30 + ["gas"] * 40
    rows["place"] = [None] * 25 + ["moon"] * 35 + ["bay"] * 40
    # when
    observed = subject.observed(rows)
    # then: text that reads "missing" is what it was in training
    heat, place = observed.categories["heat"], observed.categories["place"]
    assert (heat.missing, heat.unknown, heat.counts) == (30, 30, {"gas": 40, "oil": 0})
    assert (place.missing, place.unknown, place.counts["bay"]) == (25, 35, 40)


def test_predicted_classes_are_counted_also_one_that_is_called_missing() -> None:
    # given
    rows, classes = table(200, 1), ("dear", "missing", "plain")
    subject = described(rows, np.array([*classes, "dear"] * 50), classes)
    # when
    observed = subject.observed(rows[:10], [0, 0, 0, 1, 1, 2, 2, 2, 2, -1])
    # then
    assert observed.predictions is None
    assert observed.predicted is not None
    assert observed.predicted.counts == {"dear": 3, "missing": 2, "plain": 4}
    assert (observed.predicted.unknown, observed.predicted.missing) == (1, 0)


def test_a_number_that_training_never_knew_is_counted_without_bins() -> None:
    # given
    training, rows = table(200, 1).assign(rooms=np.nan), table(50, 2)
    subject = described(training, prices(table(200, 1)))
    # when
    rooms = subject.observed(rows).numbers["rooms"]
    # then
    assert (rooms.bins, rooms.cells, rooms.out_of_range, rooms.missing) == ([], [50], 0, 0)


def test_enormous_values_have_a_mean_and_predictions_without_a_number_are_missing() -> None:
    # given
    subject, rows = described(table(200, 1)), table(4, 2).assign(income=[1e308, 1.2e308, 1.4e308, 1.6e308])
    # when
    observed = subject.observed(rows, [1.0, np.nan, np.inf, 3.0])
    # then
    assert observed.numbers["income"].mean == pytest.approx(1.3e308)
    assert observed.predictions is not None
    assert (observed.predictions.missing, observed.predictions.mean) == (2, 2.0)


def test_counting_needs_none_of_the_libraries_of_training() -> None:
    code = "import sys, tabular.monitoring.tally; print(sorted({'pandas', 'scipy', 'sklearn'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
