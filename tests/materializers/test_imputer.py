from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.preprocessing import StandardScaler

from materializers.imputer import ImputerPairMaterializer
from tabular.errors import UserError
from tabular.learning.imputation import ImputerPair
from tabular.storage.persistence import to_bytes

VALUES = np.array([[1.0, 100.0], [2.0, np.nan], [3.0, 300.0], [4.0, 400.0]])


def _knn(values: np.ndarray = VALUES) -> ImputerPair:
    scaler = StandardScaler().fit(values)
    return ImputerPair(scaler, KNNImputer(n_neighbors=2).fit(scaler.transform(values)))


def _filled(pair: ImputerPair) -> np.ndarray:
    scaled = VALUES if pair.scaler is None else pair.scaler.transform(VALUES)
    return np.asarray(pair.imputer.transform(scaled))


@pytest.mark.parametrize("pair", [_knn(), ImputerPair(None, SimpleImputer().fit(VALUES))], ids=["scaled", "plain"])
def test_both_halves_come_back(at: Callable[..., Any], pair: ImputerPair) -> None:
    # given
    at(ImputerPairMaterializer).save(pair)

    # when
    loaded = at(ImputerPairMaterializer).load(ImputerPair)

    # then
    assert isinstance(loaded, ImputerPair)
    assert (loaded.scaler is None) == (pair.scaler is None)
    np.testing.assert_array_equal(_filled(loaded), _filled(pair))


def test_equal_pairs_have_equal_hashes(at: Callable[..., Any]) -> None:
    # given
    hashes = []
    for name, pair in {"first": _knn(), "second": _knn(), "third": _knn(VALUES * 2)}.items():
        materializer = at(ImputerPairMaterializer, name)
        materializer.save(pair)
        hashes.append(materializer.compute_content_hash(pair))

    # then
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_type_that_is_not_trusted_is_refused(at: Callable[..., Any], store: Any) -> None:
    # given: a file with a class that no model of this project holds
    materializer = at(ImputerPairMaterializer)
    materializer.write(materializer.FILE, to_bytes((None, Foreign())))

    # then
    with pytest.raises(UserError, match="not trusted"):
        materializer.load(ImputerPair)


def test_each_half_is_shown(at: Callable[..., Any]) -> None:
    shown = {uri.rpartition("/")[2] for uri in at(ImputerPairMaterializer).save_visualizations(_knn())}
    assert shown == {"scaler.html", "imputer.html"}


class Foreign(IsolationForest):
    """A class of the test's own."""
