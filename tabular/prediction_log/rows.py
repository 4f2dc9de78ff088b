"""The newest rows of a log, encoded as the service encoded them."""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tabular.bundles.bundle import Bundle
from tabular.bundles.encoding import BadInput, Encoder, Notes
from tabular.bundles.predictor import Rows
from tabular.bundles.values import LARGEST
from tabular.prediction_log.records import Prediction

SLACK: Final = 200_000
"""Rows beyond the wanted number that are held before the oldest are dropped."""


class _DecodedRows(NamedTuple):
    numbers: NDArray[np.float64]
    codes: NDArray[np.int32]
    absent: NDArray[np.bool_]
    """Rows x category columns: whether the value is missing, which the codes do not always tell from unknown."""
    times: NDArray[np.float64]
    predicted: NDArray[Any]


class NewestRows:
    """The newest `most` rows of one version; memory does not grow with the number of records that are added."""

    def __init__(self, bundle: Bundle, most: int) -> None:
        self._bundle, self._most = bundle, most
        self._encoder = Encoder(bundle.columns)
        self._categories = [column.name for column in bundle.columns if column.kind == "category"]
        self._numbers = [column for column in bundle.columns if column.kind != "category"]
        self._codes = {label: code for code, label in enumerate(bundle.classes)}
        kind = np.int64 if bundle.classes else np.float64
        none = np.empty((0, len(self._categories)))
        self._parts = [
            _DecodedRows(
                np.empty((0, len(self._numbers))),
                none.astype(np.int32),
                none.astype(np.bool_),
                np.empty(0),
                np.empty(0, kind),
            )
        ]
        self._held = 0
        self._oldest = -np.inf
        self.unreadable = 0
        """Number of rows so far that do not fit the bundle."""

    def add(self, records: list[Prediction]) -> None:
        """Add records of this version."""
        answer = str if self._bundle.classes else float
        new = [record for record in records if record.time.timestamp() >= self._oldest]
        good = [record for record in new if isinstance(record.prediction, answer)]
        try:
            self._keep(good)
        except BadInput:
            good = [record for record in good if self._is_encodable(record)]
            self._keep(good)
        self.unreadable += len(new) - len(good)
        if self._held > self._most + SLACK:
            self._parts = [self._newest()]
            self._held = self._most
            self._oldest = self._parts[0].times.min()

    def taken(self) -> tuple[Rows, Notes, NDArray[Any]]:
        """Return the rows, what was odd about them, and their predictions.

        The predictions are float64, or int64 codes of the classes, where -1 is a label that is not among them.
        """
        part = self._newest()
        self._parts = [part]
        notes = Notes()
        for place, column in enumerate(self._numbers):
            values = part.numbers[:, place]
            low = -LARGEST if column.min is None else column.min
            high = LARGEST if column.max is None else column.max
            _note(notes.missing, column.name, np.isnan(values))
            _note(notes.out_of_range, column.name, (values < low) | (values > high))
        for place, name in enumerate(self._categories):
            absent = part.absent[:, place]
            _note(notes.missing, name, absent)
            _note(notes.unknown, name, (part.codes[:, place] == -1) & ~absent)
        return Rows(part.numbers, part.codes), notes, part.predicted

    def _keep(self, records: list[Prediction]) -> None:
        if not records:
            return
        rows, _ = self._encoder.rows([record.inputs for record in records], len(records))
        absent = np.empty(rows.codes.shape, np.bool_)
        for place, name in enumerate(self._categories):
            absent[:, place] = [record.inputs.get(name) is None for record in records]
        times = np.array([record.time.timestamp() for record in records], np.float64)
        answers: list[Any] = [record.prediction for record in records]
        predicted = (
            np.array([self._codes.get(answer, -1) for answer in answers], np.int64)
            if self._bundle.classes
            else np.array(answers, np.float64)
        )
        self._parts.append(_DecodedRows(rows.numbers, rows.codes, absent, times, predicted))
        self._held += len(records)

    def _is_encodable(self, record: Prediction) -> bool:
        try:
            self._encoder.row(record.inputs)
        except BadInput:
            return False
        return True

    def _newest(self) -> _DecodedRows:
        whole = self._parts[0]
        if len(self._parts) > 1:
            whole = _DecodedRows(*(np.concatenate(values) for values in zip(*self._parts, strict=True)))
        if len(whole.times) <= self._most:
            return whole
        numbers, codes, absent, times, predicted = whole
        newest = np.sort(np.argsort(times, kind="stable")[-self._most :])
        return _DecodedRows(numbers[newest], codes[newest], absent[newest], times[newest], predicted[newest])


def _note(notes: dict[str, int], name: str, found: NDArray[np.bool_]) -> None:
    count = int(found.sum())
    if count:
        notes[name] = count
