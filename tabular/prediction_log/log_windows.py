"""A part of the prediction log as arrays: what a monitor looks at, and what another training may learn from."""

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
from tabular.prediction_log.log_labels import Labelled, Truths, answers_of, inputs_of, labelled_of
from tabular.prediction_log.log_reading import LogReader, Prediction, Span
from tabular.prediction_log.log_rows import NewestRows

__all__ = ["Labelled", "LogWindow", "Requests", "Span", "labelled_rows", "read_window"]


@dataclass(frozen=True)
class Requests:
    """Requests that were answered with a prediction, by whichever version; arrays of one length, in no order."""

    times: NDArray[np.float64]
    """Seconds since 1970, UTC."""
    latency_ms: NDArray[np.float64]
    rows: NDArray[np.int64]


@dataclass(frozen=True)
class LogWindow:
    """What one version of a model was asked and said in a span of time, and how the service did meanwhile."""

    rows: Rows
    """Encoded, in no order; of more than were asked for, the newest."""
    notes: Notes
    """What was odd about exactly these rows."""
    predicted: NDArray[Any]
    """Of these rows: float64 of a regression; of a classification int64 codes into `Bundle.classes`, -1 for a label
    that is none of them."""
    requests: Requests
    """Of all versions of this model."""
    refusals: dict[tuple[int, str], int]
    """Requests that no model answered, by status and code; (200, "fallback") is one that a fallback answered, and is
    also in `requests`. The log does not say of which model: those of all models that it served are here."""
    other_versions: dict[str, int]
    """Rows that others answered: by version, and those of other models by name and version with a space between."""
    unreadable: int
    """Lines of these days that are torn or lack something, and rows that do not fit the bundle."""
    labelled: Labelled


def read_window(
    destination: str, bundle: Bundle, start: datetime, end: datetime, most: int, labelled: Span | None = None
) -> LogWindow:
    """Read a log from `start` on and before `end`. Memory grows with `most` and the true values, not with the log.

    A client may send the same request id more than once: each of its predictions is a row and a request, and the
    newest of them takes the true value. A true value may come after `end`; of several for one row of a request the
    newest counts.

    Args:
        destination: a path or fsspec URL, as the service was given it; one that does not exist is an empty log.
        bundle: of the version that is looked at.
        start: with an offset from UTC.
        end: with an offset from UTC.
        most: of more rows the newest are taken.
        labelled: when the predictions were made whose true value is wanted; None for none.

    Raises:
        places.Unreachable: the store does not answer.
    """
    reader = LogReader(destination)
    truths = Truths(reader.feedback((labelled[0], _now())) if labelled else (), answers_of(bundle))
    kept, requests = NewestRows(bundle, most), _RequestParts()
    others: Counter[str] = Counter()
    for records in reader.predictions((start, end), *([labelled] if labelled else [])):
        if labelled:
            for record in _within(records, labelled):
                if _is_of(record, bundle):
                    truths.answered(record)
        inside = _within(records, (start, end))
        requests.add([record for record in inside if record.model == bundle.name])
        own = [record for record in inside if _is_of(record, bundle)]
        kept.add(own)
        if len(own) < len(inside):
            for record in inside:
                if not _is_of(record, bundle):
                    others[_other(record, bundle)] += record.rows
    refusals: Counter[tuple[int, str]] = Counter()
    for refused in reader.refusals((start, end)):
        for line in refused:
            if start <= line.time < end:
                refusals[line.status, line.code] += line.count
    rows, notes, predicted = kept.taken()
    found = labelled_of(truths, bundle)
    return LogWindow(
        rows,
        notes,
        predicted,
        requests.together(),
        dict(sorted(refusals.items())),
        dict(sorted(others.items())),
        reader.unreadable + kept.unreadable + truths.misfits,
        found,
    )


def labelled_rows(
    destination: str, model: str, start: datetime, end: datetime, most: int
) -> list[tuple[dict[str, Any], float | str]]:
    """Raw inputs and their true values, for another training: of every version of a model, the oldest first.

    Args:
        destination: as `read_window`; of request ids and true values that come more than once, the same holds.
        model: the model's name.
        start: the predictions were made from then on.
        end: and before then.
        most: of more rows the newest are taken.

    Raises:
        places.Unreachable: the store does not answer.
    """
    reader = LogReader(destination)
    truths = Truths(reader.feedback((start, _now())), inputs_of)
    for records in reader.predictions((start, end)):
        for record in _within(records, (start, end)):
            if record.model == model:
                truths.answered(record)
    return [(msgspec.json.decode(truth.kept), truth.value) for truth in truths.found()[-most:]]


class _RequestParts:
    def __init__(self) -> None:
        self._parts = [(np.empty(0), np.empty(0), np.empty(0, np.int64))]

    def add(self, records: list[Prediction]) -> None:
        times = np.array([record.time.timestamp() for record in records], np.float64)
        latencies = np.array([record.latency_ms for record in records], np.float64)
        self._parts.append((times, latencies, np.array([record.rows for record in records], np.int64)))

    def together(self) -> Requests:
        return Requests(*(np.concatenate(values) for values in zip(*self._parts, strict=True)))


def _within(records: list[Prediction], span: Span) -> list[Prediction]:
    start, end = span
    return [record for record in records if start <= record.time < end]


def _is_of(record: Prediction, bundle: Bundle) -> bool:
    return record.version == bundle.version and record.model == bundle.name


def _other(record: Prediction, bundle: Bundle) -> str:
    return record.version if record.model == bundle.name else f"{record.model} {record.version}"


def _now() -> datetime:
    return datetime.now(UTC) + timedelta(days=1)  # the clock of whoever writes may be ahead
