"""Reading the prediction log: typed records in chunks, so that millions of them take little memory."""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Final, TypeVar

import msgspec

from tabular.prediction_log.files import SECONDS
from tabular.prediction_log.records import KINDS, Feedback, Prediction, Refusals
from tabular.storage import addresses, places

CHUNK_BYTES: Final = 8 * 2**20
"""Bytes that are decoded at once, which is some 20,000 rows. A single line may be longer."""
FETCHES: Final = 16
"""Objects of a bucket that are fetched at once. A log in a bucket has one object for each few seconds."""
LINES: Final = re.compile(r"[^.#~].*\.jsonl")
"""Names of the files of a log; what desktops and editors leave beside them has others."""

Span = tuple[datetime, datetime]
"""A half-open interval of time: from the first moment on, and before the second; both with an offset from UTC."""
Read = TypeVar("Read", Prediction, Feedback, Refusals)


class LogReader:
    """Reads days of a log, the newest day first; a folder that does not exist is an empty log."""

    def __init__(self, destination: str) -> None:
        self._folder = destination.rstrip("/")
        self.unreadable = 0
        """Number of lines read so far that a killed process left unfinished, or that are not records."""

    def read(self, record: type[Read], *spans: Span) -> Iterator[list[Read]]:
        """Yield chunks of all records of one type, of the days that these spans touch, whatever their time of day.

        Raises:
            places.StoreError: the store does not answer, or refuses.
        """
        decoder = msgspec.json.Decoder(record)
        for chunk in _chunks(self._contents(self._locations(KINDS[record], spans))):
            try:
                yield decoder.decode_lines(chunk)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                yield list(self._one_by_one(decoder, chunk))

    def _one_by_one(self, decoder: "msgspec.json.Decoder[Read]", chunk: bytes) -> Iterator[Read]:
        for line in filter(None, chunk.split(b"\n")):
            try:
                yield decoder.decode(line)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                self.unreadable += 1

    def _locations(self, kind: str, spans: Iterable[Span]) -> Iterator[str]:
        for day in sorted(set().union(*(_days(*span) for span in spans)), reverse=True):
            found = places.files(f"{self._folder}/{kind}/date={day.isoformat()}", SECONDS)
            yield from (location for location in reversed(found) if LINES.fullmatch(location.rpartition("/")[2]))

    def _contents(self, locations: Iterator[str]) -> Iterator[bytes]:
        """Yield the bytes of files in their order; those of a bucket are fetched ahead."""
        if not addresses.is_remote(self._folder):
            yield from map(_read, locations)
            return
        with ThreadPoolExecutor(FETCHES, thread_name_prefix="stackhouse-log-reader") as threads:
            ahead = deque(threads.submit(_read, location) for location in islice(locations, FETCHES))
            while ahead:
                content = ahead.popleft().result()
                ahead.extend(threads.submit(_read, location) for location in islice(locations, 1))
                yield content


def _days(start: datetime, end: datetime) -> set[date]:
    first, last = start.astimezone(UTC).date(), (end.astimezone(UTC) - timedelta(microseconds=1)).date()
    return {first + timedelta(days=number) for number in range((last - first).days + 1)}


def _read(location: str) -> bytes:
    try:
        return places.read(location, SECONDS)
    except places.NotThere:  # old days may be cleared out at any time
        return b""


def _chunks(contents: Iterable[bytes]) -> Iterator[bytes]:
    """Yield whole lines: large files are cut, small ones are joined."""
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
            yield b"\n".join(small)  # the last line of a file may be torn, and must end here
            small, size = [], 0
    yield b"\n".join(small)
