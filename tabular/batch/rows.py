"""Turns a chunk into the input of the predictor, into its answers, and into the rows that have no answer."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tabular.batch.chunks import Chunk
from tabular.batch.values import Values, plain, read
from tabular.bundles.bundle import Bundle, Column
from tabular.bundles.encoding import BadInput, Encoder, Notes
from tabular.bundles.predictor import Predictor, Rows

NOT_FINITE: Final = "the model's answer is not finite"


class ReadyRows(NamedTuple):
    """The rows in which each value is of its column's kind."""

    table: dict[str, Values]
    """The columns, all of one length."""
    places: NDArray[np.int64]
    """For each row, its number in the chunk's table."""

    def only(self, kept: NDArray[np.bool_]) -> "ReadyRows":
        """The rows for which `kept` is true."""
        return ReadyRows({name: values[kept] for name, values in self.table.items()}, self.places[kept])


class ScoredRows(NamedTuple):
    """The rows of a chunk that have an answer, and the others with the reason why not."""

    ready: ReadyRows
    rows: Rows | None
    """The rows in the form that the predictor takes; None where there are none."""
    notes: Notes
    """The encoder's notes on these rows."""
    output: NDArray[np.float64]
    """Regression: shape (rows,); classification: shape (rows, classes), probabilities."""
    rejected: dict[int, str]
    """The reason why a row has no answer, by its number in the chunk."""


def answer(
    chunk: Chunk, forms: Mapping[str, str], bundle: Bundle, encoder: Encoder, predictor: Predictor
) -> ScoredRows:
    """Answer the rows of a chunk that can be scored, with the encoder of the service.

    Its table holds the columns of the model; `forms` says how the dates of each column are written.
    """
    ready, rejected = _ready(chunk, bundle.columns, forms)
    rows, notes, ready = _encoded(chunk, ready, rejected, encoder)
    if rows is None:
        shape = (0,) if bundle.task == "regression" else (0, len(bundle.classes))
        return ScoredRows(ready, None, notes, np.empty(shape), rejected)
    output = predictor.predict(rows)
    finite: NDArray[np.bool_] = np.all(np.isfinite(output.reshape(len(output), -1)), axis=1)
    if not finite.all():
        for place in np.flatnonzero(~finite):
            rejected[int(chunk.positions[ready.places[place]])] = NOT_FINITE
        rows, notes, ready = _encoded(chunk, ready.only(finite), rejected, encoder)
        output = output[finite]
    return ScoredRows(ready, rows, notes, output, rejected)


def _ready(chunk: Chunk, columns: Sequence[Column], forms: Mapping[str, str]) -> tuple[ReadyRows, dict[int, str]]:
    """The rows that can be scored, and the reason for each other row by its number in the chunk."""
    table: dict[str, Values] = {}
    bad = np.zeros(len(chunk.positions), dtype=bool)
    rejected = dict(chunk.faults)
    for column in columns:
        found = read(plain(chunk.table[column.name]), column, chunk.notation, forms.get(column.name))
        table[column.name] = found.values
        for reason, rows in found.bad.items():
            bad |= rows
            for place in np.flatnonzero(rows).tolist():
                rejected.setdefault(int(chunk.positions[place]), f"{column.name}: {reason}")
    ready = ReadyRows(table, np.arange(len(chunk.positions)))
    return (ready.only(~bad) if bad.any() else ready), rejected


def _encoded(
    chunk: Chunk, ready: ReadyRows, rejected: dict[int, str], encoder: Encoder
) -> tuple[Rows | None, Notes, ReadyRows]:
    """The rows, encoded; a row that the encoder refuses nevertheless is added to the rejected ones."""
    while len(ready.places):
        table = {name: v if v.dtype != object else v.tolist() for name, v in ready.table.items()}
        try:
            return *encoder.columns(table, limit=len(ready.places)), ready
        except BadInput as error:
            if error.row is None:
                raise
            rejected[int(chunk.positions[ready.places[error.row]])] = f"{error.field}: {error.problem}"
            kept = np.ones(len(ready.places), dtype=bool)
            kept[error.row] = False
            ready = ready.only(kept)
    return None, Notes(), ready
