"""The log that the service writes: every prediction is kept, and no request waits for it."""

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from datetime import date
from itertools import islice
from typing import Any, NamedTuple

from tabular.errors import UserError
from tabular.prediction_log.files import Bucket, LocalFolder, worker_name
from tabular.prediction_log.records import (
    ERRORS,
    FEEDBACK,
    PREDICTIONS,
    Batch,
    Feedback,
    Prediction,
    Record,
    Refusals,
    line,
    lines,
    now,
)
from tabular.storage import addresses, places

logger = logging.getLogger(__name__)

BOUND = 100_000
BOUND_BYTES = 32 * 2**20
"""Bytes of the bodies whose rows wait. In memory their values take up to nine times as much."""
FLUSH_SECONDS = 0.5
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
STOP_SECONDS = 5.0
YIELD_ROWS, YIELD_SECONDS = 100, 0.0001
"""Requests come first: without pauses the writing thread would keep the interpreter from them for milliseconds."""
FILE_ROWS = 10_000
"""Rows that are encoded at once, which bounds memory while a long queue is written after a store was down."""
FILE_BYTES = 8 * 2**20
"""Bytes of the bodies whose rows are encoded at once, but for the last one of them."""


class _Encoded(NamedTuple):
    """Lines that wait until the destination takes them."""

    kind: str
    day: str
    name: str
    content: bytes
    rows: int
    size: int
    """Bytes of the bodies that the rows came in."""


