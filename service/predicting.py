"""`/predict` and `/predict_batch`."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from service import bodies
from service.app import Answer, Request, encoded
from service.live import NoModel
from service.metrics import Metrics
from service.problems import Problem
from service.settings import Settings
from tabular.bundles.encoding import BadInput, Notes
from tabular.bundles.loading import BaselinePredictor, Loaded
from tabular.bundles.predictor import Predictor, Rows
from tabular.prediction_log.writer import PredictionLog

logger = logging.getLogger(__name__)

ROW, BATCH = "/predict", "/predict_batch"
WAITING: Final = 64
"""Batches that may wait in one worker; beyond that the client is asked to come again."""
THREADS: Final = 2
FALLBACK: Final = "fallback"
"""What the log calls an answer that no model gave."""
DEGRADED: Final = "degraded: no model is loaded, this is the training data's typical value"
FAILED: Final = "degraded: the model failed on this input, this is the training data's typical value"


class Live(Protocol):
    """What is needed of `service.live.LiveModel`."""

    def current(self, key: str | None = None) -> Loaded:
        """The model that answers a request."""
        ...


class Predicting:
    """The routes that predict.

    Args:
        settings: bounds.
        live: where the model comes from.
        log: gets an entry for each request that was answered.
        metrics: counts.
    """

    def __init__(self, settings: Settings, live: Live, log: PredictionLog, metrics: Metrics) -> None:
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
            loaded = self._loaded(request)
            values = bodies.decode(body)
            rows, notes = loaded.encoder.row(values)
            if loaded.bundle.compiled or loaded.degraded:
                output, failed = self._predicted(loaded, rows)
            else:
                output, failed = await self._in_thread(self._predicted, loaded, rows)
            answer = _shaped(loaded, output) | _answer(loaded, request, notes, failed)
        except (BadInput, Problem) as error:
            raise self._refused(error) from None
        latency = self._counted(loaded, ROW, began, 1, notes, failed)
        self._log.add(
            request.id,
            values,
            answer["prediction"],
            answer.get("probabilities"),
            loaded.bundle.name,
            loaded.bundle.version,
            latency * 1000,
        )
        return encoded(answer)

    async def batch(self, request: Request) -> Answer:
        """Predict many rows, sent as JSON or CSV."""
        began = time.perf_counter()
        settings = self._settings
        try:
            kind = bodies.content_type(request.headers, (bodies.JSON, bodies.CSV))
            body = await bodies.read(request.receive, request.headers, settings.max_body_bytes, settings.body_seconds)
            loaded = self._loaded(request)
            answer: Answer = await self._in_thread(self._batch, loaded, request, kind, body, began)
            return answer
        except (BadInput, Problem) as error:
            raise self._refused(error) from None

    def close(self) -> None:
        """Finish what was begun."""
        self._threads.shutdown()

    def _batch(self, loaded: Loaded, request: Request, kind: str, body: bytes, began: float) -> Answer:
        inputs, rows, notes = _encoded(loaded, kind, body, self._settings.max_rows)
        output, failed = self._predicted(loaded, rows)
        answer = _shaped_batch(loaded, output) | _answer(loaded, request, notes, failed)
        latency = self._counted(loaded, BATCH, began, len(output), notes, failed)
        self._log.add_batch(
            request.id,
            inputs,
            answer["predictions"],
            output if loaded.bundle.classes else None,
            loaded.bundle.classes,
            loaded.bundle.name,
            loaded.bundle.version,
            latency * 1000,
        )
        return encoded(answer)

    def _loaded(self, request: Request) -> Loaded:
        try:
            return self._live.current(request.id)
        except NoModel:
            remedy = "try again later; /health says what is wrong"
            raise Problem(503, "no_model", "no model is loaded", remedy, headers=((b"retry-after", b"5"),)) from None

    def _predicted(self, loaded: Loaded, rows: Rows) -> tuple[NDArray[np.float64], bool]:
        """The predictions, and whether the model failed so that the baseline stands for them."""
        try:
            output, failed = loaded.predictor.predict(rows), False
        except Exception:
            logger.exception(
                "%s %s failed on an input; its baseline answers", loaded.bundle.name, loaded.bundle.version
            )
            fallback: Predictor = BaselinePredictor(loaded.bundle)
            output, failed = fallback.predict(rows), True
        if not np.isfinite(output).all():
            finite = np.isfinite(output.reshape(len(output), -1)).all(axis=1)
            problem = "the model has no finite answer to these values"
            row = int(np.flatnonzero(~finite)[0])
            raise Problem(422, "no_finite_answer", problem, "send values nearer to those of training", row=row)
        return output, failed

    async def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        with self._place():
            return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if self._waiting >= WAITING:
            raise Problem(
                429, "busy", "too many batches are waiting", "try again later", headers=((b"retry-after", b"1"),)
            )
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    def _refused(self, error: BadInput | Problem) -> Problem:
        """Count a refusal under names that the model knows, so that no client can make up new ones."""
        if isinstance(error, BadInput):
            status = 413 if error.code == "too_many_rows" else 400 if error.code in _SYNTAX else 422
            error = Problem(status, error.code, error.problem, error.remedy, error.field, error.row)
        known = error.field is None or error.code not in ("unknown_field", "duplicate_field")
        self._metrics.refused((error.field or "") if known else "unknown", error.code)
        return error

    def _counted(self, loaded: Loaded, route: str, began: float, rows: int, notes: Notes, failed: bool) -> float:
        """Count what was answered. Returns the seconds that it took."""
        latency = time.perf_counter() - began
        series = self._metrics.of(loaded.bundle.version, route)
        series.predictions.inc(rows)
        series.latency.observe(latency)
        if notes.missing or notes.unknown or notes.out_of_range:
            self._metrics.noticed(notes)
        if failed:
            self._metrics.fell_back("failed", rows)
            self._log.error(route, 200, FALLBACK)
        elif loaded.source in ("last_good", "baseline"):
            self._metrics.fell_back(loaded.source, rows)
            if loaded.degraded:
                self._log.error(route, 200, FALLBACK)
        return latency


_SYNTAX: Final = frozenset({"invalid_csv", "invalid_encoding", "duplicate_field"})


def _encoded(loaded: Loaded, kind: str, body: bytes, most: int) -> tuple[Any, Rows, Notes]:
    """The inputs as they came, and encoded."""
    encoder = loaded.encoder
    if kind != bodies.JSON:
        table = encoder.csv_table(body, most)
        return table, *encoder.columns(table, most)
    value = bodies.decode(body)
    remedy = 'send {"rows": [{...}, ...]} or {"columns": {"name": [...], ...}}'
    if type(value) is not dict:
        raise Problem(422, "invalid_type", "the body must be an object", remedy)
    for name in value:
        if name not in ("rows", "columns"):
            raise Problem(422, "unknown_field", "is not taken here", remedy, name)
    if len(value) != 1:
        raise Problem(422, "missing_field", "the body must have either rows or columns", remedy)
    if "rows" in value:
        return value["rows"], *encoder.rows(value["rows"], most)
    return value["columns"], *encoder.columns(value["columns"], most)


def _answer(loaded: Loaded, request: Request, notes: Notes, failed: bool) -> dict[str, Any]:
    """What both routes say, without the predictions."""
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


def _shaped(loaded: Loaded, output: NDArray[np.float64]) -> dict[str, Any]:
    if loaded.bundle.task == "regression":
        return {"prediction": output.item()}
    shares: list[float] = output[0].tolist()
    classes = loaded.bundle.classes
    return {
        "prediction": classes[shares.index(max(shares))],
        "probabilities": dict(zip(classes, shares, strict=True)),
    }


def _shaped_batch(loaded: Loaded, output: NDArray[np.float64]) -> dict[str, Any]:
    if loaded.bundle.task == "regression":
        return {"predictions": output.tolist()}
    classes = loaded.bundle.classes
    return {
        "predictions": [classes[place] for place in output.argmax(axis=1).tolist()],
        "probabilities": dict(zip(classes, output.T.tolist(), strict=True)),
    }
