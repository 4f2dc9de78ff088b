"""Matching predictions with their true values, which arrive later and by another route."""

from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tabular.bundles.bundle import Bundle
from tabular.prediction_log.records import Feedback, Prediction


@dataclass(frozen=True)
class Labelled:
    """Predictions whose true value is known: arrays of one length, the oldest prediction first."""

    times: NDArray[np.float64]
    """When the predictions were made, in seconds since 1970, UTC."""
    actual: NDArray[Any]
    """True values: float64 for a regression; for a classification text (dtype object), which may be a label that the
    model does not know."""
    predicted: NDArray[Any]
    """Predictions: float64 for a regression; for a classification int64 codes into `Bundle.classes`, where -1 is a
    label that is not among them."""
    probabilities: NDArray[np.float64] | None
    """Rows x classes in the bundle's order; None for a regression."""


@dataclass(slots=True)
class Truth:
    """The newest true value of one row, and what is kept of the newest prediction of that row."""

    said_at: float
    value: float | str
    predicted_at: float = -np.inf
    kept: Any = None


class Truths:
    """All true values of some days, by request id and row.

    Args:
        feedback: chunks of true values, in any order.
        keep: returns what is kept of a prediction; it raises KeyError or TypeError for one that does not fit.
    """

    def __init__(self, feedback: Iterable[list[Feedback]], keep: Callable[[Prediction], Any]) -> None:
        self._keep = keep
        self._known: dict[tuple[str, int | None], Truth] = {}
        self.misfits = 0
        """Number of predictions so far that have a true value and do not fit."""
        for records in feedback:
            for record in records:
                key, said_at = (record.request_id, record.row), record.time.timestamp()
                before = self._known.get(key)
                if before is None or before.said_at <= said_at:
                    self._known[key] = Truth(said_at, record.value)

    def match(self, record: Prediction) -> None:
        """Keep a prediction if its true value is known and no newer prediction of the row was met."""
        truth = self._known.get((record.request_id, record.row))
        if truth is None:
            return
        predicted_at = record.time.timestamp()
        if truth.predicted_at > predicted_at:
            return
        try:
            truth.kept, truth.predicted_at = self._keep(record), predicted_at
        except (KeyError, TypeError):
            self.misfits += 1

    def matched(self) -> list[Truth]:
        """Return the true values whose prediction was met, the oldest prediction first."""
        met = [truth for truth in self._known.values() if truth.kept is not None]
        return sorted(met, key=lambda truth: truth.predicted_at)


def answers_of(bundle: Bundle) -> Callable[[Prediction], tuple[float | str, "array[float] | None"]]:
    """Return a function that keeps prediction and probabilities, the latter in the order of the bundle's classes."""

    def answer(record: Prediction) -> tuple[float | str, "array[float] | None"]:
        if bundle.classes and isinstance(record.prediction, str):
            chances: Any = record.probabilities
            return record.prediction, array("d", [chances[label] for label in bundle.classes])
        if not bundle.classes and isinstance(record.prediction, float):
            return record.prediction, None
        raise TypeError("the prediction belongs to another task than the bundle's")

    return answer


def labelled_of(truths: Truths, bundle: Bundle) -> Labelled:
    """Return the matched predictions as arrays; true values of another task than the bundle's become misfits."""
    matched = truths.matched()
    found = [truth for truth in matched if isinstance(truth.value, str if bundle.classes else float)]
    truths.misfits += len(matched) - len(found)
    times = np.array([truth.predicted_at for truth in found], np.float64)
    if not bundle.classes:
        actual = np.array([truth.value for truth in found], np.float64)
        return Labelled(times, actual, np.array([truth.kept[0] for truth in found], np.float64), None)
    labels: dict[Any, Any] = {}
    values = np.empty(len(found), object)
    values[:] = [labels.setdefault(truth.value, truth.value) for truth in found]  # one object for each label
    codes = {label: code for code, label in enumerate(bundle.classes)}
    predicted = np.array([codes.get(truth.kept[0], -1) for truth in found], np.int64)
    chances = np.array([truth.kept[1] for truth in found], np.float64).reshape(-1, len(bundle.classes))
    return Labelled(times, values, predicted, chances)
