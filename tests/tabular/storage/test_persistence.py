"""Estimators as files: equal bytes for equal estimators, equal predictions back, and nothing untrusted is loaded."""

import hashlib
import io
import os
import subprocess
import sys
import zipfile
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from tabular.config.stages import ClusterConfig, FeatureConfig, ImputationConfig, TargetConfig
from tabular.errors import UserError
from tabular.learning import training
from tabular.learning.algorithms import ALGORITHMS
from tabular.learning.features import RawColumns, preprocessing
from tabular.learning.imputation import compare
from tabular.reports.training import BestParameters
from tabular.storage.persistence import TRUSTED_TYPES, from_bytes, to_bytes
from tests.support.project import ROOT

STRATEGIES = ("median", "mean", "knn", "iterative")
ENCODINGS = ("similarity", "label")
TARGETS = {
    "regression": TargetConfig(column="price"),
    "binary": TargetConfig(column="new", task="classification"),
    "classes": TargetConfig(column="label", task="classification"),
}


def _rows() -> pd.DataFrame:
    random = np.random.default_rng(0)
    rows = pd.DataFrame(random.uniform(1, 9, size=(80, 3)), columns=["east", "north", "rooms"])
    rows["kind"] = random.choice(["bay", "inland"], 80)
    rows["price"], rows["new"] = rows["rooms"] + 1, rows["rooms"] > 5
    rows["label"] = np.where(rows["rooms"] > 7, "a", np.where(rows["rooms"] > 4, "b", "c"))
    rows.loc[::9, "east"] = np.nan
    return rows


def _pair(strategy: Any) -> Any:
    rows = _rows()[["east", "north", "rooms", "kind", "price"]]
    return compare(rows, "price", ImputationConfig(strategies=(strategy,)), 1)[0]


def _inputs() -> pd.DataFrame:
    return _rows().drop(columns=["price", "new", "label"])


def _fit(algorithm: str, kind: str, strategy: Any = "median", encoding: Any = "similarity") -> Pipeline:
    target = TARGETS[kind]
    rows = _inputs().assign(**{target.column: _rows()[target.column]})
    config = FeatureConfig(
        expressions={"r": "east / rooms"},
        clusters=ClusterConfig(columns=("east", "north"), counts=(3,), encoding=encoding),
    )
    way = preprocessing(rows, target, _pair(strategy), config, 3, 1)
    rounds = ALGORITHMS[algorithm].rounds
    best = BestParameters(
        algorithm=algorithm, target_transform="log", parameters={rounds: 3} if rounds is not None else {}
    )
    return training.fit(rows, target, way, best, 1, 1)


def _derived(kind: str) -> Pipeline:
    """With what is derived of dates and of the target."""
    target = TARGETS[kind]
    days = pd.date_range("2024-01-01", periods=80)
    rows = _inputs().assign(**{"day": days, target.column: _rows()[target.column]})
    config = FeatureConfig(expressions={"e": "east * rooms"}, target_encoding=("kind",))
    way = preprocessing(rows, target, _pair("median"), config, None, 1)
    best = BestParameters(algorithm="linear", target_transform="none", parameters={})
    return training.fit(rows, target, way, best, 1, 1)


@cache
def _content(algorithm: str, kind: str) -> bytes:
    return to_bytes(_fit(algorithm, kind))


@cache
def _everything() -> list[bytes]:
    """A file of each algorithm for each task, and of each pair that fills holes."""
    models = [_content(algorithm, kind) for algorithm in ALGORITHMS for kind in TARGETS]
    models.append(to_bytes(_fit("linear", "regression", "iterative", "label")))
    models += [to_bytes(_derived(kind)) for kind in ("regression", "classes")]
    return models + [to_bytes(tuple(_pair(strategy))) for strategy in STRATEGIES]


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_model_comes_back_with_the_same_predictions_and_the_same_bytes(algorithm: str, kind: str) -> None:
    # given
    model, content = _fit(algorithm, kind), _content(algorithm, kind)
    # when
    loaded = from_bytes(content)
    # then
    np.testing.assert_array_equal(loaded.predict(_inputs()), model.predict(_inputs()))
    if kind != "regression":
        np.testing.assert_array_equal(loaded.predict_proba(_inputs()), model.predict_proba(_inputs()))
        np.testing.assert_array_equal(loaded.classes_, model.classes_)
    assert to_bytes(model) == content == to_bytes(loaded)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_pair_comes_back_with_the_same_values_and_the_same_bytes(strategy: str) -> None:
    # given
    pair = _pair(strategy)
    # when
    scaler, imputer = from_bytes(to_bytes(tuple(pair)))
    # then
    assert (scaler is None) == (pair.scaler is None)
    values = _inputs()[["east", "north", "rooms"]].to_numpy()
    np.testing.assert_array_equal(imputer.transform(values), pair.imputer.transform(values))
    assert to_bytes((scaler, imputer)) == to_bytes(tuple(pair))