class PredictionLog:
    """The log of one worker process. Nothing is dropped before too much waits; rows dropped then are counted.

    Args:
        destination: folder, as a path or an fsspec URL; None keeps nothing, and serves a sample alone.
        bound: largest number of rows that may wait.
        bound_bytes: largest number of bytes that they may have come in.
        flush_seconds: longest time that a row waits while the destination answers.
        sample: called by the writing thread with the predictions that it is about to write; the thread waits for it.
        watch: called by the writing thread with this log after each attempt to write.
    """

    def __init__(
        self,
        destination: str | None,
        bound: int = BOUND,
        flush_seconds: float = FLUSH_SECONDS,
        sample: Callable[[Sequence[Prediction]], None] | None = None,
        watch: Callable[["PredictionLog"], None] | None = None,
        bound_bytes: int = BOUND_BYTES,
    ) -> None:
        self.destination = destination
        self.bound, self.bound_bytes = bound, bound_bytes
        self.flush_seconds = flush_seconds
        self.written = 0
        """Number of rows that are safe."""
        self.warning: str | None = None
        """Why the destination does not take what is written; None while it does."""
        self._sample = sample
        self._watch = watch
        self._is_on = bool(destination or sample)
        self._store: Bucket | LocalFolder | None = None
        if destination:
            is_remote = addresses.is_remote(destination)
            self._store = Bucket(destination) if is_remote else LocalFolder(places.local_path(destination))
        self._queue: deque[tuple[Prediction | Feedback | Batch, int]] = deque()
        self._errors: Counter[tuple[str, int, str]] = Counter()
        self._encoded: deque[_Encoded] = deque()
        # Each of these is changed by one side only, and only the side of the requests takes the lock.
        self._accepted = self._refused = self._settled = self._lost = 0
        self._accepted_bytes = self._settled_bytes = 0
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._worker, self._number = worker_name(), 0

    @property
    def pending(self) -> int:
        """Number of rows that wait."""
        return self._accepted - self._settled

    @property
    def dropped(self) -> int:
        """Number of rows that are lost, because the queue was full or the destination was still down at the end."""
        return self._refused + self._lost

    def start(self) -> None:
        """Begin to write, also what was added before."""
        if not self._is_on or self._thread is not None:
            return
        self._thread = threading.Thread(target=self._run, name="stackhouse-prediction-log", daemon=True)
        self._thread.start()

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Write what waits, once; rows that cannot be written within `seconds` are lost, and counted."""
        self._stopping.set()
        if self._thread:
            self._thread.join(timeout=seconds)
            self._thread = None
        if self.pending:
            logger.error("%d logged rows are lost: %s", self.pending, self.warning or "there was no time to write them")
            self._lost += self.pending
            self._settled = self._accepted
        if self._errors or any(encoded.kind == ERRORS for encoded in self._encoded):
            logger.error("the last counts of requests without a prediction are lost")

    def add(self, entry: Prediction | Batch | Feedback, size: int = 0) -> None:
        """Keep a prediction, all predictions of a request, or a true value. It must not be changed afterwards.

        Args:
            size: number of bytes in which the inputs came; a true value has none.
        """
        if not self._is_on:
            return
        rows = len(entry.predictions) if isinstance(entry, Batch) else 1
        with self._lock:
            held = self._accepted_bytes - self._settled_bytes
            is_too_large = held > 0 and held + size > self.bound_bytes  # an entry that is alone is always taken
            if is_too_large or self._accepted - self._settled + rows > self.bound:
                self._refused += rows
                return
            self._accepted += rows
            self._accepted_bytes += size
        self._queue.append((entry, size))

    def error(self, route: str, status: int, code: str) -> None:
        """Count a request that no model answered. Each flush writes at most one line for each kind of error.

        The status is 200 where a fallback answered. None of the arguments may be chosen by a client: endless bad
        requests then add to a count, and to neither lines nor memory. Counts never take the place of rows, and are not
        rows in `written` and `dropped`.
        """
        if self._is_on:
            with self._lock:
                self._errors[route, status, code] += 1

    def _run(self) -> None:
        pause = 0.0
        while not self._stopping.wait(pause or self.flush_seconds):
            pause = 0.0 if self._flush() else min(max(2 * pause, FIRST_PAUSE), LONGEST_PAUSE)
            if self._watch:
                self._watch(self)
        self._flush()
        if self._store:
            self._store.close()

    def _flush(self) -> bool:
        """Write all that waits. Returns whether the destination took it."""
        try:
            while self._encoded or self._queue:
                if not self._encoded:
                    self._encode()
                self._write_encoded()
            if self._errors:  # while the destination is down they are summed, and no file of them waits
                with self._lock:
                    counts, self._errors = self._errors, Counter()
                moment = now()
                content = lines([Refusals(moment, *kind, count) for kind, count in counts.items()])
                self._encoded.append(_Encoded(ERRORS, moment.date().isoformat(), self._name(), content, rows=0, size=0))
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
        while self._encoded:
            first = self._encoded[0]
            if self._store:
                self._store.write(first.kind, first.day, first.name, first.content)
            self._encoded.popleft()
            self._settled += first.rows
            self._settled_bytes += first.size
            self.written += first.rows

    def _encode(self) -> None:
        """Encode the oldest entries, as one file for each kind and day."""
        files: dict[tuple[str, date], list[Record | Batch]] = {}
        sizes: Counter[tuple[str, date]] = Counter()
        rows = taken = 0
        while self._queue and rows < FILE_ROWS and taken < FILE_BYTES:
            entry, size = self._queue.popleft()
            file = FEEDBACK if isinstance(entry, Feedback) else PREDICTIONS, entry.time.date()
            files.setdefault(file, []).append(entry)
            sizes[file] += size
            taken += size
            rows += len(entry.predictions) if isinstance(entry, Batch) else 1
        for (kind, day), entries in files.items():
            records = [entry for entry in entries if not isinstance(entry, Batch)]
            parts = [self._lines(records), *(self._batch(entry) for entry in entries if isinstance(entry, Batch))]
            content, rows = b"".join(part for part, _ in parts), sum(rows for _, rows in parts)
            self._encoded.append(_Encoded(kind, day.isoformat(), self._name(), content, rows, sizes[kind, day]))
            if self._sample and kind == PREDICTIONS:
                self._draw_sample(entries)

    def _batch(self, batch: Batch) -> tuple[bytes, int]:
        """Encode a batch. Returns its lines, and how many there are."""
        try:
            lines, parts = batch.lines(), []
            while some := list(islice(lines, YIELD_ROWS)):
                parts += some
                self._pause()
            return b"".join(parts), len(parts)
        except Exception:  # an odd value, which only single records can be written with
            try:
                return self._lines(batch.records())
            except Exception:  # one request that cannot be written must not hold up the others
                logger.exception("a logged batch of predictions could not be made into rows")
                self._lose(len(batch.predictions))
                return b"", 0

    def _lines(self, records: Sequence[Record]) -> tuple[bytes, int]:
        """Encode records. Returns their lines, and how many there are."""
        parts, rows = [], 0
        for start in range(0, len(records), YIELD_ROWS):
            self._pause()
            some: Sequence[Record] = records[start : start + YIELD_ROWS]
            try:
                parts.append(lines(some))
            except Exception:
                some = [record for record in some if self._is_json(record)]
                parts.append(lines(some))
            rows += len(some)
        return b"".join(parts), rows

    def _pause(self) -> None:
        if not self._stopping.is_set():
            time.sleep(YIELD_SECONDS)

    def _draw_sample(self, entries: Sequence[Any]) -> None:
        assert self._sample
        try:
            for entry in entries:
                self._sample(entry.records() if isinstance(entry, Batch) else [entry])
        except Exception:  # a sample is an extra: the log goes on without it
            logger.exception("the sample of predictions failed")

    def _is_json(self, record: Record) -> bool:
        try:
            line(record)
        except Exception:  # one record that cannot be written must not hold up the others
            logger.exception("a logged prediction could not be written as JSON")
            self._lose(1)
            return False
        return True

    def _lose(self, rows: int) -> None:
        self._lost += rows
        self._settled += rows

    def _name(self) -> str:
        self._number += 1
        return f"{self._worker}-{self._number:06d}"
