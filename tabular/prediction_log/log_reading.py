"""Records of the prediction log, typed, in chunks: for whoever reads millions of them."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Annotated, Any, Final, TypeVar

import msgspec

from tabular.prediction_log.log_files import ERRORS, FEEDBACK, PREDICTIONS, WRITE_SECONDS
from tabular.storage import places
from tabular.storage.places import is_remote

CHUNK_BYTES: Final = 8 * 2**20
"""What is decoded at once: some 20,000 rows of a request each. One line may be longer."""
FETCHES: Final = 16
"""Objects of a bucket that are fetched at once: a log there has one for each few seconds, and each takes a while."""

Span = tuple[datetime, datetime]
"""From the first moment on, and before the second; both with an offset from UTC."""
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Prediction(msgspec.Struct, gc=False):
    """What a request was answered; a batch has `predictions`, a single row `prediction`."""

    request_id: str
    time: Moment
    model: str
    version: str
    latency_ms: float
    inputs: msgspec.Raw
    """Undecoded: of a batch a list for each column, or a list of rows."""
    prediction: float | str | None = None
    predictions: list[float | str | None] | None = None
    probabilities: dict[str, float | None] | list[list[float | None]] | None = None
    classes: list[str] = []

    @property
    def rows(self) -> int:
        """How many were predicted."""
        return 1 if self.predictions is None else len(self.predictions)

    def decoded(self) -> Any:
        """The raw inputs. Raises msgspec.MsgspecError."""
        return msgspec.json.decode(self.inputs)


class Feedback(msgspec.Struct, gc=False):
    """The true value of an earlier prediction."""

    request_id: str
    time: Moment
    value: float | str
    row: int | None = None


class Refusals(msgspec.Struct, gc=False):
    """How many requests of a kind no model answered."""

    time: Moment
    route: str
    status: int
    code: str
    count: int


Record = TypeVar("Record", Prediction, Feedback, Refusals)


class LogReader:
    """Reads the days of a log that are asked for, the newest day first.

    Args:
        destination: a path or fsspec URL, as the log was given it; one that does not exist holds nothing.

    All methods raise `places.Unreachable` when the store does not answer.
    """

    def __init__(self, destination: str) -> None:
        self._folder = destination.rstrip("/")
        self.unreadable = 0
        """Lines so far that a killed process left unfinished, that are no JSON, or that lack something."""

    def predictions(self, *spans: Span) -> Iterator[list[Prediction]]:
        """Chunks of all records of the days that these spans touch, whatever their time."""
        return self._records(PREDICTIONS, Prediction, spans)

    def feedback(self, *spans: Span) -> Iterator[list[Feedback]]:
        """As `predictions`."""
        return self._records(FEEDBACK, Feedback, spans)

    def refusals(self, *spans: Span) -> Iterator[list[Refusals]]:
        """As `predictions`."""
        return self._records(ERRORS, Refusals, spans)

    def _records(self, kind: str, of: type[Record], spans: Iterable[Span]) -> Iterator[list[Record]]:
        decoder = msgspec.json.Decoder(of)
        for chunk in _chunks(_contents(self._locations(kind, spans))):
            try:
                yield decoder.decode_lines(chunk)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                yield list(self._one_by_one(decoder, chunk))

    def _one_by_one(self, decoder: "msgspec.json.Decoder[Record]", chunk: bytes) -> Iterator[Record]:
        for line in filter(None, chunk.split(b"\n")):
            try:
                yield decoder.decode(line)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                self.unreadable += 1

    def _locations(self, kind: str, spans: Iterable[Span]) -> Iterator[str]:
        for day in sorted(set().union(*(_days(*span) for span in spans)), reverse=True):
            found = places.files(f"{self._folder}/{kind}/date={day.isoformat()}", WRITE_SECONDS)
            yield from (location for location in reversed(found) if location.endswith(".jsonl"))


def _days(start: datetime, end: datetime) -> set[date]:
    first, last = start.astimezone(UTC).date(), (end.astimezone(UTC) - timedelta(microseconds=1)).date()
    return {first + timedelta(days=number) for number in range((last - first).days + 1)}


def _contents(locations: Iterable[str]) -> Iterator[bytes]:
    """The bytes of files, in their order; those of a bucket some ahead."""
    waiting = iter(locations)
    first = next(waiting, None)
    if first is None:
        return
    yield _read(first)
    if not is_remote(first):
        yield from map(_read, waiting)
        return
    with ThreadPoolExecutor(FETCHES, thread_name_prefix="stackhouse-log-reader") as threads:
        ahead: deque[Future[bytes]] = deque(threads.submit(_read, location) for location in islice(waiting, FETCHES))
        while ahead:
            content = ahead.popleft().result()
            ahead.extend(threads.submit(_read, location) for location in islice(waiting, 1))
            yield content


def _read(location: str) -> bytes:
    try:
        return places.read(location, WRITE_SECONDS)
    except places.NotThere:  # whoever clears old days out does so at any time
        return b""


def _chunks(contents: Iterable[bytes]) -> Iterator[bytes]:
    """Whole lines: large files are cut, small ones put together."""
    small: list[bytes] = []
    size = 0
    for content in contents:
        start = 0
        while len(content) - start > CHUNK_BYTES:
            end = content.find(b"\n", start + CHUNK_BYTES) + 1 or len(content)
            yield content[start:end]
            start = end
        small.append(content[start:])
        size += len(small[-1])
        if size >= CHUNK_BYTES:
            yield b"\n".join(small)  # the last line of a file may be torn: it ends here
            small, size = [], 0
    yield b"\n".join(small)
