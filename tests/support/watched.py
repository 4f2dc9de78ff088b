"""A model of two columns, and windows of its rows, as counts."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tabular.bundles.bundle import Baseline, Bundle, Column
from tabular.bundles.encoding import Encoder
from tabular.bundles.making.describing import histogram
from tabular.bundles.reference import CategoryReference, NumberReference, Reference
from tabular.monitoring.tally import Tally
from tabular.reports.verdicts import Observed

SIZES = np.linspace(10, 100, 2000)


@dataclass(frozen=True)
class Watched:
    """A bundle's manifest and its reference, without a predictor."""

    bundle: Bundle
    reference: Reference

    def observed(self, rows: int, shift: float = 0.0, share: float = 0.3) -> Observed:
        """A window of rows: `share` of them are flats, and their sizes are `shift` larger than in training."""
        tally = Tally(self.bundle, self.reference)
        if rows:
            table = rows_of(rows, shift, share)
            encoded, notes = Encoder(self.bundle.columns).columns(table.to_dict("list"), rows)
            tally.add(encoded, notes, table["size"].to_numpy() * 2)
        return tally.observed()


def rows_of(rows: int, shift: float = 0.0, share: float = 0.3) -> pd.DataFrame:
    """Evenly spread sizes, and flats in the share that is asked for."""
    sizes = np.linspace(10, 100, rows) + shift
    flats = (np.arange(rows) * share) % 1 >= 1 - share
    return pd.DataFrame({"size": sizes, "kind": np.where(flats, "flat", "house")})


def model() -> Watched:
    """Sizes from 10 to 100, three flats in ten, predictions of twice the size."""
    sizes, prices = histogram(SIZES), histogram(SIZES * 2)
    columns = (
        Column(name="size", kind="number", min=10, max=100, missing_share=0),
        Column(name="kind", kind="category", categories=("flat", "house"), missing_share=0),
    )
    bundle = Bundle(
        name="homes",
        version="1",
        task="regression",
        target="price",
        created="2026-01-01T00:00:00+00:00",
        model_sha256="0" * 64,
        data_sha256="0" * 64,
        data_source="path",
        algorithm="linear",
        columns=columns,
        metrics={"wmape": 10.0},
        baseline=Baseline(prediction=110.0),
        compiled=True,
        why="",
        files={},
    )
    reference = Reference(
        rows=len(SIZES),
        predicted_rows=len(SIZES),
        numbers={"size": NumberReference(missing=0, known=sizes)},
        categories={"kind": CategoryReference(missing=0, shares={"flat": 0.3, "house": 0.7})},
        predictions=prices,
        predicted={},
    )
    return Watched(bundle, reference)
