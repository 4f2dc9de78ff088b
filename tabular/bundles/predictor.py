"""From encoded rows to predictions, with numpy and ONNX Runtime alone."""

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from tabular.arithmetic.calibration import logits_of_log_odds, logits_of_shares, softmax
from tabular.arithmetic.dates import part
from tabular.arithmetic.expressions import evaluate
from tabular.bundles.bundle import ARRAYS, RECIPE, BadBundle
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
from tabular.config.base import explain
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
    """Rows x category columns; the index into `Column.categories`, -1 for an unknown one.

    A missing category is the code of "missing" where the categories hold it, and -1 elsewhere.
    """


class Predictor(Protocol):
    """What answers."""

    def predict(self, rows: Rows) -> NDArray[np.float64]:
        """Regression: one value a row; classification: rows x classes, probabilities."""
        ...


class CompiledPredictor:
    """The fitted pipeline as a recipe for numpy and tree ensembles for ONNX Runtime.

    Args:
        recipe: what to compute.
        arrays: the arrays of the recipe.
        folder: where the ensembles lie.
        threads: how many ONNX Runtime may use for one call.
    """

    def __init__(self, recipe: Recipe, arrays: Mapping[str, NDArray[Any]], folder: Path, threads: int) -> None:
        self._fill = None if recipe.imputer is None else fill(recipe.imputer, arrays, folder, threads)
        self._writers: list[Callable[[Rows, Matrix], None]] = []
        width = 0
        for block in recipe.blocks:
            size, writer = _writer(block, width, arrays)
            self._writers.append(writer)
            width += size
        self._width = width
        self._raw = _raw(recipe, arrays, folder, threads)
        self._finish = _finish(recipe)

    @classmethod
    def load(cls, folder: Path, threads: int = 1) -> Self:
        """Read `predictor.json` and what it names.

        Raises:
            BadBundle: a file is damaged, or of another format.
        """
        try:
            recipe = Recipe.model_validate_json((folder / RECIPE).read_bytes())
            arrays: dict[str, NDArray[Any]] = {}
            if (folder / ARRAYS).exists():
                with np.load(io.BytesIO((folder / ARRAYS).read_bytes()), allow_pickle=False) as archive:
                    arrays = {name: archive[name] for name in archive.files}
            return cls(recipe, arrays, folder, threads)
        except ValidationError as error:
            raise BadBundle(f"{folder / RECIPE}: {explain(error, Recipe)}; package the model again") from error
        except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
            said = one_line(error)
            raise BadBundle(f"{folder / RECIPE} or {ARRAYS} is damaged ({said}); copy the bundle again") from error

    def predict(self, rows: Rows) -> NDArray[np.float64]:
        """Regression: one value a row; classification: rows x classes, probabilities.

        Values beyond the range of numbers may give infinity or NaN, as they may in the original where it answers.
        """
        with np.errstate(all="ignore"):
            return self._finish(self._raw(self.matrix(rows)))

    def matrix(self, rows: Rows) -> NDArray[np.float32]:
        """What the estimator sees: rows x columns, float32."""
        numbers = rows.numbers
        holes = np.isnan(numbers)
        if self._fill is not None and holes.any():
            at = np.flatnonzero(holes.any(axis=1))
            numbers = numbers.copy()
            numbers[at] = self._fill(numbers[at])
        rows = Rows(numbers, rows.codes)
        matrix = np.zeros((len(numbers), self._width))
        for write in self._writers:
            write(rows, matrix)
        # As np.clip, which costs three times as much for one row.
        np.minimum(matrix, LARGEST, out=matrix)
        np.maximum(matrix, -LARGEST, out=matrix)
        return matrix.astype(np.float32)


def _writer(
    block: AnyBlock, start: int, arrays: Mapping[str, NDArray[Any]]
) -> tuple[int, Callable[[Rows, Matrix], None]]:
    """How many columns of the matrix a block takes, and what writes them; the matrix is all zeros before."""
    if isinstance(block, Numbers):
        columns, end = np.array(block.columns, dtype=np.intp), start + len(block.columns)

        def numbers(rows: Rows, matrix: Matrix) -> None:
            matrix[:, start:end] = rows.numbers.take(columns, axis=1)

        return len(columns), numbers
    if isinstance(block, Clusters):
        return len(arrays["centres"]), _clusters(block, start, arrays["centres"])
    if isinstance(block, Expression):
        program, places = parse(block.text), block.columns

        def expression(rows: Rows, matrix: Matrix) -> None:
            matrix[:, start] = evaluate(program, [rows.numbers[:, place] for place in places])

        return 1, expression
    if isinstance(block, DateParts):
        date, parts, reference = block.column, block.parts, block.reference

        def dates(rows: Rows, matrix: Matrix) -> None:
            for place, name in enumerate(parts):
                matrix[:, start + place] = part(name, rows.numbers[:, date], reference)

        return len(parts), dates
    if isinstance(block, TargetMeans):
        tables = [arrays[f"target_means_{number}"] for number in range(len(block.columns))]
        return sum(table.shape[1] for table in tables), _target_means(block, start, tables)
    return sum(block.sizes), _one_hot(block, start)


