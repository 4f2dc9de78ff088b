"""What is put into a prediction log, and found in it."""

from typing import Any

from service import log_files
from service.log_files import read
from service.prediction_log import PredictionLog


def add(log: PredictionLog, request_id: str, inputs: dict[str, Any] | None = None) -> None:
    log.add(request_id, inputs or {}, 1.0, None, "houses", "3", 0.5)


def found_in(log: PredictionLog, kind: str = log_files.PREDICTIONS) -> list[dict[str, Any]]:
    assert log.destination
    return list(read(log.destination, kind))


def ids(log: PredictionLog) -> list[str]:
    return [record["request_id"] for record in found_in(log)]
