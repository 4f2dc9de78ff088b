"""The routes that do not predict, and the table of all routes."""

import asyncio
import re
import time
from pathlib import Path
from typing import Any, Final

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST

from service import bodies, openapi
from service.app import REQUEST_ID, Answer, Application, Request, Route, encoded
from service.live import LiveModel
from service.metrics import Metrics
from service.predicting import BATCH, ROW, Predicting
from service.problems import Problem
from service.security import PAGE_POLICY, SECURITY_HEADERS, ApiKeys, RateLimit
from service.settings import Settings
from tabular.bundles.encoding import TEXT_SLACK
from tabular.bundles.loading import Loaded
from tabular.errors import one_line
from tabular.prediction_log.records import Feedback, now
from tabular.prediction_log.writer import PredictionLog

PAGE: Final = Path(__file__).with_name("page.html").read_bytes()


class _Feedback(msgspec.Struct, forbid_unknown_fields=True):
    request_id: str
    value: float | str
    row: int | None = None


class Routes:
    """The handlers of the routes that do not predict."""

    def __init__(self, settings: Settings, live: LiveModel, log: PredictionLog, metrics: Metrics) -> None:
        self._settings = settings
        self._live = live
        self._log = log
        self._metrics = metrics
        self._started = time.monotonic()
        self._document: tuple[str, bytes] | None = None

    async def health(self, request: Request) -> Answer:
        """Whether the service can answer, and how well; the status code is 503 if it cannot."""
        status, choice = self._live.status, self._live.choice
        loaded = choice.champion if choice else None
        return encoded(
            {
                "status": status,
                "model_loaded": loaded is not None and not loaded.degraded,
                "degraded": status == "degraded",
                "model_version": loaded.bundle.version if loaded else None,
                "source": loaded.source if loaded else None,
                "uptime_seconds": round(time.monotonic() - self._started, 3),
                "predictions": self._metrics.predictions(),
                "warnings": [*self._live.warnings, *self._log_warnings()],
            },
            503 if status == "unhealthy" else 200,
        )

    async def model_info(self, request: Request) -> Answer:
        """The manifest and the card of the model that serves."""
        loaded = self._live.current()
        bundle = loaded.bundle.model_dump(mode="json", exclude={"files", "format", "baseline"})
        return encoded(bundle | {"source": loaded.source, "degraded": loaded.degraded, "card": loaded.card})

    async def metrics(self, request: Request) -> Answer:
        """The metrics in Prometheus' format."""
        if choice := self._live.choice:
            self._metrics.serving(choice.champion.bundle.name, choice.champion.bundle.version)
        return Answer(self._metrics.text(), content_type=CONTENT_TYPE_LATEST.encode())

    async def reload(self, request: Request) -> Answer:
        """Look for a newer model now."""
        said = await asyncio.to_thread(self._live.reload)
        loaded = self._live.current()
        return encoded({"message": said, "model_version": loaded.bundle.version, "source": loaded.source})

    async def feedback(self, request: Request) -> Answer:
        """Log the true value of a prediction."""
        settings = self._settings
        bodies.content_type(request.headers, (bodies.JSON,))
        body = await bodies.read(request.receive, request.headers, settings.max_row_bytes, settings.body_seconds)
        loaded = self._live.current()
        given = _feedback(bodies.decode(body), loaded, settings.max_rows)
        value = given.value
        if isinstance(value, str):
            value = value[: max(map(len, loaded.bundle.classes)) + TEXT_SLACK]
        self._log.add(Feedback(given.request_id, now(), value, given.row))
        return encoded({"accepted": True, "request_id": given.request_id}, 202)

    async def document(self, request: Request) -> Answer:
        """The OpenAPI document, with the inputs of the model that serves."""
        loaded = self._live.current()
        if self._document is None or self._document[0] != loaded.sha256:
            content = openapi.document(loaded.bundle, self._settings)
            self._document = loaded.sha256, msgspec.json.encode(content)
        return Answer(self._document[1])

    async def page(self, request: Request) -> Answer:
        """A page that shows the OpenAPI document."""
        return Answer(PAGE, content_type=b"text/html; charset=utf-8", headers=(*SECURITY_HEADERS, PAGE_POLICY))

    def _log_warnings(self) -> list[str]:
        log = self._log
        waits = [f"the prediction log waits, {log.pending} rows so far: {log.warning}"] if log.warning else []
        lost = [f"{log.dropped} rows of the prediction log were dropped"] if log.dropped else []
        return [*waits, *lost]


def application(
    settings: Settings, live: LiveModel, log: PredictionLog, metrics: Metrics
) -> tuple[Application, Predicting]:
    """Build the application, and the part of it that must be closed."""
    routes, predicting = Routes(settings, live, log, metrics), Predicting(settings, live, log, metrics)
    table = {
        ROW: Route("POST", predicting.row, protected=True, predicts=True),
        BATCH: Route("POST", predicting.batch, protected=True, predicts=True),
        "/feedback": Route("POST", routes.feedback, protected=True),
        "/reload": Route("POST", routes.reload, protected=True, local=True),
        "/model_info": Route("GET", routes.model_info),
        "/health": Route("GET", routes.health),
        "/metrics": Route("GET", routes.metrics),
        "/openapi.json": Route("GET", routes.document),
        "/docs.json": Route("GET", routes.document),
        "/": Route("GET", routes.page),
    }
    keys, limit = ApiKeys(settings.api_keys), RateLimit(settings.rate_limit)
    return Application(table, keys, limit, metrics, log), predicting


def _feedback(value: Any, loaded: Loaded, limit: int) -> _Feedback:
    remedy = 'send {"request_id": "...", "value": the true value}, and "row" for a row of a batch'
    try:
        given = msgspec.convert(value, _Feedback)
    except msgspec.ValidationError as error:
        raise Problem(422, "invalid_value", f"the feedback is not as it must be: {one_line(error)}", remedy) from None
    if not re.fullmatch(REQUEST_ID, given.request_id):
        raise Problem(422, "invalid_value", "is not an id that the service gives", remedy, "request_id")
    if given.row is not None and not 0 <= given.row < limit:
        raise Problem(422, "invalid_value", f"must be from 0 to {limit - 1}", remedy, "row")
    is_number = isinstance(given.value, float)
    if loaded.bundle.task == "regression" and not (is_number and abs(given.value) < float("inf")):  # type: ignore[arg-type]
        raise Problem(422, "invalid_type", "must be a finite number", remedy, "value")
    if loaded.bundle.task == "classification" and not isinstance(given.value, str):
        raise Problem(422, "invalid_type", "must be the label as text, as /model_info spells it", remedy, "value")
    return given
