"""Computes predictions from encoded rows, with numpy and ONNX Runtime alone."""

import io
import zipfile
from collections.abc import Callable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from tabular.arithmetic.calibration import logits_of_log_odds, logits_of_shares, softmax
from tabular.arithmetic.dates import part
from tabular.arithmetic.expressions import compiled
from tabular.bundles.bundle import ARRAYS, RECIPE, BadBundle, validated
from tabular.bundles.imputing import fill
from tabular.bundles.recipe import (
    AnyBlock,
    Clusters,
    DateParts,
    Expression,
    Linear,
    Numbers,
    OneHot,
    Recipe,
    TargetMeans,
)
from tabular.bundles.trees import Trees
from tabular.config.expression import parse
from tabular.errors import one_line

Matrix = NDArray[np.float64]
LARGEST = float(np.finfo(np.float32).max)


class Rows(NamedTuple):
    """Raw rows as numbers."""

    numbers: NDArray[np.float64]
    """Rows x number and date columns in the order of `Bundle.columns`; NaN where a value is missing.

    A date is a number of days, see `tabular.arithmetic.dates`.
    """
    codes: NDArray[np.int32]
    """Rows x category columns: the index into `Column.categories`, -1 for an unknown category.

    A missing category has the code of "missing" if that is among the categories, and -1 otherwise.
    """


Write = Callable[[Rows, Matrix], None]
"""Writes the features of one block into its columns of the matrix (rows x columns), which are all zeros before."""


class Predictor(Protocol):
    """The interface of the compiled predictor, the original pipeline and the baseline."""

    def predict(self, rows: Rows) -> NDArray[np.float64]:
        """Regression: one value for each row; classification: probabilities, rows x classes."""
        ...


class CompiledPredictor:
    """The fitted pipeline as a recipe for numpy and tree ensembles for ONNX Runtime."""

    def __init__(self, recipe: Recipe, arrays: Mapping[str, NDArray[Any]], folder: Path, threads: int) -> None:
        self._fill = None if recipe.imputer is None else fill(recipe.imputer, arrays, folder, threads)
        self._writers: list[tuple[slice, Write]] = []
        self._width = 0
        # Neighbouring expressions share one writer.
        for _, blocks in groupby(recipe.blocks, key=lambda block: isinstance(block, Expression) or id(block)):
            size, write = _writer(list(blocks), arrays)
            self._writers.append((slice(self._width, self._width + size), write))
            self._width += size
        self._raw = _raw(recipe, arrays, folder, threads)
        self._finish = _finish(recipe)

    @classmethod
    def load(cls, folder: Path, threads: int = 1) -> Self:
        """Read `predictor.json` and the files that it names.

        Raises:
            BadBundle: a file is missing, damaged, or of another version.
        """
        try:
            recipe = validated(Recipe, (folder / RECIPE).read_bytes(), str(folder / RECIPE))
            arrays: dict[str, NDArray[Any]] = {}
            if (folder / ARRAYS).exists():
                with np.load(io.BytesIO((folder / ARRAYS).read_bytes()), allow_pickle=False) as archive:
                    arrays = {name: archive[name] for name in archive.files}
            return cls(recipe, arrays, folder, threads)
        except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
            said = one_line(error)
            raise BadBundle(f"{folder / RECIPE} or {ARRAYS} is damaged ({said}); copy the bundle again") from error

    def predict(self, rows: Rows) -> NDArray[np.float64]:
        """Regression: one value for each row; classification: probabilities, rows x classes.

        Numbers that are too large may give infinity or NaN, as they may in the original pipeline.
        """
        with np.errstate(all="ignore"):
            return self._finish(self._raw(self.matrix(rows)))

    def matrix(self, rows: Rows) -> NDArray[np.float32]:
        """The features that the estimator receives: rows x columns, float32."""
        numbers = rows.numbers
        holes = np.isnan(numbers)
        if self._fill is not None and holes.any():
            at = np.flatnonzero(holes.any(axis=1))
            numbers = numbers.copy()
            numbers[at] = self._fill(numbers[at])
        rows = Rows(numbers, rows.codes)
        matrix = np.zeros((len(numbers), self._width))
        for columns, write in self._writers:
            write(rows, matrix[:, columns])
        # The same as np.clip, which costs three times as much for one row.
        np.minimum(matrix, LARGEST, out=matrix)
        np.maximum(matrix, -LARGEST, out=matrix)
        return matrix.astype(np.float32)


