"""Columns of now beside those of training."""

import numpy as np
import pandas as pd

from tabular.pages.pictures import png
from tabular.pages.pictures.distributions import MOST, distributions


def table(rows: int, shift: float) -> pd.DataFrame:
    random = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "size $": random.normal(shift, 1, rows),
            "kind": random.choice(["flat", "house", "a very long name of a kind of house"], rows),
            "constant": np.full(rows, 3.0),
        }
    )


def test_each_column_has_a_picture_in_the_order_that_is_asked_for() -> None:
    # given
    before, after = table(500, 0), table(200, 4)
    after.loc[0, "kind"] = None

    # when
    figure = distributions(before, after, ["kind", "constant", "size $"])

    # then
    assert figure is not None
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.get_visible()]
    assert titles == ["kind", "constant", r"size \$"]
    assert {text.get_text() for text in figure.legends[0].get_texts()} == {"training", "these rows"}
    trained, now = figure.axes[2].patches
    assert np.average(now.get_data().values[:12]) < np.average(trained.get_data().values[:12]), "it has moved up"
    assert png(figure).startswith(b"\x89PNG")


def test_shares_sum_to_one_hundred_with_what_lies_beyond_the_tails() -> None:
    # given values far beyond all others
    before, after = table(1000, 0), table(1000, 0)
    after.loc[:3, "size $"] = 1e6

    # when
    figure = distributions(before, after, ["size $"])

    # then
    assert figure is not None
    for drawn in figure.axes[0].patches:
        assert abs(drawn.get_data().values.sum() - 100) < 1e-9
    assert figure.axes[0].get_xlim()[1] < 10


def test_no_more_than_fit_on_a_page() -> None:
    # given
    many = pd.DataFrame({f"column {number}": np.arange(9.0) for number in range(MOST + 3)})
    # when
    figure = distributions(many, many, list(many))
    # then
    assert figure is not None and sum(axes.get_visible() for axes in figure.axes) == MOST
    assert distributions(many, many, []) is None