def test_a_fit_in_another_process_has_the_same_bytes() -> None:
    # given a process with another order of sets and other addresses
    child = subprocess.run(
        [sys.executable, __file__],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    # when / then
    assert child.stdout.split() == [hashlib.sha256(content).hexdigest() for content in _everything()]


def test_texts_that_are_equal_but_not_one_object_make_no_difference() -> None:
    # given a name that occurs twice, as one object in memory and as two
    name = "".join(["lon", "gitude"])
    one, two = [name, name], [name, "".join(["longi", "tude"])]
    assert one == two and one[0] is one[1] and two[0] is not two[1]
    # when / then
    assert to_bytes((Ridge(), one)) == to_bytes((Ridge(), two))


def test_different_estimators_have_different_bytes() -> None:
    assert len({hashlib.sha256(content).hexdigest() for content in _everything()}) == len(_everything())
    assert to_bytes((Ridge(alpha=1.0),)) != to_bytes((Ridge(alpha=1.5),))


def test_the_trusted_types_are_those_that_are_needed() -> None:
    # given / when
    needed = {name for content in _everything() for name in skops.io.get_untrusted_types(data=content)}
    # then no more, no fewer, and in order; skops knows this imputer by itself if it was enabled before skops came
    assert sorted(needed | {"sklearn.impute._iterative.IterativeImputer"}) == TRUSTED_TYPES


def test_an_untrusted_type_is_refused_and_named() -> None:
    # given a model that would run a function of ours when it predicts
    content = to_bytes(Pipeline([("step", FunctionTransformer(os.getcwd))]))
    # when / then
    with pytest.raises(UserError, match=r"^the model file holds types that are not trusted .*: posix\.getcwd$"):
        from_bytes(content)


def test_a_model_of_an_earlier_layout_is_refused_in_one_line() -> None:
    # given: a class that lay in a module that no longer exists
    rows = _rows()
    source = zipfile.ZipFile(io.BytesIO(to_bytes(RawColumns().fit(rows))))
    members = {name: source.read(name) for name in source.namelist()}
    members["schema.json"] = members["schema.json"].replace(b"tabular.learning.features", b"tabular.features")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)

    # when
    with pytest.raises(UserError) as refused:
        from_bytes(buffer.getvalue())

    # then
    said = str(refused.value)
    assert "another version of Stackhouse" in said and "tabular.features.RawColumns" in said and "\n" not in said
    assert said.endswith("train the model again")


def test_the_file_holds_no_pickle() -> None:
    for content in _everything():
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            kinds = {name.rpartition(".")[2] for name in archive.namelist()}
            assert kinds <= {"json", "npy", "bin"}
            assert not any(b"\x80\x04\x95" in archive.read(name)[:3] for name in archive.namelist())


def _archive(**members: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("_", "."), text)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"garbage" * 99,
        b"PK\x03\x04" + b"x" * 99,
        _archive(a_txt="x"),
        _archive(schema_json="{"),
        _archive(schema_json="[1]"),
    ],
    ids=["empty", "garbage", "zip-like", "no schema", "no json", "odd json"],
)
def test_what_is_no_model_file_is_refused_in_one_line(content: bytes) -> None:
    with pytest.raises(
        UserError, match=r"^the model file is damaged, or not a skops file \(.*\); fetch or train it again$"
    ):
        from_bytes(content)


def test_a_damaged_file_is_refused_or_still_whole() -> None:
    # given
    model = Ridge().fit([[0.0], [1.0]], [0.0, 2.0])
    content = to_bytes(model)
    random = np.random.default_rng(0)
    damaged = [content[:length] for length in range(0, len(content), 41)]
    for at in random.integers(len(content), size=150):
        flipped = bytearray(content)
        flipped[at] ^= 1 << random.integers(8)
        damaged.append(bytes(flipped))
    refused = 0
    # when
    for broken in damaged:
        try:
            loaded = from_bytes(broken)
        except UserError:
            refused += 1
        else:
            # then only what a reader never looks at was hit, such as a time stamp
            assert loaded.coef_ == model.coef_
    assert refused > len(damaged) / 2


if __name__ == "__main__":
    sys.stdout.write("\n".join(hashlib.sha256(content).hexdigest() for content in _everything()))
