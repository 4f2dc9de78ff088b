"""A part of the prediction log as arrays, for a monitor or for another training."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tabular.bundles.bundle import Bundle
from tabular.bundles.encoding import Notes
from tabular.bundles.predictor import Rows
from tabular.prediction_log.labels import Labelled, Truths, answers_of, labelled_of
from tabular.prediction_log.reading import LogReader, Span
from tabular.prediction_log.records import Feedback, Prediction, Refusals
from tabular.prediction_log.rows import NewestRows


@dataclass(frozen=True)
class Requests:
    """Requests that any version of a model answered with predictions; the arrays have one length and no order."""

    times: NDArray[np.float64]
    """When the requests were answered, in seconds since 1970, UTC."""
    latency_ms: NDArray[np.float64]
    """Time from each request's arrival to its answer."""
    rows: int
    """Number of rows in all of these requests."""


@dataclass(frozen=True)
class LogWindow:
    """What one version of a model was asked and predicted in a span of time, and how the service did meanwhile."""

    rows: Rows
    """Encoded rows, in no order; the newest ones where there are more than were asked for."""
    notes: Notes
    """What was odd about exactly these rows."""
    predicted: NDArray[Any]
    """Predictions of these rows: float64 for a regression; for a classification int64 codes into `Bundle.classes`,
    where -1 is a label that is not among them."""
    requests: Requests
    """Requests that any version of this model answered."""
    refusals: dict[tuple[int, str], int]
    """Number of requests that no model answered, by HTTP status and code. (200, "fallback") counts those that a
    fallback answered; they are also in `requests`. The log does not say which model was meant, so requests for any
    model that the service served are counted."""
    other_versions: dict[str, int]
    """Number of rows that others answered: by version, and for other models by name and version with a space between
    the two."""
    unreadable: int
    """Number of lines of these days that are torn or are not records, and of rows that do not fit the bundle."""
    labelled: Labelled


def read_window(
    destination: str, bundle: Bundle, start: datetime, end: datetime, most: int, labelled: Span | None = None
) -> LogWindow:
    """Read a log from `start` on and before `end`. Memory grows with `most` and the true values, not with the log.

    A client may send the same request id more than once: each of its predictions is a row and a request, and the
    newest of them gets the true value. A true value may arrive after `end`; where several arrive for one row, the
    newest counts.

    Args:
        destination: path or fsspec URL that the service was given; one that does not exist is an empty log.
        start, end: first moment, and the moment after the last one; both with an offset from UTC.
        most: largest number of rows; the newest are taken.
        labelled: span in which the predictions were made whose true values are wanted; None for none.

    Raises:
        places.StoreError: the store does not answer, or refuses.
    """
    reader = LogReader(destination)
    truths = Truths(reader.read(Feedback, (labelled[0], _now())) if labelled else (), answers_of(bundle))
    kept = NewestRows(bundle, most)
    times, latencies, rows = [np.empty(0)], [np.empty(0)], 0
    others: Counter[str] = Counter()
    for records in reader.read(Prediction, (start, end), *([labelled] if labelled else [])):
        for record in _within(records, labelled) if labelled else ():
            if _is_of(record, bundle):
                truths.match(record)
        inside = _within(records, (start, end))
        kept.add([record for record in inside if _is_of(record, bundle)])
        others.update(_other(record, bundle) for record in inside if not _is_of(record, bundle))
        own = [record for record in inside if record.model == bundle.name]
        asked = [record for record in own if not record.row]  # the first row of a batch stands for the request
        times.append(np.array([record.time.timestamp() for record in asked], np.float64))
        latencies.append(np.array([record.latency_ms for record in asked], np.float64))
        rows += len(own)
    refusals: Counter[tuple[int, str]] = Counter()
    for refused in reader.read(Refusals, (start, end)):
        for line in refused:
            if start <= line.time < end:
                refusals[line.status, line.code] += line.count
    found = labelled_of(truths, bundle)
    return LogWindow(
        *kept.taken(),
        Requests(np.concatenate(times), np.concatenate(latencies), rows),
        dict(sorted(refusals.items())),
        dict(sorted(others.items())),
        reader.unreadable + kept.unreadable + truths.misfits,
        found,
    )


def labelled_rows(
    destination: str, model: str, start: datetime, end: datetime, most: int
) -> list[tuple[dict[str, Any], float | str]]:
    """Read raw inputs and their true values for another training: of all versions of a model, the oldest first.

    The arguments are those of `read_window`; repeated request ids and true values are treated as there.

    Raises:
        places.StoreError: the store does not answer, or refuses.
    """
    reader = LogReader(destination)
    # Inputs as JSON take less memory than mappings.
    truths = Truths(reader.read(Feedback, (start, _now())), lambda record: msgspec.json.encode(record.inputs))
    for records in reader.read(Prediction, (start, end)):
        for record in _within(records, (start, end)):
            if record.model == model:
                truths.match(record)
    return [(msgspec.json.decode(truth.kept), truth.value) for truth in truths.matched()[-most:]]


def _within(records: list[Prediction], span: Span) -> list[Prediction]:
    start, end = span
    return [record for record in records if start <= record.time < end]


def _is_of(record: Prediction, bundle: Bundle) -> bool:
    return record.version == bundle.version and record.model == bundle.name


def _other(record: Prediction, bundle: Bundle) -> str:
    return record.version if record.model == bundle.name else f"{record.model} {record.version}"


def _now() -> datetime:
    return datetime.now(UTC) + timedelta(days=1)  # the clock of the writing machine may be ahead
