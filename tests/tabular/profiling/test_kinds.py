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
