"""Descriptions of a model's columns and of its training rows, which the service and the monitoring use."""

from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tabular.bundles.bundle import Baseline, Column
from tabular.bundles.making.compiling import Raw
from tabular.bundles.reference import CategoryReference, Histogram, NumberReference, Reference
from tabular.config.stages import TargetConfig
from tabular.learning.features import MISSING_CATEGORY
from tabular.learning.features_derived import date_numbers

BINS = 10
POINTS = 200
"""Number of quantiles that represent a distribution; up to this many different values are all kept."""


def columns(rows: pd.DataFrame, names: list[str], raw: Raw) -> tuple[Column, ...]:
    """Descriptions of the raw columns `names`, taken from the training rows."""
    return tuple(_column(rows[name], raw) for name in names)


def baseline(rows: pd.DataFrame, target: TargetConfig) -> Baseline:
    """The prediction without a model: the training median, or the most frequent class with all shares."""
    if target.task == "regression":
        return Baseline(prediction=float(np.median(rows[target.column].to_numpy(dtype=np.float64))))
    shares = _shares(rows[target.column].map(str))
    return Baseline(prediction=max(shares, key=lambda label: shares[label]), probabilities=shares)


def reference(rows: pd.DataFrame, raw: Raw, predictions: NDArray[Any], target: TargetConfig) -> Reference:
    """The reference statistics of training rows, and of predictions for held-out rows.

    `predictions` are (rows,): float64 or labels.
    """
    classifies = target.task == "classification"
    return Reference(
        rows=len(rows),
        predicted_rows=len(predictions),
        numbers={
            name: NumberReference(missing=float(np.isnan(values).mean()), known=histogram(values))
            for name, values in ((name, _floats(rows[name], raw)) for name in raw.numbers)
        },
        categories={name: _category(rows[name]) for name in raw.categories},
        predictions=None if classifies else histogram(predictions.astype(np.float64)),
        predicted=_shares(pd.Series(predictions).map(str)) if classifies else {},
    )


def histogram(values: NDArray[np.float64]) -> Histogram | None:
    """Bins and the distribution function of all finite values.

    Returns:
        A histogram with ten bins between quantiles, or fewer if values repeat. Its points are all different values if
        there are at most 200, else the smallest value, the largest value and 200 quantiles between them that occur in
        the data (`inverted_cdf`, definition 1 of Hyndman & Fan 1996, "Sample quantiles in statistical packages").
        None if no value is finite.
    """
    values = np.sort(values[np.isfinite(values)])
    if not len(values):
        return None
    edges = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)))
    if len(edges) == 1:
        edges = np.repeat(edges, 2)
    counts = np.bincount(np.clip(np.searchsorted(edges, values) - 1, 0, len(edges) - 2), minlength=len(edges) - 1)
    points = np.unique(values)
    if len(points) > POINTS:
        points = np.unique(np.quantile(values, np.linspace(0, 1, POINTS + 2), method="inverted_cdf"))
    reached = np.searchsorted(values, points, side="right") / len(values)
    return Histogram(
        edges=tuple(edges.tolist()),
        shares=tuple((counts / len(values)).tolist()),
        points=tuple(points.tolist()),
        reached=tuple(reached.tolist()),
        mean=float(values.mean()),
        std=float(values.std()),
    )


def _column(values: pd.Series, raw: Raw) -> Column:
    missing = float(values.isna().mean())
    if values.name in raw.categories:
        known = tuple(raw.categories[str(values.name)])
        return Column(name=str(values.name), kind="category", categories=known, missing_share=missing)
    floats = _floats(values, raw)
    floats = floats[np.isfinite(floats)]
    low, high = (float(floats.min()), float(floats.max())) if len(floats) else (None, None)
    kind: Literal["number", "date"] = "date" if values.name in raw.dates else "number"
    return Column(name=str(values.name), kind=kind, min=low, max=high, missing_share=missing)


def _floats(values: pd.Series, raw: Raw) -> NDArray[np.float64]:
    """A number or date column as float64 (rows,), NaN for a missing value."""
    if values.name in raw.dates:
        return date_numbers(values)
    return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)


def _category(values: pd.Series) -> CategoryReference:
    text = values.astype("str").astype(object).where(values.notna(), MISSING_CATEGORY)
    return CategoryReference(missing=float(values.isna().mean()), shares=_shares(text))


def _shares(text: pd.Series) -> dict[str, float]:
    counts = text.value_counts(normalize=True, sort=False).sort_index()
    return {str(value): float(share) for value, share in counts.items()}
