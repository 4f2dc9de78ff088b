"""The newest rows of a log, encoded as the service encoded them."""

from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from tabular.bundles.bundle import Bundle
from tabular.bundles.encoding import BadInput, Encoder, Notes
from tabular.bundles.predictor import Rows
from tabular.bundles.values import LARGEST
from tabular.prediction_log.log_reading import Prediction

SLACK: Final = 200_000
"""How many more rows than wanted are held before the oldest are let go."""
FROM_COLUMNS: Final = 64
"""A batch by column of so many rows is encoded by itself; smaller ones are encoded together."""


class _Part(NamedTuple):
    numbers: NDArray[np.float64]
    codes: NDArray[np.int32]
    absent: NDArray[np.bool_]
    """Rows x category columns: missing, which the codes do not always tell from unknown."""
    times: NDArray[np.float64]
    predicted: NDArray[Any]


class NewestRows:
    """Rows of one version, of any number of records; no more than some are held.

    Args:
        bundle: of the version.
        most: of more rows the newest are kept.
    """

    def __init__(self, bundle: Bundle, most: int) -> None:
        self._bundle, self._most = bundle, most
        self._encoder = Encoder(bundle.columns)
        self._categories = [column.name for column in bundle.columns if column.kind == "category"]
        self._numbers = [column for column in bundle.columns if column.kind != "category"]
        self._places = {label: place for place, label in enumerate(bundle.classes)}
        self._parts: list[_Part] = []
        self._held = 0
        self._oldest = -np.inf
        self.unreadable = 0
        """Rows so far that do not fit the bundle."""

    def add(self, records: list[Prediction]) -> None:
        """Take the rows of records of this version."""
        new = [record for record in records if record.time.timestamp() >= self._oldest]
        single = [record for record in new if record.predictions is None]
        rows = self._decoded(single)
        times = [record.time.timestamp() for record in single]
        predicted: list[Any] = [record.prediction for record in single]
        for record in new:
            if record.predictions is not None:
                batch = self._batch(record)
                rows += batch
                times += [record.time.timestamp()] * len(batch)
                predicted += record.predictions[: len(batch)]
        self._add_rows(rows, times, predicted)
        if self._held > self._most + SLACK:
            self._parts = [self._newest()]
            self._held = self._most
            self._oldest = self._parts[0].times.min()

    def taken(self) -> tuple[Rows, Notes, NDArray[Any]]:
        """Rows, what was odd about them, and their predictions: float64, or int64 codes of classes and -1."""
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

    def _decoded(self, records: list[Prediction]) -> list[Any]:
        """The inputs of records that are no batches; None for those that are no JSON."""
        try:
            found: list[Any] = msgspec.json.decode(b"[" + b",".join(record.inputs for record in records) + b"]")
            return found
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return [_inputs(record) for record in records]

    def _batch(self, record: Prediction) -> list[Any]:
        """The rows of a batch, or none: it was by column and is encoded, or its parts do not fit together."""
        assert record.predictions is not None
        count, inputs = len(record.predictions), _inputs(record)
        if isinstance(inputs, list) and len(inputs) == count:
            return inputs
        if (
            not isinstance(inputs, dict)
            or not inputs
            or any(not isinstance(values, list) or len(values) != count for values in inputs.values())
        ):
            self.unreadable += count
            return []
        if count >= FROM_COLUMNS:
            try:
                encoded = self._encoder.columns(inputs, count)[0]
                absent = [
                    np.array([value is None for value in inputs[name]]) if name in inputs else True
                    for name in self._categories
                ]
                self._keep(encoded, absent, [record.time.timestamp()] * count, record.predictions)
                return []
            except BadInput:
                pass  # some rows may be good
        return [dict(zip(inputs, values, strict=True)) for values in zip(*inputs.values(), strict=True)]

    def _add_rows(self, rows: list[Any], times: list[float], predicted: list[Any]) -> None:
        if not rows:
            return
        try:
            encoded = self._encoder.rows(rows, len(rows))[0]
        except BadInput:
            good = [place for place, row in enumerate(rows) if self._is_good(row)]
            self.unreadable += len(rows) - len(good)
            self._add_rows(*([values[place] for place in good] for values in (rows, times, predicted)))
            return
        absent = [np.array([row.get(name) is None for row in rows]) for name in self._categories]
        self._keep(encoded, absent, times, predicted)

    def _is_good(self, row: Any) -> bool:
        try:
            self._encoder.row(row)
        except BadInput:
            return False
        return True

    def _keep(self, rows: Rows, absent: list[Any], times: list[float], predicted: list[Any]) -> None:
        flags = np.empty(rows.codes.shape, np.bool_)
        for place, values in enumerate(absent):
            flags[:, place] = values
        wanted = str if self._bundle.classes else float
        fits = np.array([type(value) is wanted for value in predicted])
        if not fits.all():
            self.unreadable += int((~fits).sum())
            predicted = [value for value in predicted if type(value) is wanted]
            rows, flags = Rows(rows.numbers[fits], rows.codes[fits]), flags[fits]
            times = [moment for moment, fit in zip(times, fits, strict=True) if fit]
        answers = (
            np.array([self._places.get(label, -1) for label in predicted], np.int64)
            if self._bundle.classes
            else np.array(predicted, np.float64)
        )
        self._parts.append(_Part(rows.numbers, rows.codes, flags, np.array(times, np.float64), answers))
        self._held += len(answers)

    def _newest(self) -> _Part:
        whole = self._parts[0] if len(self._parts) == 1 else self._together()
        if len(whole.times) <= self._most:
            return whole
        numbers, codes, absent, times, predicted = whole
        newest = np.sort(np.argsort(times, kind="stable")[-self._most :])
        return _Part(numbers[newest], codes[newest], absent[newest], times[newest], predicted[newest])

    def _together(self) -> _Part:
        kind = np.int64 if self._bundle.classes else np.float64
        none = _Part(
            np.empty((0, len(self._numbers))),
            np.empty((0, len(self._categories)), np.int32),
            np.empty((0, len(self._categories)), np.bool_),
            np.empty(0),
            np.empty(0, kind),
        )
        return _Part(*(np.concatenate(values) for values in zip(none, *self._parts, strict=True)))


def _inputs(record: Prediction) -> Any:
    try:
        return record.decoded()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _note(notes: dict[str, int], name: str, found: NDArray[np.bool_]) -> None:
    count = int(found.sum())
    if count:
        notes[name] = count
