"""Every prediction is kept, and no request waits for it; of what was asked in vain, how often."""

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tabular.errors import UserError
from tabular.prediction_log import log_records
from tabular.prediction_log.log_files import ERRORS, FEEDBACK, PREDICTIONS, Nowhere, Writer, worker_name, writer
from tabular.prediction_log.log_records import Counts, Record

logger = logging.getLogger(__name__)

BOUND = 100_000
FLUSH_SECONDS = 0.5
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
STOP_SECONDS = 5.0
YIELD_ENTRIES, YIELD_SECONDS = 50, 0.0001
"""Requests first: without pauses the writing thread would keep the interpreter from them for milliseconds."""
BATCH_ROWS = 20_000
"""What is encoded at once: memory while a long queue is written after a store was down."""


class _Entry(NamedTuple):
    """What a request leaves behind; made into a record by the writing thread."""

    time: float
    rows: int
    make: Callable[..., Record]
    kind: str
    values: tuple[Any, ...]


class _Batch(NamedTuple):
    kind: str
    day: str
    name: str
    content: bytes
    rows: int


class PredictionLog:
    """One for each worker. Nothing is dropped before `bound` rows wait; what is dropped after that is counted.

    Args:
        destination: a folder, path or fsspec URL; None keeps nothing, and is for a sample alone.
        bound: how many rows may wait.
        flush_seconds: how long a row waits at most while the destination answers.
        sample: is handed the records of each batch by the writing thread, which waits for it.
        watch: is handed the log by the writing thread after each attempt to write.
    """

    def __init__(
        self,
        destination: str | None,
        bound: int = BOUND,
        flush_seconds: float = FLUSH_SECONDS,
        sample: Callable[[Sequence[Record]], None] | None = None,
        watch: Callable[["PredictionLog"], None] | None = None,
    ) -> None:
        self.destination = destination
        self.bound = bound
        self.flush_seconds = flush_seconds
        self.written = 0
        """Rows that are safe."""
        self.warning: str | None = None
        """Why the destination does not take what is written; None while it does."""
        self._sample = sample
        self._watch = watch
        self._writer: Writer | None = writer(destination) if destination else Nowhere() if sample else None
        self._queue: deque[_Entry] = deque()
        self._errors: Counter[tuple[str, int, str]] = Counter()
        self._encoded: deque[_Batch] = deque()
        # Each of these is changed by one side only, and the lock is taken by the side of the requests only.
        self._accepted = self._refused = self._settled = self._lost = 0
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._worker, self._number = worker_name(), 0

    @property
    def pending(self) -> int:
        """Rows that wait."""
        return self._accepted - self._settled

    @property
    def dropped(self) -> int:
        """Rows that are lost: the queue was full, or the destination was still down at the end."""
        return self._refused + self._lost

    def start(self) -> None:
        """Begin to write. Entries from before are written too."""
        if self._writer is None or self._thread is not None:
            return
        self._thread = threading.Thread(target=self._run, name="stackhouse-prediction-log", daemon=True)
        self._thread.start()

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Write what waits, once; what cannot be written within `seconds` is lost, and counted."""
        self._stopping.set()
        if self._thread:
            self._thread.join(timeout=seconds)
            self._thread = None
        if self.pending:
            logger.error("%d logged rows are lost: %s", self.pending, self.warning or "there was no time to write them")
            self._lost += self.pending
            self._settled = self._accepted
        if self._errors or any(batch.kind == ERRORS for batch in self._encoded):
            logger.error("the last counts of requests without a prediction are lost")

    def add(
        self,
        request_id: str,
        inputs: Mapping[str, Any],
        prediction: float | str,
        probabilities: Mapping[str, float] | None,
        model: str,
        version: str,
        latency_ms: float,
        warnings: Counts | None = None,
    ) -> None:
        """Keep one prediction. Nothing that is handed over may be changed afterwards.

        Args:
            request_id: of the request.
            inputs: the raw values as they were sent, by column.
            prediction: a number, or a label.
            probabilities: by class; None for a regression.
            model: the model's name.
            version: the model's version.
            latency_ms: from the request's arrival to its answer.
            warnings: what was odd about the inputs.
        """
        values = (request_id, model, version, latency_ms, warnings, inputs, prediction, probabilities)
        self._put(_Entry(time.time(), 1, log_records.prediction, PREDICTIONS, values))

    def add_batch(
        self,
        request_id: str,
        inputs: Sequence[Mapping[str, Any]] | Mapping[str, Sequence[Any] | NDArray[Any]],
        predictions: Sequence[float | str] | NDArray[Any],
        probabilities: NDArray[np.float64] | None,
        classes: Sequence[str],
        model: str,
        version: str,
        latency_ms: float,
        warnings: Counts | None = None,
    ) -> None:
        """Keep all predictions of one request, at the cost of one. Nothing handed over may be changed afterwards.

        Args:
            request_id: of the request.
            inputs: the raw values, a mapping for each row or a list for each column.
            predictions: one for each row.
            probabilities: rows x classes; None for a regression.
            classes: their labels; empty for a regression.
            model: the model's name.
            version: the model's version.
            latency_ms: from the request's arrival to its answer.
            warnings: what was odd about the inputs, over all rows.
        """
        values = (request_id, model, version, latency_ms, warnings, inputs, predictions, probabilities, classes)
        self._put(_Entry(time.time(), len(predictions), log_records.batch, PREDICTIONS, values))

    def feedback(self, request_id: str, value: float | str, row: int | None = None) -> None:
        """Keep the true value of an earlier prediction.

        Args:
            request_id: of the prediction.
            value: a number, or a label.
            row: which of a batch, from 0; None for a single prediction.
        """
        self._put(_Entry(time.time(), 1, log_records.feedback, FEEDBACK, (request_id, value, row)))

    def error(self, route: str, status: int, code: str) -> None:
        """Count a request that no model answered. Each kind of them is a line at most with each flush.

        Nothing here may be made up by a client: whoever sends nonsense without end adds to a count, and to no line
        and to no memory. Counts never take the place of rows, and are no rows in `written` and `dropped`.

        Args:
            route: of the service.
            status: of HTTP; 200 where a fallback answered.
            code: the kind of mistake.
        """
        if self._writer is None:
            return
        with self._lock:
            self._errors[route, status, code] += 1

    def _put(self, entry: _Entry) -> None:
        if self._writer is None:
            return
        with self._lock:
            if self._accepted - self._settled + entry.rows > self.bound:
                self._refused += entry.rows
                return
            self._accepted += entry.rows
        self._queue.append(entry)

    def _run(self) -> None:
        assert self._writer
        pause = 0.0
        while not self._stopping.wait(pause or self.flush_seconds):
            pause = 0.0 if self._flush() else min(max(2 * pause, FIRST_PAUSE), LONGEST_PAUSE)
            if self._watch:
                self._watch(self)
        self._flush()
        self._writer.close()

    def _flush(self) -> bool:
        """Write all that waits. Returns whether the destination took it."""
        assert self._writer
        try:
            while self._encoded or self._queue:
                if not self._encoded:
                    self._encode()
                self._write_encoded()
            if self._errors:  # while the destination is down they are summed, and no file of them waits
                self._encode_errors()
                self._write_encoded()
        except UserError as error:
            if self.warning is None:
                logger.warning("the prediction log waits: %s", error)
            self.warning = str(error)
            return False
        except Exception as error:  # whatever it is, the thread lives on and the rows wait
            logger.exception("writing the prediction log failed")
            self.warning = f"{self.destination}: writing failed ({type(error).__name__}); see the service's log"
            return False
        self.warning = None
        return True

    def _write_encoded(self) -> None:
        assert self._writer
        while self._encoded:
            batch = self._encoded[0]
            self._writer.write(batch.kind, batch.day, batch.name, batch.content)
            self._encoded.popleft()
            self._settled += batch.rows
            self.written += batch.rows

    def _encode_errors(self) -> None:
        with self._lock:
            counts, self._errors = self._errors, Counter()
        moment = datetime.now(UTC)
        records = [log_records.error(moment, *kind, count) for kind, count in counts.items()]
        content = b"".join(log_records.line(record) + b"\n" for record in records)
        self._number += 1
        name = f"{self._worker}-{self._number:06d}"
        self._encoded.append(_Batch(ERRORS, moment.date().isoformat(), name, content, rows=0))

    def _encode(self) -> None:
        """Make files of the oldest entries."""
        entries: list[_Entry] = []
        rows = 0
        while self._queue and rows < BATCH_ROWS:
            entries.append(self._queue.popleft())
            rows += entries[-1].rows
        entries.sort(key=lambda entry: entry.kind)
        for (kind, day), group in groupby(entries, key=lambda entry: (entry.kind, int(entry.time // 86400))):
            self._encoded.append(self._file(kind, day, list(group)))

    def _file(self, kind: str, day: int, entries: list[_Entry]) -> _Batch:
        lines: list[bytes] = []
        records: list[Record] = []
        rows = 0
        for number, entry in enumerate(entries):
            if number % YIELD_ENTRIES == 0 and not self._stopping.is_set():
                time.sleep(YIELD_SECONDS)
            moment = datetime.fromtimestamp(entry.time, UTC)
            rows += entry.rows
            try:
                record = entry.make(moment, *entry.values)
                lines.append(log_records.line(record))
                records.append(record)
            except Exception:  # one entry that cannot be written must not hold up the others
                logger.exception("a logged prediction could not be written as JSON")
                self._lost += entry.rows
                self._settled += entry.rows
                rows -= entry.rows
        self._hand_over(kind, records)
        self._number += 1
        date = datetime.fromtimestamp(day * 86400, UTC).date().isoformat()
        lines.append(b"")
        return _Batch(kind, date, f"{self._worker}-{self._number:06d}", b"\n".join(lines), rows)

    def _hand_over(self, kind: str, records: list[Record]) -> None:
        if self._sample is None or kind != PREDICTIONS:
            return
        try:
            self._sample(records)
        except Exception:  # a sample is an extra: the log goes on without it
            logger.exception("the sample of predictions failed")
