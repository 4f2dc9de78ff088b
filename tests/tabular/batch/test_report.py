"""Counts of chunks that are added, and a sample that is spread evenly."""

import numpy as np
import pandas as pd
import pytest

from tabular.batch.report import observed_of
from tabular.batch.sample import RowSample
from tabular.bundles.predictor import Rows
from tabular.reports.verdicts import NumberCounts
from tests.support.described import described, prices, table


@pytest.mark.parametrize("classes", [(), ("cheap", "dear")], ids=["regression", "classification"])
def test_counts_of_parts_sum_to_those_of_all_rows(classes: tuple[str, ...]) -> None:
    # given: one part without any known income
    rows = table(400, 3)
    said = np.arange(400) % 2 if classes else prices(rows)
    labels = np.array(classes)[said] if classes else None
    home = described(rows, labels, classes)
    rows.loc[300:, "income"] = np.nan
    rows.loc[10, "place"] = "moon"
    # when
    parts = [home.observed(rows[start : start + 100], said[start : start + 100]) for start in range(0, 400, 100)]
    found = observed_of(parts)
    # then
    whole = home.observed(rows, said)
    assert found.numbers["income"].mean == pytest.approx(whole.numbers["income"].mean, rel=1e-12)
    plain = [
        one.model_copy(update={"numbers": _without_means(one.numbers), "predictions": None}) for one in (found, whole)
    ]
    assert plain[0] == plain[1]
    if not classes:
        assert found.predictions is not None and whole.predictions is not None
        assert found.predictions.cells == whole.predictions.cells


def test_counts_of_two_versions_are_never_added() -> None:
    # given
    rows = table(50, 3)
    one = described(rows).observed(rows)
    # when / then
    with pytest.raises(ValueError, match="one version"):
        observed_of([one, one.model_copy(update={"version": "9"})])


def test_a_sample_does_not_depend_on_the_chunks() -> None:
    # given
    home = described(table(50, 3))
    rows, _ = home.encoded(table(3000, 4))
    said, numbers = np.arange(3000.0), np.arange(3000)

    def drawn(size: int, seed: int) -> pd.DataFrame:
        sample = RowSample(200, seed)
        for start in range(0, 3000, size):
            part = slice(start, start + size)
            sample.draw(numbers[part], Rows(rows.numbers[part], rows.codes[part]), said[part])
        return sample.frame(home.bundle)

    # when
    frames = [drawn(size, 1) for size in (90, 700, 3000)]
    # then
    for frame in frames[1:]:
        pd.testing.assert_frame_equal(frame, frames[0])
    places = frames[0]["prediction"].to_numpy()
    assert len(places) == 200 and (np.diff(places) > 0).all()
    assert np.histogram(places, 4, (0, 3000))[0].min() > 30
    assert set(drawn(700, 2)["prediction"]) != set(places)


def _without_means(numbers: dict[str, NumberCounts]) -> dict[str, NumberCounts]:
    return {name: counts.model_copy(update={"mean": None}) for name, counts in numbers.items()}
