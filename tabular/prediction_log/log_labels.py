"""Predictions and their true values, which come later and from elsewhere, brought together."""

from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tabular.bundles.bundle import Bundle
from tabular.prediction_log.log_files import row_of
from tabular.prediction_log.log_reading import Feedback, Prediction

Keep = Callable[[int | None], Any]
"""What is kept of a row of a record; None is the only row of a record that is no batch."""
MISFITS = (msgspec.MsgspecError, KeyError, IndexError, TypeError, ValueError, RecursionError)
"""What a record raises that is not as the service writes it."""


@dataclass(frozen=True)
class Labelled:
    """Predictions whose true value is known; arrays of one length, the oldest first."""

    times: NDArray[np.float64]
    """When they were made, in seconds since 1970, UTC."""
    actual: NDArray[Any]
    """float64 of a regression; of a classification text (dtype object), also labels that the model does not know."""
    predicted: NDArray[Any]
    """float64 of a regression; of a classification int64 codes into `Bundle.classes`, -1 for a label that is none."""
    probabilities: NDArray[np.float64] | None
    """Rows x classes in the bundle's order; None of a regression."""


class Truth:
    """The newest true value of a row of a request, and the newest prediction of it."""

    __slots__ = ("kept", "predicted_at", "said_at", "value")

    def __init__(self, said_at: float, value: float | str) -> None:
        self.said_at, self.value = said_at, value
        self.predicted_at = -np.inf
        self.kept: Any = None


class Truths:
    """All true values of some days.

    Args:
        feedback: in any order.
        keep: makes what is kept of the rows of a record.
    """

    def __init__(self, feedback: Iterable[list[Feedback]], keep: Callable[[Prediction], Keep]) -> None:
        self._keep = keep
        self._single: dict[str, Truth] = {}
        self._batches: dict[str, dict[int, Truth]] = {}
        self.misfits = 0
        """Rows so far that have a true value and are not as the service writes them."""
        for records in feedback:
            for record in records:
                self._add(record)

    def answered(self, record: Prediction) -> None:
        """Keep what the record says of rows whose true value is known."""
        if record.predictions is None:
            truth = self._single.get(record.request_id)
            if truth is not None:
                self._found(record, {None: truth})
        elif record.request_id in self._batches:
            self._found(record, self._batches[record.request_id])

    def found(self) -> list[Truth]:
        """Those whose prediction was met, the oldest prediction first."""
        everything = [*self._single.values(), *(one for many in self._batches.values() for one in many.values())]
        return sorted((truth for truth in everything if truth.kept is not None), key=lambda truth: truth.predicted_at)

    def _add(self, record: Feedback) -> None:
        said_at = record.time.timestamp()
        known: dict[Any, Truth]
        key: Any
        if record.row is None:
            known, key = self._single, record.request_id
        else:
            known, key = self._batches.setdefault(record.request_id, {}), record.row
        before = known.get(key)
        if before is None or before.said_at <= said_at:
            known[key] = Truth(said_at, record.value)

    def _found(self, record: Prediction, truths: dict[None, Truth] | dict[int, Truth]) -> None:
        predicted_at = record.time.timestamp()
        try:
            keep = self._keep(record)
        except MISFITS:
            self.misfits += len(truths)
            return
        for row, truth in truths.items():
            if (row is not None and row >= record.rows) or truth.predicted_at > predicted_at:
                continue
            try:
                truth.kept, truth.predicted_at = keep(row), predicted_at
            except MISFITS:
                self.misfits += 1


def inputs_of(record: Prediction) -> Keep:
    """Keeps the raw inputs of a row, as JSON: many rows fit into memory that way."""
    whole = {"inputs": record.decoded(), "probabilities": None}
    if record.predictions is not None:
        whole["predictions"] = record.predictions

    def keep(row: int | None) -> bytes:
        inputs = (whole if row is None else row_of(whole, row))["inputs"]
        if not isinstance(inputs, dict):
            raise TypeError("the inputs of a row are a mapping")
        return msgspec.json.encode(inputs)

    return keep


def answers_of(bundle: Bundle) -> Callable[[Prediction], Keep]:
    """Keeps predictions and probabilities, the latter in the order of the bundle's classes."""

    def answers(record: Prediction) -> Keep:
        def keep(row: int | None) -> "tuple[float | str, array[float] | None]":
            predicted = record.prediction if record.predictions is None else record.predictions[row or 0]
            if not isinstance(predicted, str if bundle.classes else float):
                raise TypeError("the prediction is of another task")
            if not bundle.classes:
                return predicted, None
            chances: Any = record.probabilities
            if row is not None:
                chances = dict(zip(record.classes, chances[row], strict=True))
            return predicted, array("d", [chances[label] for label in bundle.classes])

        return keep

    return answers


def labelled_of(truths: Truths, bundle: Bundle) -> Labelled:
    """Those that were found, as arrays; values of another task than the bundle's are misfits."""
    found = [truth for truth in truths.found() if isinstance(truth.value, str if bundle.classes else float)]
    truths.misfits += len(truths.found()) - len(found)
    times = np.array([truth.predicted_at for truth in found], np.float64)
    if not bundle.classes:
        actual = np.array([truth.value for truth in found], np.float64)
        return Labelled(times, actual, np.array([truth.kept[0] for truth in found], np.float64), None)
    labels: dict[Any, Any] = {}
    values = np.empty(len(found), object)
    values[:] = [labels.setdefault(truth.value, truth.value) for truth in found]
    places = {label: place for place, label in enumerate(bundle.classes)}
    predicted = np.array([places.get(truth.kept[0], -1) for truth in found], np.int64)
    chances = np.array([truth.kept[1] for truth in found], np.float64).reshape(-1, len(bundle.classes))
    return Labelled(times, values, predicted, chances)
