from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from materializers.estimator import EstimatorMaterializer
from tabular.config.stages import TargetConfig
from tabular.errors import UserError
from tabular.learning.training import fit
from tabular.reports.training import BestParameters
from tabular.storage.persistence import to_bytes
from tests.support.fitted import unfitted


class Foreign(Ridge):
    """A class of the test's own."""


def _table() -> pd.DataFrame:
    random = np.random.default_rng(0)
    rows = pd.DataFrame({"size": random.normal(size=80), "town": random.choice(["a", "b"], 80)})
    rows["price"] = rows["size"] * 2 + (rows["town"] == "a") + 10
    rows.loc[:4, "size"] = np.nan
    return rows


def _model(rows: pd.DataFrame, algorithm: str) -> Pipeline:
    target = TargetConfig(column="price")
    best = BestParameters(algorithm=algorithm, target_transform="log", parameters={})
    return fit(rows, target, unfitted(rows, target), best, 0, 1)


@pytest.mark.parametrize("algorithm", ["linear", "lightgbm", "xgboost", "hist_gradient_boosting", "random_forest"])
def test_a_model_comes_back_with_the_same_answers(at: Callable[..., Any], algorithm: str) -> None:
    # given: a whole model as a run makes it
    rows = _table()
    model = _model(rows, algorithm)
    at(EstimatorMaterializer).save(model)

    # when
    loaded = at(EstimatorMaterializer).load(Pipeline)

    # then
    inputs = rows.drop(columns="price")
    np.testing.assert_array_equal(loaded.predict(inputs), model.predict(inputs))


def test_models_of_equal_rows_have_equal_hashes(at: Callable[..., Any]) -> None:
    # given
    rows = _table()
    models = {
        "first": _model(rows, "lightgbm"),
        "second": _model(rows, "lightgbm"),
        "third": _model(rows[:-1], "linear"),
    }
    hashes = []
    for name, model in models.items():
        materializer = at(EstimatorMaterializer, name)
        materializer.save(model)
        hashes.append(materializer.compute_content_hash(model))
        assert materializer.extract_metadata(model)["sha256"] == hashes[-1]

    # then
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_type_that_is_not_trusted_is_refused(at: Callable[..., Any]) -> None:
    # given
    materializer = at(EstimatorMaterializer)
    materializer.write(materializer.FILE, to_bytes(Foreign()))

    # then
    with pytest.raises(UserError, match="not trusted"):
        materializer.load(Pipeline)


def test_a_model_is_shown_as_a_diagram(at: Callable[..., Any]) -> None:
    [uri] = at(EstimatorMaterializer).save_visualizations(Pipeline([("scale", StandardScaler())]))
    assert "StandardScaler" in Path(uri).read_text()
