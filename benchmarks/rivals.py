"""FastAPI apps that the service is compared with: one with the compiled predictor, one with pandas and scikit-learn.

Both answer in the event loop: FastAPI's threads would cost more than the compiled predictor, and would not help
scikit-learn, which holds the interpreter. The bundle is in the folder BENCHMARK_BUNDLE.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from tabular.bundles.bundle import MODEL, read
from tabular.bundles.encoding import Encoder
from tabular.bundles.predictor import CompiledPredictor

FOLDER = Path(os.environ["BENCHMARK_BUNDLE"])
BUNDLE = read(FOLDER)


def compiled() -> FastAPI:
    """An app with the service's own encoder and the compiled predictor."""
    encoder, predictor = Encoder(BUNDLE.columns), CompiledPredictor.load(FOLDER)
    return _app(lambda row: predictor.predict(encoder.row(row)[0])[0])


def original() -> FastAPI:
    """An app that calls the original pipeline with a DataFrame of one row."""
    import pandas as pd

    from tabular.storage.persistence import from_bytes

    pipeline: Any = from_bytes((FOLDER / MODEL).read_bytes())
    return _app(lambda row: pipeline.predict(pd.DataFrame([row]))[0])


def _app(answer: Callable[[dict[str, Any]], Any]) -> FastAPI:
    app = FastAPI()

    @app.get("/readyz")
    async def ready() -> bool:
        return True

    @app.post("/predict")
    async def predict(row: dict[str, Any]) -> dict[str, float | str]:
        return {"prediction": float(answer(row)), "model_name": BUNDLE.name, "model_version": BUNDLE.version}

    return app
