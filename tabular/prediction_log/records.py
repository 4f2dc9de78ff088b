"""The records of the prediction log: one JSON line for each predicted row, true value or count of failed requests."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

PREDICTIONS, FEEDBACK, ERRORS = "predictions", "feedback", "errors"
"""The kinds of records; each lies in a folder of its own."""

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""A point in time with an offset from UTC."""


class Prediction(msgspec.Struct, gc=False):
    """One row that was predicted."""

    request_id: str
    row: int | None
    """Position of the row in its batch, from 0; None for a request that held a single row."""
    time: Moment
    model: str
    version: str
    latency_ms: float
    """Time from the request's arrival to its answer."""
    inputs: dict[str, Any]
    """Raw values by column, as the client sent them."""
    prediction: float | str | None
    """A number for a regression, a label for a classification."""
    probabilities: dict[str, float | None] | None = None
    """Probability of each class; None for a regression."""


class Feedback(msgspec.Struct, gc=False):
    """The true value of an earlier prediction."""

    request_id: str
    time: Moment
    value: float | str
    row: int | None = None
    """Position of the row in its batch, from 0; None for a request that held a single row."""


class Refusals(msgspec.Struct, gc=False):
    """How many requests of one kind were not answered by a model, since the line before that counts them."""

    time: Moment
    route: str
    status: int
    """HTTP status code of the response; 200 where a fallback answered."""
    code: str
    """Kind of the error, such as `unknown_field`."""
    count: int


Record = Prediction | Feedback | Refusals
KINDS: dict[type[Record], str] = {Prediction: PREDICTIONS, Feedback: FEEDBACK, Refusals: ERRORS}


class Batch(NamedTuple):
    """All rows of one request, before they are made into records."""

    request_id: str
    time: datetime
    model: str
    version: str
    latency_ms: float
    inputs: Sequence[Mapping[str, Any]] | Mapping[str, Sequence[Any] | NDArray[Any]]
    """A mapping for each row, or a list of values for each column."""
    predictions: Sequence[float | str] | NDArray[Any]
    """One prediction for each row."""
    probabilities: NDArray[np.float64] | None
    """Rows x classes; None for a regression."""
    classes: Sequence[str]
    """Labels of the columns of `probabilities`; empty for a regression."""

    def records(self) -> list[Prediction]:
        """Return one record for each row. Raises ValueError where the parts of the batch differ in length."""
        shares: Sequence[Any] = [None] * len(self.predictions)
        if self.probabilities is not None:
            shares = [dict(zip(self.classes, row, strict=True)) for row in self.probabilities.tolist()]
        request_id, moment, model, version, latency_ms = self[:5]
        places = range(len(self.predictions))
        rows = zip(places, self._inputs(), _listed(self.predictions), shares, strict=True)
        return [
            Prediction(request_id, row, moment, model, version, latency_ms, inputs, prediction, chances)
            for row, inputs, prediction, chances in rows
        ]

    def lines(self) -> Iterator[bytes]:
        """Return the line of each record, with its line break. Faster than by records: a column is encoded at once.

        Raises:
            ValueError: the parts of the batch differ in length; raised at the end of the shortest.
            TypeError, RecursionError, OverflowError, msgspec.MsgspecError: msgspec cannot encode a value.
        """
        inputs, chances = b"%b", b"null"
        columns: list[Any] = [range(len(self.predictions)), self.inputs, self.predictions]
        if isinstance(self.inputs, Mapping):
            inputs, columns[1:2] = _object(self.inputs), self.inputs.values()
        if self.probabilities is not None:
            chances = _object(self.classes)
            columns += list(self.probabilities.T)
        raw: Any = msgspec.Raw
        request_id, model, version = (text.replace("%", "%%") for text in (self.request_id, self.model, self.version))
        shared = request_id, raw(b"%b"), self.time, model, version, self.latency_ms
        form = _ENCODER.encode(Prediction(*shared, raw(inputs), raw(b"%b"), raw(chances))) + b"\n"
        texts = (_ENCODER.encode_lines(_listed(values)).splitlines() for values in columns)
        return map(form.__mod__, zip(*texts, strict=True))

    def _inputs(self) -> Iterable[Any]:
        if not isinstance(self.inputs, Mapping):
            return self.inputs
        names = tuple(self.inputs)
        rows = zip(*map(_listed, self.inputs.values()), strict=True)
        return (dict(zip(names, values, strict=True)) for values in rows)


def shorten(inputs: Any, columns: Iterable[str], longest: int) -> None:
    """Cut longer texts in some columns of a batch, in place.

    Args:
        inputs: a list with a dict for each row, or a dict with a list of values for each column.
        columns: names of the columns, which a row may lack.
        longest: number of characters that are kept.
    """
    for name in columns:
        if isinstance(inputs, dict):
            values = inputs[name]
            inputs[name] = [value[:longest] if type(value) is str else value for value in values]
        else:
            for row in inputs:
                value = row.get(name)
                if type(value) is str and len(value) > longest:
                    row[name] = value[:longest]


def now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.fromtimestamp(time.time(), UTC)


def line(record: Record) -> bytes:
    """Return a record as JSON, without a line break.

    Raises:
        TypeError, ValueError, RecursionError: a value cannot be written as JSON.
    """
    try:
        return _ENCODER.encode(record)
    except (OverflowError, UnicodeEncodeError, msgspec.MsgspecError):
        # Python's own encoder takes the odd values that some clients send: huge integers, halves of surrogate pairs.
        return json.dumps(msgspec.structs.asdict(record), default=_text).encode()


def lines(records: Sequence[Record]) -> bytes:
    """Return whole lines of JSON, one for each record. Raises as `line`."""
    try:
        return _ENCODER.encode_lines(records)
    except (OverflowError, UnicodeEncodeError, msgspec.MsgspecError):
        return b"".join(line(record) + b"\n" for record in records)


def _object(names: Iterable[str]) -> bytes:
    """Return the form of an object in JSON, with a place for each value that bytes' operator % fills."""
    return b"{%b}" % b",".join(_ENCODER.encode(name).replace(b"%", b"%%") + b":%b" for name in names)


def _listed(values: Sequence[Any] | NDArray[Any]) -> Sequence[Any]:
    """Return the values as plain Python objects, which are encoded faster than those of NumPy."""
    listed: Sequence[Any] = values.tolist() if isinstance(values, np.ndarray) else values
    return listed


def _plain(value: Any) -> Any:
    """Convert what msgspec does not know: arrays and scalars of NumPy, and other mappings."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    raise msgspec.EncodeError(f"{type(value).__name__} has no form in JSON")


def _text(value: Any) -> Any:
    try:
        return _plain(value)
    except msgspec.EncodeError:
        return value.isoformat() if isinstance(value, datetime) else str(value)


_ENCODER = msgspec.json.Encoder(enc_hook=_plain)
