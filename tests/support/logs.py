"""What is put into a prediction log, and found in it."""

import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tabular.prediction_log.records import PREDICTIONS, Batch, Feedback, Prediction, Record, line, now
from tabular.prediction_log.writer import PredictionLog
from tabular.storage import places

NOON = datetime(2025, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
WINDOW = (NOON, NOON + HOUR)


def at(minutes: float) -> datetime:
    """So many minutes after noon."""
    return NOON + timedelta(minutes=minutes)


def add(log: PredictionLog, request_id: str, inputs: dict[str, Any] | None = None, size: int = 0) -> None:
    log.add(Prediction(request_id, None, now(), "houses", "3", 0.5, inputs or {}, 1.0), size)


def add_batch(
    log: PredictionLog, request_id: str, inputs: Any, predictions: Any, chances: Any = None, classes: Any = ()
) -> None:
    log.add(Batch(request_id, now(), "houses", "3", 2.0, inputs, predictions, chances, classes))


def found_at(destination: str, kind: str = PREDICTIONS) -> list[dict[str, Any]]:
    """All whole lines of a kind, as JSON says them."""
    lines = [line for file in places.files(f"{destination}/{kind}") for line in places.read(file).splitlines()]
    return [json.loads(line) for line in lines if line.endswith(b"}")]


def found_in(log: PredictionLog, kind: str = PREDICTIONS) -> list[dict[str, Any]]:
    assert log.destination
    return found_at(log.destination, kind)


def ids(log: PredictionLog) -> list[str]:
    return [record["request_id"] for record in found_in(log)]


def write(folder: Path, kind: str, *records: Record | dict[str, Any], torn: bytes = b"") -> None:
    """Lines as the service writes them, in the day of each; a file of their own, `torn` at its end."""
    lines: dict[str, list[bytes]] = {}
    for record in records:
        moment = record["time"] if isinstance(record, dict) else record.time
        content = msgspec.json.encode(record) if isinstance(record, dict) else line(record)
        lines.setdefault(moment.date().isoformat(), []).append(content)
    for day, content in lines.items():
        place = folder / kind / f"date={day}"
        place.mkdir(parents=True, exist_ok=True)
        name = f"{len(list(place.iterdir())):06d}.jsonl"
        (place / name).write_bytes(b"\n".join([*content, torn]))


def predicted(
    moment: datetime, request_id: str = "r", inputs: Any = None, answer: Any = 1.0, version: str = "1", **changes: Any
) -> Prediction:
    """One row that a service of the model `houses` answered."""
    row = {"rooms": 3.0} if inputs is None else inputs
    made = Prediction(request_id, None, moment, "houses", version, 0.5, row, answer)
    return msgspec.structs.replace(made, **changes)


def predicted_batch(
    moment: datetime, request_id: str, inputs: list[Any] | Mapping[str, Any], answers: Any, version: str = "1"
) -> list[Prediction]:
    """The rows of one request, by row or by column."""
    return list(Batch(request_id, moment, "houses", version, 2.5, inputs, answers, None, ()).records())


def truth(request_id: str, value: float | str, minutes: float = 30, row: int | None = None) -> Feedback:
    """A true value that a client sent."""
    return Feedback(request_id, at(minutes), value, row)


def fill_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Let the disk take ten bytes more, and then none. Returns what wrote before."""
    write, taken = os.write, [10]

    def fail(descriptor: int, content: memoryview) -> int:
        if not taken:
            raise OSError(28, "No space left on device")
        return write(descriptor, content[: taken.pop()])

    monkeypatch.setattr(os, "write", fail)
    return write
