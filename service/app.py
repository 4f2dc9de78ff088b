"""The ASGI application: finds the route, asks who is there, and makes every failure an answer."""

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
from service.metrics import Metrics
from service.problems import Problem
from service.security import POLICY, SECURITY_HEADERS, ApiKeys, Headers, RateLimit, Send, is_here
from tabular.prediction_log.writer import PredictionLog

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Header = tuple[bytes, bytes]

_SANE_ID: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_COMMON: Final[tuple[Header, ...]] = (*SECURITY_HEADERS, POLICY)
_JSON: Final = b"application/json"


@dataclass(slots=True)
class Request:
    """What a route gets."""

    headers: Headers
    receive: Receive
    id: str
    path: str


@dataclass(slots=True)
class Answer:
    """What a route gives."""

    body: bytes
    status: int = 200
    content_type: bytes = _JSON
    headers: tuple[Header, ...] = _COMMON


Handler = Callable[[Request], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Route:
    """One path.

    Args:
        method: GET or POST.
        handler: what answers.
        protected: whether a key is asked for, where there are keys.
        here: whether, without any keys, only this machine may ask.
        predicts: whether a model is asked; the log then counts what is not answered. What scanners ask of other
            paths is no fault of a model's, and only in the metrics.
    """

    method: str
    handler: Handler
    protected: bool = False
    here: bool = False
    predicts: bool = False


class Application:
    """Routes by exact path.

    Args:
        routes: by path.
        keys: that open the protected ones.
        limit: of requests to the protected ones.
        metrics: counts every request.
        log: counts what was asked of a model and refused, or failed.
    """

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
        """Answer one request; nothing but HTTP is spoken."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1003})
            return
        headers: Headers = dict(scope["headers"])
        path: str = scope["path"]
        route = self._routes.get(path)
        request = Request(headers, receive, self._request_id(headers), path)
        extra: tuple[Header, ...] = ()
        try:
            answer = await self._answer(scope, request, route)
        except Problem as problem:
            if route and route.predicts:
                self._log.error(path, problem.status, problem.code)
            answer = Answer(msgspec.json.encode(problem.body(request.id)), problem.status)
            extra = problem.headers
        except Disconnected:
            return
        except Exception:
            logger.exception("request %s to %s failed", request.id, path)
            if route and route.predicts:
                self._log.error(path, 500, "internal")
            failed = Problem(500, "internal", "the service failed", "try again; tell its operator the request_id")
            answer = Answer(msgspec.json.encode(failed.body(request.id)), 500)
        self._metrics.answered(path if route else "unknown", answer.status)
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
            raise Problem(404, "not_found", "there is no such path", "see / for those that there are")
        method = scope["method"]
        if method != route.method and not (method == "HEAD" and route.method == "GET"):
            allowed = b"GET, HEAD, OPTIONS" if route.method == "GET" else b"POST, OPTIONS"
            if method == "OPTIONS":
                return Answer(b"", 204, headers=(*_COMMON, (b"allow", allowed)))
            problem = f"{route.method} is the method of this path"
            raise Problem(405, "method_not_allowed", problem, f"send {route.method}", headers=((b"allow", allowed),))
        if route.protected:
            self._admit(scope, request.headers, route)
        return await route.handler(request)

    def _admit(self, scope: Scope, headers: Headers, route: Route) -> None:
        address = scope["client"][0] if scope.get("client") else None
        holder = self._keys.holder(headers) if self._keys else None
        wait = self._limit.wait(holder or (address or "").encode())
        if wait:
            raise Problem(
                429,
                "too_many_requests",
                "too many requests",
                f"wait {ceil(wait)} s, and send fewer a second or batches",
                headers=((b"retry-after", b"%d" % ceil(wait)),),
            )
        if self._keys and holder is None:
            raise Problem(
                401,
                "unauthorized",
                "a valid key is needed",
                "send one in the header X-API-Key, or as Authorization: Bearer",
                headers=((b"www-authenticate", b"Bearer"),),
            )
        if route.here and not self._keys and not is_here(address, headers):
            remedy = "set STACKHOUSE_API_KEYS for the service and send a key, or ask on its own machine"
            raise Problem(403, "forbidden", "without keys only its own machine may ask for this", remedy)

    def _request_id(self, headers: Headers) -> str:
        given = headers.get(b"x-request-id")
        if given is not None and _SANE_ID.fullmatch(given):
            return given.decode()
        return f"{self._prefix}-{next(self._numbers):x}"


def encoded(value: Any, status: int = 200) -> Answer:
    """An answer in JSON."""
    return Answer(msgspec.json.encode(value), status)
