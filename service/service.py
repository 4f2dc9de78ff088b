"""The BentoML service: `bentoml serve` finds it through `bentofile.yaml`."""

import ctypes
import gc
import logging
import os
import sys
from pathlib import Path
from typing import Any

import bentoml
import click
from bentoml import Bento, Service
from bentoml.exceptions import BentoMLException, NotFound
from bentoml.models import BentoModel
from prometheus_client import REGISTRY

from service.app import Application, Scope
from service.bodies import Receive
from service.connections import limit_connections
from service.ending import Ending
from service.live import LiveModel
from service.metrics import Metrics
from service.routes import application
from service.security import Send, is_local, with_security_headers
from service.settings import Settings
from service.wandb_sample import WandbSample
from tabular.errors import UserError
from tabular.names import BENTO_NAME
from tabular.prediction_log.writer import FLUSH_SECONDS, PredictionLog
from tabular.storage.addresses import is_remote

logger = logging.getLogger(__name__)

MODEL = f"{BENTO_NAME}:latest"
THIS_MACHINE, EVERYWHERE = "127.0.0.1", "0.0.0.0"
IN_CONTAINER = "BENTOML_CONTAINERIZED"
"""Variable of the images that BentoML builds; a service that listens on 127.0.0.1 cannot be reached in one."""
BUCKET_SECONDS = 5.0
"""Seconds between two writes of the prediction log to a bucket: each write makes an object that readers pay for."""
SWITCH_SECONDS = 0.0005
"""Longest time that a background thread, such as the log's, keeps the interpreter while a request waits for it."""
OPEN = "the service is open: STACKHOUSE_API_KEYS holds no key, so that everyone who reaches %s may use it"
MALLOC = {-3: 2**16, -8: 2}
"""Parameters of mallopt(3): M_MMAP_THRESHOLD, the bytes from which on memory is returned by itself, and M_ARENA_MAX."""
BENTOML_ROUTES = frozenset({"/livez", "/readyz", "/healthz", "/schema.json"})
BENTOML_FILES = "/static_content/"
"""Prefix of the files of Swagger UI, which BentoML ships and serves."""


class StoredModel(BentoModel):
    """The model in BentoML's store; its absence is told with a remedy."""

    def resolve(self, *arguments: Any, **options: Any) -> bentoml.Model:
        """Find the stored model.

        Raises:
            NotFound: the store does not hold the model.
        """
        if self.stored is None and not arguments and not options:
            raise NotFound(f"no model '{self.tag}' in BentoML's store: run `make serve`, which trains one first")
        found: bentoml.Model = super().resolve(*arguments, **options)
        return found


class DirectService(Service[Any]):
    """A BentoML service that hands requests straight to this worker's application.

    BentoML would mount the application behind its middlewares. They halve the requests a second, and the timeout among
    them leaves a timer of a minute for each request, so that the garbage collector stops the worker for a tenth of a
    second. The application bounds bodies and batches itself; only BentoML's own routes go through its middlewares.
    """

    worker: "Worker"
    """The instance that this process serves; it is there once BentoML has started the worker."""

    def inject_config(self) -> None:
        """Take the number of workers from the environment, which BentoML asks for before it starts them.

        Without keys, the service is for this machine, unless the command line says otherwise or it runs in a container.

        Raises:
            BentoMLException: a setting is wrong; BentoML's command line prints it in one line.
        """
        settings = _settings()
        self.config["workers"] = settings.workers
        if not settings.api_keys:
            usual = EVERYWHERE if IN_CONTAINER in os.environ else THIS_MACHINE
            self.config["http"] = {"host": usual}
            context = click.get_current_context(silent=True)
            if context and "host" in context.params and not is_local(host := context.params["host"] or usual, {}):
                logger.warning(OPEN, host)
        super().inject_config()

    def on_load_bento(self, bento: Bento) -> None:
        """Serve the model that the Bento was built with; BentoML itself would take the newest one of the store."""
        super().on_load_bento(bento)
        [built] = [service for service in bento.info.services if service.name == self.name]
        [info] = built.models
        self.inner.model = StoredModel(info.tag)
        self.models[:] = [self.inner.model]

    def __call__(self) -> Any:
        """Create the instance that this process serves, and keep it."""
        self.worker = super().__call__()
        return self.worker

    def to_asgi(self, is_main: bool = True) -> Any:
        """Build the ASGI application of a worker, whose server BentoML starts afterwards."""
        limit_connections(_settings())
        by_bentoml = super().to_asgi(is_main)

        async def direct(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await by_bentoml(scope, receive, send)
            elif scope["path"] in BENTOML_ROUTES or scope["path"].startswith(BENTOML_FILES):
                await by_bentoml(scope, receive, with_security_headers(send))
            else:
                await self.worker.application(scope, receive, send)

        return direct


def _return_memory() -> None:
    """Have the memory of large bodies returned to the system when they end.

    By default, glibc keeps more and more of it for later, in pieces that do not fit the next body.
    """
    if hasattr(libc := ctypes.CDLL(None), "mallopt"):
        for parameter, value in MALLOC.items():
            libc.mallopt(parameter, value)


def _settings() -> Settings:
    try:
        return Settings.from_environment(os.environ)
    except UserError as error:
        raise BentoMLException(str(error)) from None


class Worker:
    """One process that answers requests with the newest released model."""

    model = StoredModel(MODEL)

    def __init__(self) -> None:
        _return_memory()
        settings = Settings.from_environment(os.environ)
        self._live = LiveModel(
            settings.manifest, Path(self.model.path), settings.cache, settings.poll_seconds, settings.threads
        )
        self._live.start()
        self._sample: WandbSample | None = None
        if settings.wandb_project is not None:
            name = self._live.choice.champion.bundle.name if self._live.choice else BENTO_NAME
            self._sample = WandbSample(settings.wandb_share, settings.wandb_project, name)
            self._sample.start()
        metrics = Metrics(REGISTRY)
        destination = settings.prediction_log
        seconds = BUCKET_SECONDS if destination and is_remote(destination) else FLUSH_SECONDS
        self._log = PredictionLog(destination, flush_seconds=seconds, sample=self._sample, watch=metrics.logged)
        self._log.start()
        self.application: Application
        self.application, self._predicting = application(settings, self._live, self._log, metrics)
        self._ending = Ending(self._log.stop)
        self._ending.start()
        sys.setswitchinterval(SWITCH_SECONDS)
        gc.collect()
        gc.freeze()

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    def stop(self) -> None:
        """Answer the requests that have begun, and write the records that are still in memory."""
        self._ending.stop()
        self._predicting.close()
        self._live.stop()
        self._log.stop()
        if self._sample:
            self._sample.stop()


# BentoML's metrics have the path as a label, so that a client can add series without end; ours count the same.
Stackhouse = bentoml.service(
    name=BENTO_NAME,
    service_class=DirectService,
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
    tracing={"excluded_urls": ".*"},
)(Worker)
