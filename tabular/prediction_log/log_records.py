"""What a line of the prediction log holds."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tabular.bundles.encoding import Notes

Record = dict[str, Any]
Counts = Notes | Mapping[str, Mapping[str, int]]
"""What was odd about the inputs (missing, unknown, out of range): how often, by column."""


def line(record: Record) -> bytes:
    """One record as JSON without a line break. Raises ValueError, TypeError or RecursionError when it cannot be."""
    try:
        return _ENCODER.encode(record)
    except (OverflowError, UnicodeEncodeError, msgspec.MsgspecError):
        # Python's own takes what people send to see what happens: huge numbers, halves of characters.
        return json.dumps(record, default=_text).encode()


def prediction(
    moment: datetime,
    request_id: str,
    model: str,
    version: str,
    latency_ms: float,
    warnings: Counts | None,
    inputs: Mapping[str, Any],
    answer: float | str,
    probabilities: Mapping[str, float] | None,
) -> Record:
    """One row; the arguments are those of `PredictionLog.add`."""
    return {
        "request_id": request_id,
        "time": moment,
        "model": model,
        "version": version,
        "latency_ms": latency_ms,
        "warnings": warnings or {},
        "inputs": inputs,
        "prediction": answer,
        "probabilities": probabilities,
    }


def batch(
    moment: datetime,
    request_id: str,
    model: str,
    version: str,
    latency_ms: float,
    warnings: Counts | None,
    inputs: Any,
    predictions: Any,
    probabilities: NDArray[np.float64] | None,
    classes: Sequence[str],
) -> Record:
    """All rows of a request, by column as they came; `log_files.expand` makes rows of it."""
    return {
        "request_id": request_id,
        "time": moment,
        "model": model,
        "version": version,
        "latency_ms": latency_ms,
        "warnings": warnings or {},
        "inputs": inputs,
        "predictions": predictions,
        "probabilities": probabilities,
        "classes": classes,
    }


def feedback(moment: datetime, request_id: str, value: float | str, row: int | None) -> Record:
    """The true value of an earlier prediction."""
    return {"request_id": request_id, "time": moment, "value": value, "row": row}


def error(moment: datetime, route: str, status: int, code: str, count: int) -> Record:
    """Requests of a kind that no model answered, since the line before that says so."""
    return {"time": moment, "route": route, "status": status, "code": code, "count": count}


def _plain(value: Any) -> Any:
    """What msgspec does not know: arrays and numbers of NumPy, other mappings."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Notes):
        return asdict(value)
    raise msgspec.EncodeError(f"no JSON for {type(value).__name__}")


def _text(value: Any) -> Any:
    try:
        return _plain(value)
    except msgspec.EncodeError:
        return value.isoformat() if isinstance(value, datetime) else str(value)


_ENCODER = msgspec.json.Encoder(enc_hook=_plain)
