from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from zenml.enums import VisualizationType

from materializers.table import TableMaterializer

ROWS = pd.DataFrame({"size": [1.5, None, 3.0], "rooms": [1, 2, 3], "town": ["a", None, "b"]})


def _stored(at: Callable[..., Any], rows: pd.DataFrame, name: str) -> str:
    materializer = at(TableMaterializer, name)
    materializer.save(rows)
    return str(materializer.compute_content_hash(rows))


def test_a_table_comes_back_as_it_was(at: Callable[..., Any]) -> None:
    # given
    at(TableMaterializer).save(ROWS)

    # when
    loaded = at(TableMaterializer).load(pd.DataFrame)

    # then: holes and types included
    pd.testing.assert_frame_equal(loaded, ROWS)


def test_equal_tables_have_equal_hashes(at: Callable[..., Any]) -> None:
    first = _stored(at, ROWS, "first")
    assert _stored(at, ROWS.copy(), "second") == first
    assert _stored(at, ROWS.set_index(pd.Index([7, 8, 9])), "third") == first
    assert _stored(at, ROWS.assign(rooms=[1, 2, 4]), "fourth") != first
    assert _stored(at, ROWS[["rooms", "size", "town"]], "fifth") != first


def test_a_table_is_shown_by_its_columns(at: Callable[..., Any]) -> None:
    # when
    [(uri, kind)] = at(TableMaterializer).save_visualizations(ROWS).items()

    # then
    assert kind == VisualizationType.CSV
    shown = pd.read_csv(Path(uri), index_col="column")
    assert list(shown.index) == ["size", "rooms", "town"]
    assert shown.loc["rooms", "mean"] == 2.0
    assert at(TableMaterializer).extract_metadata(ROWS) == {"rows": 3, "columns": 3}
