"""Imputation when serving: the same operations in the same order as the fitted imputers of scikit-learn.

Each row is imputed as if it came alone, so that a prediction never depends on the rest of a batch.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tabular.bundles.recipe import ConstantImputer, IterativeImputer, NeighbourImputer
from tabular.bundles.trees import Trees

Matrix = NDArray[np.float64]
Fill = Callable[[Matrix], Matrix]
"""Function from rows with missing values (NaN) to a copy without them; both are rows x number columns."""

CHUNK = 256
"""Number of rows whose distances to all training rows are in memory at once."""


def fill(
    imputer: ConstantImputer | NeighbourImputer | IterativeImputer,
    arrays: Mapping[str, NDArray[Any]],
    folder: Path,
    threads: int,
) -> Fill:
    """Build the function that imputes."""
    if isinstance(imputer, ConstantImputer):
        values = np.array(imputer.fill, dtype=np.float64)
        return lambda rows: np.where(np.isnan(rows), values, rows)
    if isinstance(imputer, NeighbourImputer):
        return Neighbours(imputer, arrays["neighbours"])
    return Estimates(imputer, folder, threads)


class Estimates:
    """The iterative imputer: it fills in constants first, then estimates with trees, one column after the other."""

    def __init__(self, imputer: IterativeImputer, folder: Path, threads: int) -> None:
        self._fill = np.array(imputer.fill, dtype=np.float64)
        self._estimates = [
            (e.column, np.array(e.inputs, dtype=np.intp), Trees(folder, e.trees, threads)) for e in imputer.estimates
        ]

    def __call__(self, rows: Matrix) -> Matrix:
        """Impute rows (rows x number columns)."""
        holes = np.isnan(rows)
        filled = np.where(holes, self._fill, rows)
        # A row without any value has nothing to estimate from, and keeps the constants.
        holes &= ~holes.all(axis=1, keepdims=True)
        for column, inputs, trees in self._estimates:
            at = holes[:, column].nonzero()[0]
            if len(at):
                filled[at, column] = trees(np.ascontiguousarray(filled[at][:, inputs]))[:, 0]
        return filled


class Neighbours:
    """The KNN imputer and its scaler."""

    def __init__(self, imputer: NeighbourImputer, training: Matrix) -> None:
        self._scaling = None
        if imputer.mean is not None:
            self._scaling = np.array(imputer.mean), np.array(imputer.scale)
        holes = np.isnan(training)
        self._zeroed = training.copy(order="K")
        self._zeroed[holes] = 0.0
        self._norms = np.einsum("ij,ij->i", self._zeroed, self._zeroed)
        self._squares = self._zeroed * self._zeroed
        self._holes = holes.astype(np.float64, order="K")
        self._present = 1.0 - self._holes
        self._donors = [np.flatnonzero(~column) for column in holes.T]
        self._values = [training[at, column] for column, at in enumerate(self._donors)]
        self._means = [np.ma.array(training[:, i], mask=holes[:, i]).mean() for i in range(training.shape[1])]
        self._count = imputer.count

    def __call__(self, rows: Matrix) -> Matrix:
        """Impute rows (rows x number columns)."""
        if self._scaling is None:
            return self._filled(rows)
        mean, scale = self._scaling
        return np.where(np.isnan(rows), self._filled((rows - mean) / scale) * scale + mean, rows)

    def _filled(self, rows: Matrix) -> Matrix:
        filled = rows.copy()
        for start in range(0, len(rows), CHUNK):
            chunk = rows[start : start + CHUNK]
            holes = np.isnan(chunk)
            distances = self._distances(chunk, holes)
            for column in np.flatnonzero(holes.any(axis=0)).tolist():
                at = holes[:, column].nonzero()[0]
                filled[start + at, column] = self._estimate(distances[at][:, self._donors[column]], column)
        return filled

    def _distances(self, rows: Matrix, holes: NDArray[np.bool_]) -> Matrix:
        """The same as `sklearn.metrics.pairwise.nan_euclidean_distances` to the last digit, which may decide a tie."""
        zeroed = rows.copy(order="C")
        zeroed[holes] = 0.0
        distances: Matrix = -2 * (zeroed @ self._zeroed.T)
        distances += np.einsum("ij,ij->i", zeroed, zeroed)[:, None]
        distances += self._norms[None, :]
        np.maximum(distances, 0, out=distances)
        distances -= np.dot(zeroed * zeroed, self._holes.T)
        distances -= np.dot(holes.astype(np.float64), self._squares.T)
        np.clip(distances, 0, None, out=distances)
        present = np.dot(1.0 - holes, self._present.T)
        distances[present == 0] = np.nan
        np.maximum(1, present, out=present)
        distances /= present
        distances *= rows.shape[1]
        np.sqrt(distances, out=distances)
        return distances

    def _estimate(self, distances: Matrix, column: int) -> Matrix:
        """The mean of the nearest donors (distances: rows x donors); without any distance, the mean of the column."""
        count = min(self._count, distances.shape[1])
        nearest = np.argpartition(distances, count - 1, axis=1)[:, :count]
        weights = np.where(np.isnan(np.take_along_axis(distances, nearest, axis=1)), 0.0, 1.0)
        totals = weights.sum(axis=1)
        sums = (self._values[column].take(nearest) * weights).sum(axis=1)
        far = np.isnan(distances).all(axis=1)
        return np.asarray(np.where(far, self._means[column], sums / np.maximum(totals, 1.0)), dtype=np.float64)
