"""Bundles and references of small tables, as packaging describes them, and windows as the service encodes them."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from tabular.bundles.bundle import Baseline, Bundle
from tabular.bundles.encoding import Encoder, Notes
from tabular.bundles.making import describing
from tabular.bundles.making.compiling import Raw
from tabular.bundles.predictor import Rows
from tabular.bundles.reference import Reference
from tabular.config.stages import TargetConfig
from tabular.monitoring.tally import Tally
from tabular.reports.verdicts import Observed

NUMBERS = ["income", "rooms", "sold"]
CATEGORIES = {"place": ["bay", "inland", "island", "ocean"], "heat": ["gas", "missing", "oil"]}


class Described(NamedTuple):
    """A bundle's manifest and the reference of its training rows."""

    bundle: Bundle
    reference: Reference

    def encoded(self, rows: pd.DataFrame) -> tuple[Rows, Notes]:
        """The rows, encoded as the service encodes them."""
        columns = {
            str(name): [None if value is None or value != value else value for value in values.astype(object)]
            for name, values in rows.items()
        }
        return Encoder(self.bundle.columns).columns(columns, limit=len(rows))

    def observed(self, rows: pd.DataFrame, predicted: ArrayLike | None = None) -> Observed:
        """A window of rows; without predictions, those of `prices` or the first class."""
        tally = Tally(self.bundle, self.reference)
        if predicted is None:
            predicted = np.zeros(len(rows), dtype=np.int64) if self.bundle.classes else prices(rows)
        tally.add(*self.encoded(rows), np.asarray(predicted))
        return tally.observed()


def table(count: int, seed: int) -> pd.DataFrame:
    """Rows of one source: an income with holes, rooms from 1 to 8, a date, and two categories, one with holes."""
    random = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {
            "income": random.gamma(4, 1, count),
            "place": random.choice(CATEGORIES["place"], count, p=[0.15, 0.5, 0.05, 0.3]),
            "rooms": random.binomial(7, 0.4, count) + 1.0,
            "sold": [f"2024-{month:02}-01" for month in random.integers(1, 13, count)],
            "heat": random.choice(["gas", "oil"], count).astype(object),
        }
    )
    rows.loc[random.random(count) < 0.05, "income"] = np.nan
    rows.loc[random.random(count) < 0.1, "heat"] = None
    return rows


def prices(rows: pd.DataFrame) -> NDArray[np.float64]:
    """Predictions of a model of these rows."""
    return np.asarray(rows["income"].fillna(4.0) * 1000 + rows["rooms"] * 200, dtype=np.float64)


def described(rows: pd.DataFrame, predictions: NDArray[Any] | None = None, classes: tuple[str, ...] = ()) -> Described:
    """The bundle of a model that was trained on the rows and predicts `predictions` for them (by default `prices`)."""
    raw = Raw([name for name in NUMBERS if name in rows], CATEGORIES, frozenset({"sold"}))
    target = TargetConfig(column="price", task="classification" if classes else "regression")
    said = prices(rows) if predictions is None else predictions
    dated = rows.assign(sold=pd.to_datetime(rows["sold"]))
    bundle = Bundle(
        name="homes",
        version="3",
        task=target.task,
        target="price",
        created="2026-01-02T03:04:05+00:00",
        model_sha256="00",
        data_sha256="00",
        data_source="path",
        algorithm="linear",
        columns=describing.columns(dated, list(rows.columns), raw),
        classes=classes,
        metrics={},
        baseline=Baseline(prediction=classes[0] if classes else 1.0),
        compiled=True,
        why="equal",
        files={},
    )
    return Described(bundle, describing.reference(dated, raw, said, target))
