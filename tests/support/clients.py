"""The application in this process, over a real bundle, model, log and metrics."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from prometheus_client import CollectorRegistry

from service.live import LiveModel
from service.metrics import Metrics
from service.routes import application
from service.settings import Settings
from tabular.prediction_log.writer import PredictionLog
from tests.support.bundles import COLUMNS, category, make_bundle

PATHS = ("/predict", "/predict_batch", "/feedback", "/reload")
ROW = {"rooms": 3.0, "age": 20, "place": "inland"}


def asked(app: Any, method: str, path: str, address: str = "192.0.2.7", **options: Any) -> httpx.Response:
    """The answer of an ASGI application to one request from an address."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, client=(address, 50000))
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return await client.request(method, path, **options)

    return asyncio.run(ask())


@dataclass(frozen=True)
class Client:
    """Calls the application as a server does."""

    app: Any
    live: LiveModel
    log: PredictionLog
    address: str = "192.0.2.7"

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request; an exception that the application lets out fails the test."""
        return asked(self.app, method, path, self.address, **options)

    def post(self, path: str, content: Any, kind: str = "application/json", **headers: str) -> httpx.Response:
        """Text and bytes are sent as they are, anything else as JSON; an underscore in a header's name is a dash."""
        body = content if isinstance(content, str | bytes) else json.dumps(content)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("POST", path, content=body, headers={"content-type": kind, **named})

    def get(self, path: str) -> httpx.Response:
        return self.ask("GET", path)


@contextmanager
def serving(folder: Path, settings: Settings, address: str = "192.0.2.7", **bundle: Any) -> Iterator[Client]:
    """A client of a service over a new bundle.

    Args:
        folder: empty.
        settings: of the service.
        address: of the client.
        bundle: arguments of `make_bundle`.
    """
    made = {"columns": (*COLUMNS, category("place"))} | bundle
    make_bundle(folder / "bundle", **made)
    live = LiveModel(None, folder / "bundle", folder / "cache")
    live.start()
    metrics = Metrics(CollectorRegistry())
    log = PredictionLog(settings.prediction_log, watch=metrics.logged)
    log.start()
    app, predicting = application(settings, live, log, metrics)
    try:
        yield Client(app, live, log, address)
    finally:
        predicting.close()
        live.stop()
        log.stop()


def raw(app: Callable[..., Awaitable[None]], path: str, messages: list[dict[str, Any]], **scope: Any) -> list[Any]:
    """The messages that the application sends for one request, which consists of the given messages."""
    waiting, sent = list(messages), []

    async def receive() -> dict[str, Any]:
        if waiting:
            return waiting.pop(0)
        await asyncio.sleep(60)
        raise AssertionError("the application waits for more than there is")

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    made = {"type": "http", "method": "POST", "path": path, "headers": [], "client": ("192.0.2.7", 1)} | scope
    asyncio.run(app(made, receive, send))
    return sent