def _one_hot(block: OneHot, start: int) -> Callable[[Rows, Matrix], None]:
    starts = start + np.cumsum([0, *block.sizes[:-1]])
    columns = None if block.columns is None else list(block.columns)

    def one_hot(rows: Rows, matrix: Matrix) -> None:
        codes = rows.codes if columns is None else rows.codes[:, columns]
        if len(matrix) == 1:
            for code, first in zip(codes[0].tolist(), starts.tolist(), strict=True):
                if code >= 0:
                    matrix[0, first + code] = 1.0
            return
        row, column = (codes >= 0).nonzero()
        matrix[row, starts[column] + codes[row, column]] = 1.0

    return one_hot


def _target_means(block: TargetMeans, start: int, tables: list[Matrix]) -> Callable[[Rows, Matrix], None]:
    ends = start + np.cumsum([0, *(table.shape[1] for table in tables)])

    def target_means(rows: Rows, matrix: Matrix) -> None:
        # The code of an unknown category is -1, and its values are the last row.
        for place, column in enumerate(block.columns):
            matrix[:, ends[place] : ends[place + 1]] = tables[place][rows.codes[:, column]]

    return target_means


def _clusters(block: Clusters, start: int, centres: Matrix) -> Callable[[Rows, Matrix], None]:
    """As scikit-learn's `euclidean_distances` and `rbf_kernel`, operation by operation."""
    columns, end, gamma = np.array(block.columns, dtype=np.intp), start + len(centres), block.gamma
    turned, norms = centres.T, np.einsum("ij,ij->i", centres, centres)[None, :]

    def clusters(rows: Rows, matrix: Matrix) -> None:
        values = rows.numbers.take(columns, axis=1)
        distances = -2 * (values @ turned)
        distances += np.einsum("ij,ij->i", values, values)[:, None]
        distances += norms
        np.maximum(distances, 0, out=distances)
        if gamma is None:
            # The root may make two distances equal that were not.
            nearest = np.sqrt(distances, out=distances).argmin(axis=1)
            matrix[np.arange(len(matrix)), start + nearest] = 1.0
        else:
            distances *= -gamma
            np.exp(distances, out=matrix[:, start:end])

    return clusters


def _raw(
    recipe: Recipe, arrays: Mapping[str, NDArray[Any]], folder: Path, threads: int
) -> Callable[[NDArray[np.float32]], NDArray[Any]]:
    """From the matrix to the estimator's raw outputs, rows x outputs."""
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
    """From raw outputs to predictions."""
    if recipe.task == "regression":
        links = [np.exp for name in (recipe.link, recipe.undo) if name == "exp"]

        def values(raw: NDArray[Any]) -> Matrix:
            found = raw[:, 0]
            for link in links:
                found = link(found)
            return found.astype(np.float64)

        return values
    return _shares(recipe.link) if recipe.temperature == 1.0 else _tempered(recipe.link, recipe.temperature)


def _tempered(link: str, temperature: float) -> Callable[[NDArray[Any]], Matrix]:
    """From raw outputs to calibrated probabilities, as `tabular.learning.algorithms.LabelledClassifier`."""
    shares = _shares(link)

    def tempered(raw: NDArray[Any]) -> Matrix:
        if link == "share":
            return softmax(logits_of_shares(shares(raw)), temperature)
        found = raw.astype(np.float64)
        return softmax(found if found.shape[1] > 1 else logits_of_log_odds(found[:, 0]), temperature)

    return tempered


def _shares(link: str) -> Callable[[NDArray[Any]], Matrix]:
    """From raw outputs to probabilities."""
    if link == "softmax":
        return _softmax
    sigmoid = link == "sigmoid"

    def shares(raw: NDArray[Any]) -> Matrix:
        found = raw.astype(np.float64)
        if sigmoid:
            found = 1.0 / (1.0 + np.exp(-found))
        return np.hstack([1.0 - found, found]) if found.shape[1] == 1 else found

    return shares


def _softmax(raw: NDArray[Any]) -> Matrix:
    found = raw.astype(np.float64)
    found = np.exp(found - found.max(axis=1, keepdims=True))
    return np.asarray(found / found.sum(axis=1, keepdims=True))
