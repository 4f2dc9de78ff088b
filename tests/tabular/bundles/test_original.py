"""The original pipeline, which serves if no compiled predictor agrees with it."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from service.live import LiveModel
from tabular.bundles.bundle import MANIFEST, MODEL, digest
from tabular.bundles.loading import Loaded
from tabular.bundles.original import OriginalPredictor
from tabular.learning.features import Categories, RawColumns
from tabular.storage.persistence import to_bytes
from tests.support.bundles import category, make_bundle, number


def rows() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    table = pd.DataFrame({"rooms": generator.uniform(1, 9, 80), "age": generator.uniform(0, 52, 80)})
    table.loc[::9, "age"] = np.nan
    return table.assign(place=[None if i % 10 == 0 else "inland" for i in range(80)])


def fitted(estimator: Ridge | LogisticRegression, target: pd.Series) -> Pipeline:
    place = Pipeline([("text", Categories()), ("hot", OneHotEncoder(handle_unknown="ignore", sparse_output=False))])
    columns = ColumnTransformer([("numbers", SimpleImputer(), ["rooms", "age"]), ("place", place, ["place"])])
    return Pipeline([("raw", RawColumns()), ("columns", columns), ("estimator", estimator)]).fit(rows(), target)


def load(folder: Path, pipeline: Pipeline, classes: tuple[str, ...] = ()) -> Loaded:
    """The pipeline in a bundle that is not compiled, as the service loads it."""
    columns = (number("rooms"), category("place"), number("age"))
    value = (0.0,) * len(classes) if classes else 1.0
    make_bundle(folder, columns=columns, classes=classes, value=value)
    (folder / MODEL).write_bytes(to_bytes(pipeline))
    bundle = json.loads((folder / MANIFEST).read_text())
    sha256 = digest((folder / MODEL).read_bytes())
    bundle |= {"compiled": False, "model_sha256": sha256, "files": bundle["files"] | {MODEL: sha256}}
    (folder / MANIFEST).write_text(json.dumps(bundle))
    live = LiveModel(None, folder, folder.parent / "cache")
    live.start()
    live.stop()
    loaded = live.current()
    assert isinstance(loaded.predictor, OriginalPredictor), loaded.warnings
    return loaded


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_it_answers_as_the_pipeline(kind: str, tmp_path: Path) -> None:
    # given: holes in every column, and a category that training never saw
    if kind == "regression":
        pipeline = fitted(Ridge(), rows()["rooms"] * 3)
        loaded = load(tmp_path / "bundle", pipeline)
    else:
        pipeline = fitted(LogisticRegression(), (rows()["rooms"] > 5).map({True: "yes", False: "no"}))
        loaded = load(tmp_path / "bundle", pipeline, ("no", "yes"))
    table = rows()
    table.loc[3, "place"] = "the moon"
    table.loc[4, "rooms"] = np.nan
    records = [
        {name: None if pd.isna(value) else value for name, value in row.items()} for row in table.to_dict("records")
    ]

    # when
    encoded, notes = loaded.encoder.rows(records)
    answer = loaded.predictor.predict(encoded)

    # then
    expected = pipeline.predict(table) if kind == "regression" else pipeline.predict_proba(table)
    np.testing.assert_allclose(answer, expected, rtol=1e-12)
    assert notes.unknown == {"place": 1}
