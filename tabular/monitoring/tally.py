"""Counting the rows that a model answered, in one pass and in memory that does not grow with them."""

import numpy as np
from numpy.typing import NDArray

from tabular.bundles.bundle import Bundle
from tabular.bundles.encoding import MISSING, Notes
from tabular.bundles.predictor import Rows
from tabular.bundles.reference import Histogram, Reference
from tabular.reports.verdicts import CategoryCounts, NumberCounts, Observed

Floats = NDArray[np.float64]


class Tally:
    """Counts rows chunk by chunk; the result is that of all rows at once, for means up to rounding.

    The bundle is that of the model that answered; its reference gives the bins and cells.
    """

    def __init__(self, bundle: Bundle, reference: Reference) -> None:
        self._bundle = bundle
        self._rows = 0
        self._numbers = {
            column.name: _Numbers(reference.numbers[column.name].known, column.min, column.max)
            for column in bundle.columns
            if column.kind != "category"
        }
        self._categories = {
            column.name: _Categories(column.categories, MISSING)
            for column in bundle.columns
            if column.kind == "category"
        }
        said = reference.predictions
        self._predictions = None if said is None else _Numbers(said, said.points[0], said.points[-1])
        self._predicted = _Categories(bundle.classes) if bundle.task == "classification" else None

    def add(self, rows: Rows, notes: Notes, predicted: NDArray[np.float64] | NDArray[np.integer]) -> None:
        """Count more rows.

        Args:
            rows: rows as the predictor takes them.
            notes: what the encoder noted about exactly these rows; only the notes tell missing from unknown categories.
            predicted: one value for each row. Regression: float64, counted as missing where it is not finite.
                Classification: integers, the position in `Bundle.classes` or -1 for a label that is not among them.
        """
        self._rows += len(rows.numbers)
        for place, number in enumerate(self._numbers.values()):
            number.add(rows.numbers[:, place])
        for place, (name, category) in enumerate(self._categories.items()):
            category.add(rows.codes[:, place], notes.missing.get(name, 0), notes.unknown.get(name, 0))
        if self._predictions is not None:
            self._predictions.add(predicted.astype(np.float64, copy=False))
        if self._predicted is not None:
            self._predicted.add(predicted, 0, int((predicted < 0).sum()))

    def observed(self) -> Observed:
        """Return the counts so far."""
        return Observed(
            model=self._bundle.name,
            version=self._bundle.version,
            rows=self._rows,
            numbers={name: number.counts() for name, number in self._numbers.items()},
            categories={name: category.counts() for name, category in self._categories.items()},
            predictions=None if self._predictions is None else self._predictions.counts(),
            predicted=None if self._predicted is None else self._predicted.counts(),
        )


class _Numbers:
    def __init__(self, known: Histogram | None, low: float | None, high: float | None) -> None:
        self._edges = np.array(known.edges if known else ())
        self._points = np.array(known.points if known else ())
        self._low = -np.inf if low is None else low
        self._high = np.inf if high is None else high
        self._bins = np.zeros(max(len(self._edges) - 1, 0), dtype=np.int64)
        self._cells = np.zeros(len(self._points) + 1, dtype=np.int64)
        self._missing = self._out_of_range = self._known = 0
        self._mean = 0.0

    def add(self, values: Floats) -> None:
        # A few hundred points are searched for among sorted values, instead of each value among the points.
        ordered = np.sort(values[np.isfinite(values)])
        self._missing += len(values) - len(ordered)
        if not len(ordered):
            return
        self._out_of_range += int(np.searchsorted(ordered, self._low, side="left"))
        self._out_of_range += len(ordered) - int(np.searchsorted(ordered, self._high, side="right"))
        self._cells += _between(ordered, self._points)
        if len(self._bins):
            self._bins += _between(ordered, self._edges[1:-1])
        self._known += len(ordered)
        # Divided before summing: the sum of large values may exceed the range of float64.
        self._mean = self._mean * (1 - len(ordered) / self._known) + float((ordered / self._known).sum())

    def counts(self) -> NumberCounts:
        return NumberCounts(
            missing=self._missing,
            out_of_range=self._out_of_range,
            bins=self._bins.tolist(),
            cells=self._cells.tolist(),
            mean=self._mean if self._known else None,
        )


class _Categories:
    def __init__(self, categories: tuple[str, ...], missing: str | None = None) -> None:
        self._categories = categories
        self._absent = missing
        self._counts = np.zeros(len(categories), dtype=np.int64)
        self._missing = self._unknown = 0

    def add(self, codes: NDArray[np.number], missing: int, unknown: int) -> None:
        known = codes[codes >= 0].astype(np.int64)
        self._counts += np.bincount(known, minlength=len(self._categories))
        self._missing += missing
        self._unknown += unknown

    def counts(self) -> CategoryCounts:
        counts = dict(zip(self._categories, self._counts.tolist(), strict=True))
        # Where "missing" is a category, its code counts missing values, and text that reads so, as in training.
        missing = counts.pop(self._absent) if self._absent in counts else self._missing
        return CategoryCounts(missing=missing, unknown=self._unknown, counts=counts)


def _between(ordered: Floats, points: Floats) -> NDArray[np.int64]:
    """Count the values up to and including the first point, between each two points, and above the last point."""
    reached = np.searchsorted(ordered, points, side="right")
    return np.diff(reached, prepend=0, append=len(ordered)).astype(np.int64)
