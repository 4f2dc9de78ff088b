"""All routes but those that predict, and the table of them."""

import asyncio
import time
from typing import Any, Final, Literal, Protocol

import msgspec

from service import bodies, openapi
from service.app import Answer, Application, Request, Route, encoded
from service.live import NoModel
from service.metrics import CONTENT_TYPE, Metrics
from service.predicting import BATCH, ROW, Live, Predicting
from service.problems import Problem
from service.security import PAGE_POLICY, SECURITY_HEADERS, ApiKeys, RateLimit
from service.settings import Settings
from tabular.bundles.loading import Loaded
from tabular.prediction_log.writer import PredictionLog

PAGE: Final = b"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Stackhouse</title>
<link rel="stylesheet" href="static_content/swagger-ui.css">
<link rel="icon" href="static_content/favicon-light-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="static_content/swagger-ui-bundle.js"></script>
<script src="static_content/swagger-ui-standalone-preset.js"></script>
<script src="static_content/swagger-initializer.js"></script>
</body>
</html>
"""


class Followed(Live, Protocol):
    """What is needed of `service.live.LiveModel`."""

    @property
    def status(self) -> Literal["healthy", "degraded", "unhealthy"]:
        """In one word."""
        ...

    @property
    def warnings(self) -> tuple[str, ...]:
        """What an operator should know."""
        ...

    def reload(self) -> str:
        """Look for a newer model now."""
        ...


class _Feedback(msgspec.Struct, forbid_unknown_fields=True):
    request_id: str
    value: float | str
    row: int | None = None


class Routes:
    """Health, metadata, feedback.

    Args:
        settings: bounds.
        live: where the model comes from.
        log: gets the feedback.
        metrics: what `/metrics` says.
    """

    def __init__(self, settings: Settings, live: Followed, log: PredictionLog, metrics: Metrics) -> None:
        self._settings = settings
        self._live = live
        self._log = log
        self._metrics = metrics
        self._started = time.monotonic()
        self._document: tuple[str, bytes] | None = None

    async def health(self, request: Request) -> Answer:
        """Whether the service can answer, and how well; 503 if it cannot."""
        status, loaded = self._live.status, self._current()
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
        """What is known of the model that serves."""
        loaded = self._needed()
        bundle = loaded.bundle.model_dump(mode="json", exclude={"files", "format", "baseline"})
        return encoded(bundle | {"source": loaded.source, "degraded": loaded.degraded, "card": loaded.card})

    async def metrics(self, request: Request) -> Answer:
        """In Prometheus' format."""
        loaded = self._current()
        if loaded:
            self._metrics.serving(loaded.bundle.name, loaded.bundle.version)
        return Answer(self._metrics.text(), content_type=CONTENT_TYPE.encode())

    async def reload(self, request: Request) -> Answer:
        """Look for a newer model now."""
        said = await asyncio.to_thread(self._live.reload)
        loaded = self._needed()
        return encoded({"message": said, "model_version": loaded.bundle.version, "source": loaded.source})

    async def feedback(self, request: Request) -> Answer:
        """Write down the true value of a request."""
        settings = self._settings
        bodies.content_type(request.headers, (bodies.JSON,))
        body = await bodies.read(request.receive, request.headers, settings.max_body_bytes, settings.body_seconds)
        given = _feedback(bodies.decode(body), self._needed(), settings.max_rows)
        self._log.feedback(given.request_id, given.value, given.row)
        return encoded({"accepted": True, "request_id": given.request_id}, 202)

    async def document(self, request: Request) -> Answer:
        """The OpenAPI document, with the inputs of the model that serves."""
        loaded = self._needed()
        if self._document is None or self._document[0] != loaded.sha256:
            content = openapi.document(loaded.bundle, self._settings)
            self._document = loaded.sha256, msgspec.json.encode(content)
        return Answer(self._document[1])

    async def page(self, request: Request) -> Answer:
        """The OpenAPI document for people."""
        return Answer(PAGE, content_type=b"text/html; charset=utf-8", headers=(*SECURITY_HEADERS, PAGE_POLICY))

    def _log_warnings(self) -> list[str]:
        log = self._log
        waits = [f"the prediction log waits, {log.pending} rows so far: {log.warning}"] if log.warning else []
        lost = [f"{log.dropped} rows of the prediction log were dropped"] if log.dropped else []
        return [*waits, *lost]

    def _current(self) -> Loaded | None:
        try:
            return self._live.current()
        except NoModel:
            return None

    def _needed(self) -> Loaded:
        loaded = self._current()
        if loaded is None:
            remedy = "try again later; /health says what is wrong"
            raise Problem(503, "no_model", "no model is loaded", remedy, headers=((b"retry-after", b"5"),))
        return loaded


def application(
    settings: Settings, live: Followed, log: PredictionLog, metrics: Metrics
) -> tuple[Application, Predicting]:
    """The application, and the part of it that must be closed.

    Args:
        settings: bounds and keys.
        live: where the model comes from.
        log: gets predictions and feedback.
        metrics: what `/metrics` says.
    """
    routes, predicting = Routes(settings, live, log, metrics), Predicting(settings, live, log, metrics)
    table = {
        ROW: Route("POST", predicting.row, protected=True, predicts=True),
        BATCH: Route("POST", predicting.batch, protected=True, predicts=True),
        "/feedback": Route("POST", routes.feedback, protected=True),
        "/reload": Route("POST", routes.reload, protected=True, here=True),
        "/model_info": Route("GET", routes.model_info),
        "/health": Route("GET", routes.health),
        "/metrics": Route("GET", routes.metrics),
        "/openapi.json": Route("GET", routes.document),
        "/docs.json": Route("GET", routes.document),
        "/": Route("GET", routes.page),
    }
    keys, limit = ApiKeys(settings.api_keys), RateLimit(settings.rate_limit)
    return Application(table, keys, limit, metrics, log), predicting


def _feedback(value: Any, loaded: Loaded, most: int) -> _Feedback:
    remedy = 'send {"request_id": "...", "value": the true value}, and "row" for a row of a batch'
    try:
        given = msgspec.convert(value, _Feedback)
    except msgspec.ValidationError as error:
        raise Problem(422, "invalid_value", f"the feedback is not as it must be: {error}", remedy) from None
    if not openapi.REQUEST_ID.fullmatch(given.request_id):
        raise Problem(422, "invalid_value", "is no id that the service gives", remedy, "request_id")
    if given.row is not None and not 0 <= given.row < most:
        raise Problem(422, "invalid_value", f"must be from 0 to {most - 1}", remedy, "row")
    is_number = isinstance(given.value, float)
    if loaded.bundle.task == "regression" and not (is_number and abs(given.value) < float("inf")):  # type: ignore[arg-type]
        raise Problem(422, "invalid_type", "must be a finite number", remedy, "value")
    if loaded.bundle.task == "classification" and not isinstance(given.value, str):
        raise Problem(422, "invalid_type", "must be the label as text, as /model_info spells it", remedy, "value")
    return given
