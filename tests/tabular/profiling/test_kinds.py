"""What a single column holds, and whether a model can learn from it."""

import numpy as np
import pandas as pd
import pytest

from tabular.profiling.kinds import FEWEST, describe

ROWS = 400
DAYS = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(ROWS), unit="D")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pd.Series(np.arange(ROWS) * 1.5), "number"),
        (pd.Series(np.arange(ROWS) % 2).astype("float64"), "boolean"),
        (pd.Series(DAYS), "date"),
        (pd.Series(DAYS.tz_localize("UTC")), "date"),
    ],
    ids=["number", "0 or 1", "date", "moment"],
)
def test_a_column_with_holes_needs_enough_values_to_learn_from(values: pd.Series, kind: str) -> None:
    # given
    few, enough = (values.rename("x").where(values.index < known) for known in (FEWEST - 1, FEWEST))
    # when
    left_out, kept = describe(few), describe(enough)
    # then: without it, the training would end at its first look at the column
    assert left_out.kind == kept.kind == kind
    assert left_out.drop == f"it has {FEWEST - 1} known values, too few to learn how to fill its holes"
    assert kept.drop is None


MEASURES = ["unpaid", "covid", "valid", "humid", "liquid", "paid", "body mass index", "airQualityIndex", "key", "nr"]


@pytest.mark.parametrize("name", [*MEASURES, "heat_index", "INDEX", "number", "%", "цена", "합계", "größe"])
@pytest.mark.parametrize("spread", [60, 3_000, 10**7], ids=["coarse", "fine", "all different"])
def test_whole_numbers_are_a_measure_whatever_their_name_ends_with(name: str, spread: int) -> None:
    # given
    drawn = np.random.default_rng(3).choice(spread, ROWS, replace=spread < 10**7)
    # when
    found = describe(pd.Series(drawn, name=name))
    # then
    assert found.kind == "number" and found.drop is None


@pytest.mark.parametrize("name", ["id", "CustomerId", "customerid", "order_id", "Unnamed: 0", "index", "#", "row nr"])
def test_numbers_that_count_the_rows_in_any_order_are_an_identifier(name: str) -> None:
    order = np.random.default_rng(4).permutation(2 * ROWS)[:ROWS]
    assert describe(pd.Series(order, name=name)).kind == "identifier"


@pytest.mark.parametrize(
    ("different", "repeats", "length", "kind"),
    [
        (43, 28, 60, "category"),
        (200, 6, 300, "category"),
        (200, 2, 60, "category"),
        (300, 1, 60, "text"),
        (31, 2, 12, "category"),
    ],
)
def test_a_text_that_repeats_is_a_category_however_long_it_is(
    different: int, repeats: int, length: int, kind: str
) -> None:
    texts = [f"site {n} of a country far away, ".ljust(length, "x") for n in range(different)]
    assert describe(pd.Series(texts * repeats, name="site", dtype="str")).kind == kind


def test_a_comment_that_is_often_the_same_is_free_text() -> None:
    texts = ["nothing was reported on this day by anybody at all"] * 250
    texts += [f"on this day somebody reported {n} different things" for n in range(150)]
    assert describe(pd.Series(texts, name="comment", dtype="str")).drop is not None
