"""Two tables for people: training rows rebuilt from their statistics, and a sample of the observed rows."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tabular.bundles.bundle import Bundle
from tabular.bundles.encoding import MISSING
from tabular.bundles.predictor import Rows
from tabular.bundles.reference import Histogram, NumberReference, Reference
from tabular.monitoring.drift import PREDICTION

UNKNOWN = "(unknown)"
"""Label for every category or class that the model does not know."""


def reference_frame(reference: Reference, bundle: Bundle, rows: int = 1000, *, seed: int) -> pd.DataFrame:
    """Return rows that are distributed as the training rows were, made from their statistics alone.

    Each column is shuffled on its own, so columns are related to each other by chance only, and a row equals a
    training row by chance only.

    Returns:
        rows x columns, without dates: numbers as float64, categories as text, missing values as NaN; the last column
        holds the predictions.
    """
    made: dict[str, NDArray[Any]] = {}
    for column in bundle.columns:
        if column.kind == "number":
            made[column.name] = _number(reference.numbers[column.name], rows)
        elif column.kind == "category":
            made[column.name] = _category(reference.categories[column.name].shares, column.categories, rows)
    made[prediction_name(bundle)] = (
        _number(NumberReference(missing=0.0, known=reference.predictions), rows)
        if bundle.task == "regression"
        else _category(reference.predicted, bundle.classes, rows)
    )
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            name: pd.Series(random.permutation(values), dtype="str" if values.dtype == object else None)
            for name, values in made.items()
        }
    )


def current_frame(
    rows: Rows, predicted: NDArray[np.float64] | NDArray[np.integer], bundle: Bundle, most: int = 5000, *, seed: int
) -> pd.DataFrame:
    """Return a sample of the rows that a model answered, in their order, with the columns of `reference_frame`.

    Args:
        rows: rows as the predictor takes them.
        predicted: one value for each row: float64 for a regression; for a classification the position in
            `Bundle.classes`, or -1 for a label that is not among them.
        most: largest number of rows; of more rows, so many are drawn.

    Returns:
        rows x columns. A category that the model does not know is `UNKNOWN`. So is a missing one where the model has
        no category for missing values, because the codes do not tell the two apart.
    """
    count = len(rows.numbers)
    places = np.arange(count)
    if count > most:
        places = np.sort(np.random.default_rng(seed).choice(count, most, replace=False))
    numbers, codes, said = iter(rows.numbers[places].T), iter(rows.codes[places].T), predicted[places]
    columns = {
        column.name: _text(next(codes), column.categories) if column.kind == "category" else pd.Series(next(numbers))
        for column in bundle.columns
    }
    is_number = bundle.task == "regression"
    columns[prediction_name(bundle)] = (
        pd.Series(said.astype(np.float64)) if is_number else _text(said.astype(np.int64), bundle.classes)
    )
    return pd.DataFrame(columns).drop(columns=[column.name for column in bundle.columns if column.kind == "date"])


def prediction_name(bundle: Bundle) -> str:
    """Return the name of the column of predictions: `prediction`, unless an input has that name."""
    name = PREDICTION
    while any(column.name == name for column in bundle.columns):
        name = f"model's {name}"
    return name


def _number(column: NumberReference, rows: int) -> NDArray[np.float64]:
    values = np.full(rows, np.nan)
    known = rows - round(column.missing * rows)
    if column.known is not None and known:
        values[:known] = _quantiles(column.known, (np.arange(known) + 0.5) / known)
    return values


def _quantiles(known: Histogram, levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the values at which the distribution function reaches some levels.

    Where the points are all the values that there are, this is the smallest point that reaches the level. Where the
    points are quantiles, the usual step from one to the next is spread evenly between the two; whatever exceeds the
    usual step is a single value that occurs often.
    """
    points, reached = np.array(known.points), np.array(known.reached)
    shares = np.diff(reached, prepend=0.0)
    if abs(float(shares @ points) - known.mean) <= 1e-9 * (abs(known.mean) + known.std):
        return np.asarray(points[np.minimum(np.searchsorted(reached, levels), len(points) - 1)])
    between = np.minimum(shares, np.median(shares))
    between[0] = 0.0
    ends = np.column_stack([reached - shares + between, reached]).ravel()
    return np.asarray(np.interp(levels, ends, np.repeat(points, 2)))


def _category(shares: dict[str, float], known: tuple[str, ...], rows: int) -> NDArray[np.object_]:
    """Return each category as often as its share says; the largest remainders are rounded up, so that counts add up."""
    if not shares:
        return np.full(rows, None, dtype=object)
    labels = np.array([_label(category, known) for category in shares], dtype=object)
    exact = rows * np.array(list(shares.values())) / sum(shares.values())
    counts = np.floor(exact).astype(np.int64)
    counts[np.argsort(counts - exact, kind="stable")[: rows - int(counts.sum())]] += 1
    return np.repeat(labels, counts)


def _label(category: str, known: tuple[str, ...]) -> str | None:
    if category == MISSING:
        return None
    return category if category in known else UNKNOWN


def _text(codes: NDArray[np.integer], categories: tuple[str, ...]) -> pd.Series:
    """Return codes as text; -1 takes the last label, `UNKNOWN`."""
    labels = np.array([*(_label(category, categories) for category in categories), UNKNOWN], dtype=object)
    return pd.Series(labels[codes], dtype="str")
