"""The routes `/predict` and `/predict_batch`."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from service import bodies
from service.app import Answer, Request, encoded
from service.live import LiveModel
from service.metrics import Metrics
from service.problems import Problem
from service.settings import Settings
from tabular.bundles.encoding import BadInput, Notes
from tabular.bundles.loading import BaselinePredictor, Loaded
from tabular.bundles.predictor import Rows
from tabular.prediction_log.records import Batch, Prediction, now
from tabular.prediction_log.writer import PredictionLog

logger = logging.getLogger(__name__)

ROW, BATCH = "/predict", "/predict_batch"
WAITING: Final = 64
"""Largest number of requests that wait for a thread in one worker; the client of a further one shall try again."""
THREADS: Final = 2
FALLBACK: Final = "fallback"
"""Code in the prediction log for an answer that no model has given."""
DEGRADED: Final = "degraded: no model is loaded, this is the training data's typical value"
FAILED: Final = "degraded: the model failed on this input, this is the training data's typical value"
_SYNTAX: Final = frozenset({"invalid_csv", "invalid_encoding", "duplicate_field"})


class Predicting:
    """The handlers of the routes that predict."""

    def __init__(self, settings: Settings, live: LiveModel, log: PredictionLog, metrics: Metrics) -> None:
        self._settings = settings
        self._live = live
        self._log = log
        self._metrics = metrics
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="stackhouse-predict")
        self._waiting = 0

    async def row(self, request: Request) -> Answer:
        """Predict one row."""
        began = time.perf_counter()
        settings = self._settings
        try:
            bodies.content_type(request.headers, (bodies.JSON,))
            body = await bodies.read(request.receive, request.headers, settings.max_body_bytes, settings.body_seconds)
            loaded = self._live.current(request.id)
            values = bodies.decode(body)
            rows, notes = loaded.encoder.row(values)
            if loaded.bundle.compiled or loaded.degraded:
                output, failed = _predicted(loaded, rows)
            else:
                output, failed = await self._in_thread(_predicted, loaded, rows)
        except (BadInput, Problem) as error:
            raise self._refused(error) from None
        answer = _one(loaded, output) | _about(loaded, request, notes, failed)
        latency = self._counted(loaded, ROW, began, 1, notes, failed)
        shared = request.id, None, now(), loaded.bundle.name, loaded.bundle.version, latency * 1000
        self._log.add(Prediction(*shared, values, answer["prediction"], answer.get("probabilities")))
        return encoded(answer)

    async def batch(self, request: Request) -> Answer:
        """Predict many rows, sent as JSON or CSV."""
        began = time.perf_counter()
        settings = self._settings
        try:
            kind = bodies.content_type(request.headers, (bodies.JSON, bodies.CSV))
            body = await bodies.read(request.receive, request.headers, settings.max_body_bytes, settings.body_seconds)
            loaded = self._live.current(request.id)
            answer: Answer = await self._in_thread(self._batch, loaded, request, kind, body, began)
            return answer
        except (BadInput, Problem) as error:
            raise self._refused(error) from None

    def close(self) -> None:
        """Finish the predictions that have begun."""
        self._threads.shutdown()

    def _batch(self, loaded: Loaded, request: Request, kind: str, body: bytes, began: float) -> Answer:
        inputs, rows, notes = _encoded(loaded, kind, body, self._settings.max_rows)
        output, failed = _predicted(loaded, rows)
        answer = _many(loaded, output) | _about(loaded, request, notes, failed)
        latency = self._counted(loaded, BATCH, began, len(output), notes, failed)
        bundle = loaded.bundle
        shared = request.id, now(), bundle.name, bundle.version, latency * 1000
        shares = output if bundle.classes else None
        self._log.add(Batch(*shared, inputs, answer["predictions"], shares, bundle.classes))
        return encoded(answer)

    async def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        if self._waiting >= WAITING:
            problem = "too many batches are waiting"
            raise Problem(429, "busy", problem, "try again later", headers=((b"retry-after", b"1"),))
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)
        finally:
            self._waiting -= 1

    def _refused(self, error: BadInput | Problem) -> Problem:
        """Count a refusal under names that the model knows, so that no client can add new ones to the metrics."""
        if isinstance(error, BadInput):
            status = 413 if error.code == "too_many_rows" else 400 if error.code in _SYNTAX else 422
            error = Problem(status, error.code, error.problem, error.remedy, error.field, error.row)
        known = error.field is None or error.code not in ("unknown_field", "duplicate_field")
        self._metrics.refused((error.field or "") if known else "unknown", error.code)
        return error

    def _counted(self, loaded: Loaded, route: str, began: float, rows: int, notes: Notes, failed: bool) -> float:
        """Count an answer. Returns the seconds that it took."""
        latency = time.perf_counter() - began
        self._metrics.predicted(loaded.bundle.version, route, rows, latency)
        if notes.missing or notes.unknown or notes.out_of_range:
            self._metrics.noticed(notes)
        if failed or loaded.source in ("last_good", "baseline"):
            self._metrics.fell_back("failed" if failed else loaded.source, rows)
        if failed or loaded.degraded:
            self._log.error(route, 200, FALLBACK)
        return latency


def _predicted(loaded: Loaded, rows: Rows) -> tuple[NDArray[np.float64], bool]:
    """The predictions, and whether the model has failed, so that they are its baseline."""
    try:
        output, failed = loaded.predictor.predict(rows), False
    except Exception:
        logger.exception("%s %s failed on an input; its baseline answers", loaded.bundle.name, loaded.bundle.version)
        output, failed = BaselinePredictor(loaded.bundle).predict(rows), True
    if not np.isfinite(output).all():
        finite = np.isfinite(output.reshape(len(output), -1)).all(axis=1)
        problem = "the model has no finite answer to these values"
        row = int(np.flatnonzero(~finite)[0])
        raise Problem(422, "no_finite_answer", problem, "send values closer to those of training", row=row)
    return output, failed


def _encoded(loaded: Loaded, kind: str, body: bytes, limit: int) -> tuple[Any, Rows, Notes]:
    """The inputs as the client has sent them, and encoded."""
    encoder = loaded.encoder
    if kind == bodies.CSV:
        table = encoder.csv_table(body, limit)
        return table, *encoder.columns(table, limit)
    value = bodies.decode(body)
    remedy = 'send {"rows": [{...}, ...]} or {"columns": {"name": [...], ...}}'
    if type(value) is not dict:
        raise Problem(422, "invalid_type", "the body must be an object", remedy)
    for name in value:
        if name not in ("rows", "columns"):
            raise Problem(422, "unknown_field", "is not accepted here", remedy, name)
    if len(value) != 1:
        raise Problem(422, "missing_field", "the body must have either rows or columns", remedy)
    if "rows" in value:
        return value["rows"], *encoder.rows(value["rows"], limit)
    return value["columns"], *encoder.columns(value["columns"], limit)


def _about(loaded: Loaded, request: Request, notes: Notes, failed: bool) -> dict[str, Any]:
    """The part of an answer that both routes have in common."""
    warnings = [DEGRADED] if loaded.degraded else [FAILED] if failed else []
    if notes.unknown or notes.out_of_range:
        warnings += [f"'{name}': unknown category in {count} row(s)" for name, count in notes.unknown.items()]
        warnings += [
            f"'{name}': beyond the training data in {count} row(s)" for name, count in notes.out_of_range.items()
        ]
    return {
        "model_name": loaded.bundle.name,
        "model_version": loaded.bundle.version,
        "request_id": request.id,
        "warnings": warnings,
    }


def _one(loaded: Loaded, output: NDArray[np.float64]) -> dict[str, Any]:
    if loaded.bundle.task == "regression":
        return {"prediction": output.item()}
    shares: list[float] = output[0].tolist()
    classes = loaded.bundle.classes
    return {
        "prediction": classes[shares.index(max(shares))],
        "probabilities": dict(zip(classes, shares, strict=True)),
    }


def _many(loaded: Loaded, output: NDArray[np.float64]) -> dict[str, Any]:
    if loaded.bundle.task == "regression":
        return {"predictions": output.tolist()}
    classes = loaded.bundle.classes
    return {
        "predictions": [classes[place] for place in output.argmax(axis=1).tolist()],
        "probabilities": dict(zip(classes, output.T.tolist(), strict=True)),
    }