def _writer(blocks: list[AnyBlock], arrays: Mapping[str, NDArray[Any]]) -> tuple[int, Write]:
    """The number of columns of a block or of neighbouring expressions, and the function that writes them."""
    block = blocks[0]
    if isinstance(block, Expression):
        expressions = [(parse(each.text), each.columns) for each in blocks if isinstance(each, Expression)]
        write = compiled(expressions)

        def derived(rows: Rows, features: Matrix) -> None:
            # Contiguous, because numpy computes some functions in another way if values are not adjacent in memory.
            write(np.ascontiguousarray(rows.numbers.T), features)

        return len(expressions), derived
    if isinstance(block, Numbers):
        places = np.array(block.columns, dtype=np.intp)

        def numbers(rows: Rows, features: Matrix) -> None:
            features[:] = rows.numbers.take(places, axis=1)

        return len(places), numbers
    if isinstance(block, Clusters):
        return len(arrays["centres"]), _clusters(block, arrays["centres"])
    if isinstance(block, DateParts):
        date, parts, reference = block.column, block.parts, block.reference

        def dates(rows: Rows, features: Matrix) -> None:
            for place, name in enumerate(parts):
                features[:, place] = part(name, rows.numbers[:, date], reference)

        return len(parts), dates
    if isinstance(block, TargetMeans):
        tables = [arrays[f"target_means_{number}"] for number in range(len(block.columns))]
        ends = np.cumsum([0, *(table.shape[1] for table in tables)])

        def target_means(rows: Rows, features: Matrix) -> None:
            # The code of an unknown category is -1, which selects the last row of a table.
            for place, column in enumerate(block.columns):
                features[:, ends[place] : ends[place + 1]] = tables[place][rows.codes[:, column]]

        return int(ends[-1]), target_means
    return sum(block.sizes), _one_hot(block)


def _one_hot(block: OneHot) -> Write:
    starts = np.cumsum([0, *block.sizes[:-1]])
    columns = None if block.columns is None else list(block.columns)

    def one_hot(rows: Rows, features: Matrix) -> None:
        codes = rows.codes if columns is None else rows.codes[:, columns]
        if len(features) == 1:  # faster than what follows
            for code, first in zip(codes[0].tolist(), starts.tolist(), strict=True):
                if code >= 0:
                    features[0, first + code] = 1.0
            return
        row, column = (codes >= 0).nonzero()
        features[row, starts[column] + codes[row, column]] = 1.0

    return one_hot


def _clusters(block: Clusters, centres: Matrix) -> Write:
    """The same operations as scikit-learn's `euclidean_distances` and `rbf_kernel`, in the same order."""
    columns, gamma = np.array(block.columns, dtype=np.intp), block.gamma
    turned, norms = centres.T, np.einsum("ij,ij->i", centres, centres)[None, :]

    def clusters(rows: Rows, features: Matrix) -> None:
        values = rows.numbers.take(columns, axis=1)
        distances = -2 * (values @ turned)
        distances += np.einsum("ij,ij->i", values, values)[:, None]
        distances += norms
        np.maximum(distances, 0, out=distances)
        if gamma is None:
            # The square root may make two distances equal that were not.
            nearest = np.sqrt(distances, out=distances).argmin(axis=1)
            features[np.arange(len(features)), nearest] = 1.0
        else:
            distances *= -gamma
            np.exp(distances, out=features)

    return clusters


def _raw(
    recipe: Recipe, arrays: Mapping[str, NDArray[Any]], folder: Path, threads: int
) -> Callable[[NDArray[np.float32]], NDArray[Any]]:
    """The function from the matrix to the estimator's raw outputs, rows x outputs."""
    if isinstance(recipe.estimator, Linear):
        mean, scale, coefficients, intercepts = (
            arrays[name] for name in ("mean", "scale", "coefficients", "intercepts")
        )
        return lambda matrix: (matrix - mean) / scale @ coefficients + intercepts
    trees = Trees(folder, recipe.estimator.trees, threads)
    if recipe.estimator.trees.single:
        return trees
    divisor, base = recipe.estimator.divisor, np.array(recipe.estimator.base)
    return lambda matrix: trees(matrix.astype(np.float64)) / divisor + base


def _finish(recipe: Recipe) -> Callable[[NDArray[Any]], Matrix]:
    """The function from raw outputs to predictions."""
    link, temperature = recipe.link, recipe.temperature
    if recipe.task == "regression":
        links = [np.exp for name in (link, recipe.undo) if name == "exp"]

        def values(raw: NDArray[Any]) -> Matrix:
            found = raw[:, 0]
            for apply in links:
                found = apply(found)
            return found.astype(np.float64)

        return values

    def probabilities(raw: NDArray[Any]) -> Matrix:
        """Calibrated as by `tabular.learning.algorithms.LabelledClassifier`."""
        found = raw.astype(np.float64)
        if link == "softmax" or (link == "sigmoid" and temperature != 1.0):
            return softmax(found if found.shape[1] > 1 else logits_of_log_odds(found[:, 0]), temperature)
        if link == "sigmoid":
            found = 1.0 / (1.0 + np.exp(-found))
        shares = np.hstack([1.0 - found, found]) if found.shape[1] == 1 else found
        return shares if temperature == 1.0 else softmax(logits_of_shares(shares), temperature)

    return probabilities
