"""The ASGI application: finds the route of a request, admits the client, and turns every failure into an answer."""

import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from itertools import count
from math import ceil
from typing import Any, Final

import msgspec

from service.bodies import Disconnected, Receive
from service.metrics import OTHER, Metrics
from service.problems import Problem
from service.security import POLICY, SECURITY_HEADERS, ApiKeys, Headers, RateLimit, Send, is_local
from tabular.prediction_log.writer import PredictionLog

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Header = tuple[bytes, bytes]

REQUEST_ID: Final = "[A-Za-z0-9][A-Za-z0-9._:-]{0,127}"
"""Pattern of a request id that a client may choose."""
_CHOSEN_ID: Final = re.compile(REQUEST_ID.encode())
_HEADERS: Final[tuple[Header, ...]] = (*SECURITY_HEADERS, POLICY)


@dataclass(slots=True)
class Request:
    """What the handler of a route receives."""

    headers: Headers
    receive: Receive
    id: str
    is_left: bool = False
    """Whether the client has closed the connection, so that nobody waits for an answer."""


@dataclass(slots=True)
class Answer:
    """What the handler of a route returns."""

    body: bytes
    status: int = 200
    content_type: bytes = b"application/json"
    headers: tuple[Header, ...] = _HEADERS


Handler = Callable[[Request], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Route:
    """One path.

    Args:
        protected: whether a client needs a key, if there are keys, and is limited in its rate.
        local: whether only this machine may use the route as long as there are no keys.
        predicts: whether the route asks a model. The prediction log then counts its refusals and failures; those of
            other paths, which scanners try, are counted in the metrics alone.
    """

    method: str
    handler: Handler
    protected: bool = False
    local: bool = False
    predicts: bool = False


class Application:
    """Answers requests by exact path."""

    def __init__(
        self, routes: Mapping[str, Route], keys: ApiKeys, limit: RateLimit, metrics: Metrics, log: PredictionLog
    ) -> None:
        self._routes = dict(routes)
        self._keys = keys
        self._limit = limit
        self._metrics = metrics
        self._log = log
        self._prefix = secrets.token_hex(8)
        self._numbers = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; a websocket is closed."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1003})
            return
        headers: Headers = dict(scope["headers"])
        path: str = scope["path"]
        route = self._routes.get(path)
        chosen = headers.get(b"x-request-id", b"")
        identity = chosen.decode() if _CHOSEN_ID.fullmatch(chosen) else f"{self._prefix}-{next(self._numbers):x}"
        request = Request(headers, receive, identity)
        extra: tuple[Header, ...] = ()
        try:
            answer = await self._answer(scope, request, route)
        except Disconnected:
            return
        except Exception as error:
            if isinstance(error, Problem):
                problem = error
            else:
                logger.exception("request %s to %s failed", request.id, path)
                remedy = "try again; tell its operator the request_id"
                problem = Problem(500, "internal", "the service failed", remedy)
            if route and route.predicts:
                self._log.error(path, problem.status, problem.code)
            answer, extra = encoded(problem.body(request.id), problem.status), problem.headers
        self._metrics.answered(path if route else OTHER, answer.status)
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": [
                    (b"content-type", answer.content_type),
                    (b"content-length", b"%d" % len(answer.body)),
                    (b"x-request-id", request.id.encode()),
                    *answer.headers,
                    *extra,
                ],
            }
        )
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})

    async def _answer(self, scope: Scope, request: Request, route: Route | None) -> Answer:
        if route is None:
            raise Problem(404, "not_found", "there is no such path", "open / for the paths that there are")
        method = scope["method"]
        if method != route.method and not (method == "HEAD" and route.method == "GET"):
            allowed = b"GET, HEAD, OPTIONS" if route.method == "GET" else b"POST, OPTIONS"
            if method == "OPTIONS":
                return Answer(b"", 204, headers=(*_HEADERS, (b"allow", allowed)))
            problem = f"this path takes the method {route.method}"
            raise Problem(405, "method_not_allowed", problem, f"send {route.method}", headers=((b"allow", allowed),))
        if route.protected:
            self._admit(scope, request.headers, route)
        return await route.handler(request)

    def _admit(self, scope: Scope, headers: Headers, route: Route) -> None:
        address = scope["client"][0] if scope.get("client") else None
        holder = self._keys.holder(headers) if self._keys else None
        wait = ceil(self._limit.wait(holder or (address or "").encode()))
        if wait:
            remedy = f"wait {wait} s, and send fewer a second or batches"
            raise Problem(
                429, "too_many_requests", "too many requests", remedy, headers=((b"retry-after", b"%d" % wait),)
            )
        if self._keys and holder is None:
            remedy = "send one in the header X-API-Key, or as Authorization: Bearer"
            raise Problem(
                401, "unauthorized", "a valid key is needed", remedy, headers=((b"www-authenticate", b"Bearer"),)
            )
        if route.local and not self._keys and not is_local(address, headers):
            remedy = "set STACKHOUSE_API_KEYS for the service and send a key, or ask on its own machine"
            raise Problem(403, "forbidden", "without keys only the service's own machine may ask for this", remedy)


def encoded(value: Any, status: int = 200) -> Answer:
    """Answer with a value in JSON."""
    return Answer(msgspec.json.encode(value), status)
