"""The BentoML service: `bentoml serve` finds it through `bentofile.yaml`."""

import gc
import os
import sys
from pathlib import Path
from typing import Any

import bentoml
from bentoml import Bento, Service
from bentoml.exceptions import BentoMLException, NotFound
from bentoml.models import BentoModel
from prometheus_client import REGISTRY

from service.app import Application, Scope
from service.bodies import Receive
from service.live import LiveModel, NoModel
from service.metrics import Metrics
from service.routes import application
from service.security import Send, with_security_headers
from service.settings import Settings
from service.wandb_sample import WandbSample
from tabular.errors import UserError
from tabular.prediction_log.prediction_log import FLUSH_SECONDS, PredictionLog
from tabular.storage.remote import is_remote

MODEL = "stackhouse:latest"
BUCKET_SECONDS = 5.0
"""How long a row waits before it is written to a bucket: each write is an object, and readers pay for each of them."""
SWITCH_SECONDS = 0.0005
"""How long a thread in the background, such as the log's, may keep the interpreter while a request waits for it."""


class TrainedModel(BentoModel):
    """The model in BentoML's store, and what to do where there is none."""

    def resolve(self, *arguments: Any, **options: Any) -> bentoml.Model:
        """The stored model.

        Raises:
            NotFound: there is none.
        """
        if self.stored is None and not arguments and not options:
            raise NotFound(f"no model '{self.tag}' in BentoML's store: run `make serve`, which trains one first")
        found: bentoml.Model = super().resolve(*arguments, **options)
        return found


def _settings() -> Settings:
    try:
        return Settings.from_environment(os.environ)
    except UserError as error:
        raise BentoMLException(str(error)) from None


def _sample(live: LiveModel) -> WandbSample | None:
    """What sends a share of the predictions to W&B, if that is asked for."""
    if settings.wandb_project is None:
        return None
    try:
        name = live.current().bundle.name
    except NoModel:
        name = "stackhouse"
    sample = WandbSample(settings.wandb_share, settings.wandb_project, name)
    sample.start()
    return sample


settings = _settings()
running: list[Application] = []
"""The application of this worker, from its start on."""
BENTOS = frozenset({"/livez", "/readyz", "/healthz", "/schema.json"})
"""The routes that BentoML answers."""


class DirectService(Service[Any]):
    """A service that hands requests straight to this worker's application.

    BentoML would mount the application behind its middlewares. They halve the requests a second, and its timeout
    leaves a timer of a minute for each request, which has the garbage collector stop the worker for a tenth of a
    second. Bodies and batches have bounds of their own, so only the routes that are BentoML's go that way.
    """

    def on_load_bento(self, bento: Bento) -> None:
        """Take the model that the Bento was built with; BentoML itself would take the newest one of the store."""
        super().on_load_bento(bento)
        [built] = [service for service in bento.info.services if service.name == self.name]
        for model, info in zip(self.models, built.models, strict=True):
            object.__setattr__(model, "tag", info.tag)  # it is frozen

    def to_asgi(self, is_main: bool = True) -> Any:
        """The ASGI application of a worker."""
        bentos = super().to_asgi(is_main)

        async def direct(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and scope["path"] not in BENTOS:
                await running[0](scope, receive, send)
            else:
                await bentos(scope, receive, with_security_headers(send))

        return direct


# BentoML's metrics take the path as a label, which a client can fill without end; ours count the same.
@bentoml.service(
    name="stackhouse",
    service_class=DirectService,
    workers=settings.workers,
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
    tracing={"excluded_urls": ".*"},
)
class Stackhouse:
    """Predictions of the newest released model."""

    model = TrainedModel(MODEL)

    def __init__(self) -> None:
        self._live = LiveModel(
            settings.manifest, Path(self.model.path), settings.cache, settings.poll_seconds, settings.threads
        )
        self._live.start()
        self._sample = _sample(self._live)
        metrics = Metrics(REGISTRY)
        destination = settings.prediction_log
        seconds = BUCKET_SECONDS if destination and is_remote(destination) else FLUSH_SECONDS
        self._log = PredictionLog(destination, flush_seconds=seconds, sample=self._sample, watch=metrics.logged)
        self._log.start()
        assets = Path(bentoml.__file__).parent / "_internal" / "server" / "static_content"
        app, self._predicting = application(
            settings, self._live, self._log, metrics, assets if assets.is_dir() else None
        )
        running[:] = [app]
        sys.setswitchinterval(SWITCH_SECONDS)
        gc.collect()
        gc.freeze()

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    def stop(self) -> None:
        """Answer what was begun, and write down what is in memory."""
        self._predicting.close()
        self._live.stop()
        self._log.stop()
        if self._sample:
            self._sample.stop()
