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
from service.bodies import Disconnected
from service.live import LiveModel
from service.metrics import OTHER, Metrics
from service.problems import Problem
from service.settings import Settings
from tabular.bundles.encoding import BadInput, Notes
from tabular.bundles.loading import BaselinePredictor, Loaded
from tabular.bundles.predictor import Rows
from tabular.prediction_log.records import Batch, Prediction, now, shorten
from tabular.prediction_log.writer import PredictionLog

logger = logging.getLogger(__name__)

ROW, BATCH = "/predict", "/predict_batch"
WAITING: Final = 64
"""Largest number of requests that wait for a thread in one worker; the client of a further one shall try again."""
THREADS: Final = 2
PATIENCE: Final = 0.05
"""Seconds of a batch until the service looks whether its client is still there."""
BUDGET: Final = 256 * 2**20
"""Largest number of bytes of the large bodies that a worker holds at once."""
FIELDS: Final = frozenset({"", "rows", "columns", "Content-Encoding", "Content-Length", "Content-Type"})
"""Fields of a refusal that are no columns."""
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
        self._budget = bodies.Budget(max(BUDGET, settings.max_body_bytes))

    async def row(self, request: Request) -> Answer:
        """Predict one row."""
        began = time.perf_counter()
        loaded, settings = None, self._settings
        try:
            bodies.content_type(request.headers, (bodies.JSON,))
            body = await bodies.read(request.receive, request.headers, settings.max_row_bytes, settings.body_seconds)
            loaded = self._live.current(request.id)
            values = bodies.decode(body)
            rows, notes = loaded.encoder.row(values)
            if loaded.bundle.compiled or loaded.degraded:
                output, failed = _predicted(loaded, rows)
            else:
                output, failed = await self._in_thread(request, _predicted, loaded, rows)
        except (BadInput, Problem) as error:
            raise self._refused(error, loaded) from None
        answer = _one(loaded, output) | _about(loaded, request, notes, failed)
        latency = self._counted(loaded, ROW, began, 1, notes, failed)
        shared = request.id, None, now(), loaded.bundle.name, loaded.bundle.version, latency * 1000
        if notes.unknown:
            shorten([values], notes.unknown, loaded.encoder.longest_text)
        size = min(len(body), loaded.encoder.longest_row)
        self._log.add(Prediction(*shared, values, answer["prediction"], answer.get("probabilities")), size)
        return encoded(answer)

    async def batch(self, request: Request) -> Answer:
        """Predict many rows, sent as JSON or CSV."""
        began = time.perf_counter()
        loaded, settings = None, self._settings
        try:
            kind = bodies.content_type(request.headers, (bodies.JSON, bodies.CSV))
            limits = settings.max_body_bytes, settings.body_seconds
            with self._budget.part() as take:
                body = await bodies.read(request.receive, request.headers, *limits, take)
                loaded = self._live.current(request.id)
                answer: Answer = await self._in_thread(request, self._batch, loaded, request, kind, body, began)
                return answer
        except (BadInput, Problem) as error:
            raise self._refused(error, loaded) from None

    def close(self) -> None:
        """Finish the predictions that have begun."""
        self._threads.shutdown()

    def _batch(self, loaded: Loaded, request: Request, kind: str, body: bytes, began: float) -> Answer:
        inputs, rows, notes = _encoded(loaded, kind, body, self._settings.max_rows)
        if request.is_left:
            raise Disconnected
        output, failed = _predicted(loaded, rows)
        if request.is_left:
            raise Disconnected
        answer = _many(loaded, output) | _about(loaded, request, notes, failed)
        latency = self._counted(loaded, BATCH, began, len(output), notes, failed)
        bundle = loaded.bundle
        shared = request.id, now(), bundle.name, bundle.version, latency * 1000
        shares = output if bundle.classes else None
        if notes.unknown:
            shorten(inputs, notes.unknown, loaded.encoder.longest_text)
        size = min(len(body), len(output) * loaded.encoder.longest_row)
        self._log.add(Batch(*shared, inputs, answer["predictions"], shares, bundle.classes), size)
        return encoded(answer)

    async def _in_thread(self, request: Request, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function in a thread. When the client leaves, a call that waits is dropped, another one is told."""
        if self._waiting >= WAITING:
            raise bodies.busy("too many batches are waiting")
        self._waiting += 1
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._threads, function, *arguments)
        watching = loop.call_later(PATIENCE, _watch, request, work)
        try:
            return await work
        except asyncio.CancelledError:
            if request.is_left:
                raise Disconnected from None
            raise
        finally:
            watching.cancel()
            self._waiting -= 1

    def _refused(self, error: BadInput | Problem, loaded: Loaded | None) -> Problem:
        """Count a refusal under names that the model knows, so that no client can add new ones to the metrics."""
        if isinstance(error, BadInput):
            status = 413 if error.code == "too_many_rows" else 400 if error.code in _SYNTAX else 422
            error = Problem(status, error.code, error.problem, error.remedy, error.field, error.row)
        names = () if loaded is None else [column.name for column in loaded.bundle.columns]
        field = error.field or ""
        self._metrics.refused(field if field in FIELDS or field in names else OTHER, error.code)
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


def _watch(request: Request, work: asyncio.Future[Any]) -> None:
    """Cancel what a thread does when the client leaves."""

    async def cancel() -> None:
        await bodies.left(request.receive)
        request.is_left = True
        work.cancel()

    watching = asyncio.ensure_future(cancel())
    work.add_done_callback(lambda _: watching.cancel())


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
    bodies.check_size(body, limit, len(loaded.bundle.columns))
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
