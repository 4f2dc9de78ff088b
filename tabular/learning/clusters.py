"""Features from clusters of a few columns, such as coordinates."""

from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import KMeans
from sklearn.metrics import pairwise_distances
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits


class ClusterSimilarity(TransformerMixin, BaseEstimator):
    """The similarity of a row to each KMeans centre.

    Distances are Euclidean in the unit of the columns (degrees for longitude and latitude), so all columns should have
    the same unit. The similarity to a centre at distance d is exp(-gamma * d**2), which is 1 at the centre, with gamma
    in 1 / unit**2. Gamma is set so that the similarity is 0.5 halfway between a centre and its nearest neighbour (the
    median over the centres), for any number of centres.

    Args:
        encoding: `similarity` gives one column of similarities for each centre; `label` gives the nearest centre,
            one-hot.
    """

    def __init__(
        self, n_clusters: int = 10, encoding: Literal["similarity", "label"] = "similarity", random_state: int = 0
    ) -> None:
        self.n_clusters = n_clusters
        self.encoding = encoding
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Find the centres of `X` (rows x columns, without NaN)."""
        values = np.asarray(X, dtype=np.float64)
        count = min(self.n_clusters, len(np.unique(values, axis=0)))
        # With more than one thread the partial sums are added in the order in which threads finish, which changes the
        # last digits.
        with threadpool_limits(1):
            self.kmeans_ = KMeans(count, n_init=1, random_state=self.random_state).fit(values)
        distances = pairwise_distances(self.kmeans_.cluster_centers_)
        np.fill_diagonal(distances, np.inf)
        gap = float(np.median(distances.min(axis=1))) if count > 1 else 1.0
        self.gamma_ = np.log(2) / (gap / 2) ** 2
        self.n_features_in_ = values.shape[1]
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Similarities or one-hot labels (rows x centres), float64."""
        check_is_fitted(self)
        values, centres = np.asarray(X, dtype=np.float64), self.kmeans_.cluster_centers_
        if self.encoding == "label":
            nearest = pairwise_distances(values, centres).argmin(axis=1)
            labels: NDArray[np.float64] = np.eye(len(centres))[nearest]
            return labels
        return np.asarray(rbf_kernel(values, centres, gamma=self.gamma_), dtype=np.float64)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """`cluster_0`, `cluster_1`, ..."""
        check_is_fitted(self)
        return np.asarray([f"cluster_{i}" for i in range(len(self.kmeans_.cluster_centers_))], dtype=object)
