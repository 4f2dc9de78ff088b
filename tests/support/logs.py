"""What is put into a prediction log, and found in it."""

from datetime import datetime
from pathlib import Path
from typing import Any

from tabular.prediction_log import log_files, log_records
from tabular.prediction_log.log_files import read
from tabular.prediction_log.log_records import Record
from tabular.prediction_log.prediction_log import PredictionLog


def add(log: PredictionLog, request_id: str, inputs: dict[str, Any] | None = None) -> None:
    log.add(request_id, inputs or {}, 1.0, None, "houses", "3", 0.5)


def found_in(log: PredictionLog, kind: str = log_files.PREDICTIONS) -> list[dict[str, Any]]:
    assert log.destination
    return list(read(log.destination, kind))


def ids(log: PredictionLog) -> list[str]:
    return [record["request_id"] for record in found_in(log)]


def write(folder: Path, kind: str, *records: Record, torn: bytes = b"") -> None:
    """Lines as the service writes them, in the day of each; a file of their own, `torn` at its end."""
    lines: dict[str, list[bytes]] = {}
    for record in records:
        lines.setdefault(record["time"].date().isoformat(), []).append(log_records.line(record))
    for day, content in lines.items():
        place = folder / kind / f"date={day}"
        place.mkdir(parents=True, exist_ok=True)
        name = f"{len(list(place.iterdir())):06d}.jsonl"
        (place / name).write_bytes(b"\n".join([*content, torn]))


def predicted(
    moment: datetime, request_id: str = "r", inputs: Any = None, answer: Any = 1.0, version: str = "1", **changes: Any
) -> Record:
    """One row that a service of the model `houses` answered."""
    row = {"rooms": 3.0} if inputs is None else inputs
    return log_records.prediction(moment, request_id, "houses", version, 0.5, None, row, answer, None) | changes


def predicted_batch(moment: datetime, request_id: str, inputs: Any, answers: Any, **changes: Any) -> Record:
    """The rows of one request, by row or by column."""
    return log_records.batch(moment, request_id, "houses", "1", 2.5, None, inputs, answers, None, ()) | changes
