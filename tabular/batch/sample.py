"""A sample of a stream of any length: each row has the same chance, and the same input gives the same sample."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tabular.batch import hashing
from tabular.bundles.bundle import Bundle
from tabular.bundles.predictor import Rows
from tabular.monitoring.frames import current_frame
from tabular.reports.report import Report


class DrawnRows(Report):
    """Rows that were in the sample when their chunk was added; rows of later chunks may have replaced some of them."""

    rows: list[int]
    """Numbers of the rows in the whole input."""
    numbers: list[list[float]]
    """Values of the numeric columns, as in `Rows.numbers`."""
    codes: list[list[int]]
    """Codes of the categories, as in `Rows.codes`."""
    predicted: list[float] | list[int]
    """Regression: the predicted value; classification: the index of the class in `Bundle.classes`."""


NOTHING = DrawnRows(rows=[], numbers=[], codes=[], predicted=[])


class RowSample:
    """The rows, at most `size`, whose numbers in the input have the smallest hashes."""

    def __init__(self, size: int, seed: int) -> None:
        self._size = size
        self._seed = seed
        self.drawn = NOTHING
        """The sample in the order of the input."""

    def draw(
        self, numbers: NDArray[np.int64], rows: Rows, predicted: NDArray[np.float64] | NDArray[np.integer]
    ) -> DrawnRows:
        """Add rows, at least one, with their numbers in the whole input; return those that are in the sample now."""
        hashes = self._hashes(numbers)
        smallest = np.sort(np.concatenate([self._hashes(self.drawn.rows), hashes]))[: self._size]
        at = np.flatnonzero(hashes <= smallest[-1])
        drawn = DrawnRows(
            rows=numbers[at].tolist(),
            numbers=rows.numbers[at].tolist(),
            codes=rows.codes[at].tolist(),
            predicted=predicted[at].tolist(),
        )
        self.add(drawn)
        return drawn

    def add(self, drawn: DrawnRows) -> None:
        """Add rows that an earlier run drew."""
        joined = {name: getattr(self.drawn, name) + getattr(drawn, name) for name in DrawnRows.model_fields}
        smallest = np.argsort(self._hashes(joined["rows"]))[: self._size].tolist()
        kept = sorted(smallest, key=joined["rows"].__getitem__)
        self.drawn = DrawnRows(**{name: [values[place] for place in kept] for name, values in joined.items()})

    def frame(self, bundle: Bundle) -> pd.DataFrame:
        """The sample as `tabular.monitoring.frames.current_frame` makes it."""
        drawn = self.drawn
        count = len(drawn.rows)
        categories = sum(column.kind == "category" for column in bundle.columns)
        rows = Rows(
            np.array(drawn.numbers, dtype=np.float64).reshape(count, len(bundle.columns) - categories),
            np.array(drawn.codes, dtype=np.int32).reshape(count, categories),
        )
        predicted: NDArray[Any] = np.array(
            drawn.predicted, dtype=np.float64 if bundle.task == "regression" else np.int64
        )
        return current_frame(rows, predicted, bundle, self._size, seed=self._seed)

    def _hashes(self, rows: Sequence[int] | NDArray[np.int64]) -> hashing.Hashes:
        return hashing.of_numbers(np.array(rows, dtype=np.int64), self._seed)
