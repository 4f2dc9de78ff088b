"""What becomes of rows: each column in turn where there are few, some of them where there are many."""

import numpy as np
import pandas as pd
import pytest

from tabular.bundles.making.compiling import Raw
from tabular.bundles.making.variants import EXTREMES, MOST, variants


def _made(numbers: int, categories: int) -> dict[str, pd.DataFrame]:
    known = {f"c{place}": ["a", "b"] for place in range(categories)}
    raw = Raw([f"n{place}" for place in range(numbers)], known)
    rows = pd.DataFrame({name: np.arange(6.0) for name in raw.numbers} | dict.fromkeys(known, "a"), index=range(6))
    return dict(variants(rows, raw))


def test_every_column_is_varied_where_there_are_few() -> None:
    # when
    made = _made(3, 2)
    # then
    assert {f"{name} missing" for name in ("n0", "n1", "n2", "c0", "c1")} <= set(made)
    assert {"n2 and n0 missing", "only n1 known", "c1 unseen", "all missing"} <= set(made)
    alone = made["only a number known, -1"]
    assert len(alone) == 3 * 4
    assert (alone[["n0", "n1", "n2"]].notna().sum(axis=1) == 1).all()


@pytest.mark.parametrize(("numbers", "categories"), [(400, 0), (0, 400)])
def test_of_a_wide_table_some_columns_are_varied_from_the_first_to_the_last(numbers: int, categories: int) -> None:
    # given
    kind = "n" if numbers else "c"
    # when
    made = _made(numbers, categories)
    # then: what comes of each column does not grow with their number
    missing = [name for name in made if name.startswith(kind) and name.endswith(" missing") and " and " not in name]
    assert len(missing) == MOST
    assert (missing[0], missing[-1]) == (f"{kind}0 missing", f"{kind}399 missing")
    assert len(made) <= 4 * MOST + 2 * len(EXTREMES) + 2
    assert made["all missing"].isna().all(axis=None)
