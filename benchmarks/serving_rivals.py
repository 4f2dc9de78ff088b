"""FastAPI apps that the service is compared with: one with the compiled predictor, one with pandas and scikit-learn.

Both validate a row with a Pydantic model, and answer in the event loop: FastAPI's threads would cost more than the
compiled predictor, and would not help scikit-learn, which holds the interpreter.
"""

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, create_model

from tabular.bundles.bundle import MODEL, Bundle, read
from tabular.bundles.encoding import MISSING
from tabular.bundles.predictor import CompiledPredictor, Rows

Answer = dict[str, float | str]


def compiled() -> FastAPI:
    """An app with the compiled predictor of the bundle in the folder BENCHMARK_BUNDLE."""
    folder = Path(os.environ["BENCHMARK_BUNDLE"])
    bundle = read(folder)
    predictor = CompiledPredictor.load(folder)
    model = row_model(bundle)
    numeric = [column.name for column in bundle.columns if column.kind == "number"]
    categories = {
        column.name: {text: code for code, text in enumerate(column.categories)}
        for column in bundle.columns
        if column.kind == "category"
    }
    app = FastAPI()

    @app.get("/readyz")
    async def ready() -> bool:
        return True

    @app.post("/predict")
    async def predict(row: model) -> Answer:  # type: ignore[valid-type]
        values = row.__dict__  # type: ignore[attr-defined]
        numbers = [math.nan if values[name] is None else values[name] for name in numeric]
        codes = [
            known.get(MISSING if values[name] is None else str(values[name]), -1) for name, known in categories.items()
        ]
        rows = Rows(np.array([numbers], np.float64), np.array([codes], np.int32))
        return _answer(bundle, predictor.predict(rows)[0])

    return app


def original() -> FastAPI:
    """An app that calls the original pipeline with a DataFrame of one row."""
    import pandas as pd

    from tabular.storage.persistence import from_bytes

    folder = Path(os.environ["BENCHMARK_BUNDLE"])
    bundle = read(folder)
    pipeline: Any = from_bytes((folder / MODEL).read_bytes())
    model = row_model(bundle)
    ask = pipeline.predict if bundle.task == "regression" else pipeline.predict_proba
    app = FastAPI()

    @app.get("/readyz")
    async def ready() -> bool:
        return True

    @app.post("/predict")
    async def predict(row: model) -> Answer:  # type: ignore[valid-type]
        return _answer(bundle, ask(pd.DataFrame([row.__dict__]))[0])  # type: ignore[attr-defined]

    return app


def row_model(bundle: Bundle) -> type[BaseModel]:
    """A model of a row that is as strict as the service: finite numbers, no unknown fields, null for missing."""
    config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, protected_namespaces=())
    kinds: dict[str, Any] = {"number": float | None, "category": str | bool | float | None}
    fields: dict[str, Any] = {column.name: (kinds[column.kind], None) for column in bundle.columns}
    return create_model("Row", __config__=config, **fields)


def _answer(bundle: Bundle, output: Any) -> Answer:
    prediction = float(output) if bundle.task == "regression" else bundle.classes[int(np.argmax(output))]
    return {"prediction": prediction, "model_name": bundle.name, "model_version": bundle.version}
