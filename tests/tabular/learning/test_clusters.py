"""ClusterSimilarity: its units, its centres, and that they are the same each time."""

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from threadpoolctl import threadpool_limits

from tabular.learning.clusters import ClusterSimilarity

CENTRES = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 8.0]])
"""The nearest neighbours are 4, 4 and 8 away: the median gap is 4."""


def _spots(centres: Any = CENTRES, rows: int = 20) -> Any:
    """Rows exactly on the centres, so that KMeans finds just these."""
    return np.repeat(centres, rows, axis=0)


def test_the_similarity_is_one_at_a_centre_and_half_at_half_the_median_gap() -> None:
    # given
    fitted = ClusterSimilarity(3).fit(_spots())
    order = [int(np.argmin(np.linalg.norm(fitted.kmeans_.cluster_centers_ - centre, axis=1))) for centre in CENTRES]
    # when
    at_centres = fitted.transform(CENTRES)[:, order]
    halfway = fitted.transform([[2.0, 0.0]])[0, order]
    # then
    np.testing.assert_allclose(np.diag(at_centres), 1.0, rtol=1e-12)
    np.testing.assert_allclose(halfway[:2], 0.5, rtol=1e-12)
    # and by the formula, a centre twice as far as half the gap has 0.5 ** 4
    np.testing.assert_allclose(at_centres[0], [1.0, 0.5**4, 0.5**16], rtol=1e-9)


def test_the_unit_of_the_columns_does_not_matter() -> None:
    # given the same rows in degrees and in thousandths of a degree
    fitted, finer = ClusterSimilarity(3).fit(_spots()), ClusterSimilarity(3).fit(_spots() * 1000)
    # when / then
    np.testing.assert_allclose(fitted.transform([[1.0, 1.0]]), finer.transform([[1000.0, 1000.0]]), rtol=1e-9)


def test_labels_are_the_nearest_centre_one_hot() -> None:
    # given
    fitted = ClusterSimilarity(3, "label").fit(_spots())
    rows = np.array([[0.1, 0.2], [3.9, 0.0], [0.0, 9.0], [1.0, 0.0]])
    # when
    labels = fitted.transform(rows)
    # then
    assert labels.shape == (4, 3) and labels.dtype == np.float64
    assert set(np.unique(labels)) == {0.0, 1.0} and (labels.sum(axis=1) == 1).all()
    np.testing.assert_array_equal(labels.argmax(axis=1), fitted.kmeans_.predict(rows))


def test_the_same_centres_for_each_fit_whatever_the_threads() -> None:
    # given
    values = np.random.default_rng(0).normal(size=(3000, 2))
    # when
    fitted = []
    for threads in (1, 2, 2):
        with threadpool_limits(threads):
            fitted.append(ClusterSimilarity(25, random_state=7).fit(values))
    other = ClusterSimilarity(25, random_state=8).fit(values)
    # then, to the last digit
    for again in fitted[1:]:
        np.testing.assert_array_equal(fitted[0].kmeans_.cluster_centers_, again.kmeans_.cluster_centers_)
        np.testing.assert_array_equal(fitted[0].transform(values), again.transform(values))
    assert not np.array_equal(fitted[0].kmeans_.cluster_centers_, other.kmeans_.cluster_centers_)


@pytest.mark.parametrize(("rows", "centres"), [(_spots(CENTRES[:2]), 2), (_spots(CENTRES[:1]), 1)])
def test_no_more_centres_than_distinct_rows(rows: Any, centres: int) -> None:
    # given / when
    fitted = ClusterSimilarity(10).fit(rows)
    # then
    assert fitted.transform(rows).shape == (len(rows), centres)
    assert np.isfinite(fitted.transform(rows)).all()
    assert list(fitted.get_feature_names_out()) == [f"cluster_{i}" for i in range(centres)]


def test_it_is_an_estimator_that_can_be_cloned_and_must_be_fitted() -> None:
    # given
    unfitted = clone(ClusterSimilarity(4, "label", 3).fit(_spots()))
    # then
    assert unfitted.get_params() == {"n_clusters": 4, "encoding": "label", "random_state": 3}
    with pytest.raises(NotFittedError):
        unfitted.transform(CENTRES)
