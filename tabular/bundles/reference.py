"""`reference.json`: statistics of the training rows, which drift is measured against."""

from pathlib import Path

from tabular.bundles.bundle import REFERENCE, read_file, validated
from tabular.config.base import Items, StrictModel


class Histogram(StrictModel):
    """The known values of a number column, in bins of about equal count."""

    edges: Items[float]
    """Ascending and distinct, one more than there are bins. A bin contains its upper edge; the first bin contains its
    lower edge as well."""
    shares: Items[float]
    """Share of the values in each bin; they sum to 1."""
    points: Items[float]
    """Ascending and distinct: all values if there are few different ones, otherwise quantiles, among them the smallest
    and the largest value."""
    reached: Items[float]
    """Share of the values up to and including each point: the distribution function, which ends with 1."""
    mean: float
    std: float
    """Standard deviation with the number of values as divisor."""


class NumberReference(StrictModel):
    """Statistics of a number column."""

    missing: float
    """Share of the rows without a value."""
    known: Histogram | None
    """None for a column without any value."""


class CategoryReference(StrictModel):
    """Statistics of a category column."""

    missing: float
    """Share of the rows without a value."""
    shares: dict[str, float]
    """Share of all rows by category; a missing value counts as the category "missing"."""


class Reference(StrictModel):
    """Statistics of the training rows, and of the model's predictions for rows that it was not trained on."""

    rows: int
    """Number of training rows."""
    numbers: dict[str, NumberReference]
    categories: dict[str, CategoryReference]
    predicted_rows: int
    """Number of held-out rows that were predicted: predictions for training rows are too close to their targets."""
    predictions: Histogram | None
    """Histogram of the predictions; None for a classification."""
    predicted: dict[str, float]
    """Share of each class among the predictions; empty for a regression."""


def read(folder: Path) -> Reference:
    """Read the reference statistics of a bundle.

    Raises:
        BadBundle: the file cannot be read, or is damaged.
    """
    return validated(Reference, read_file(folder, REFERENCE, str(folder)), str(folder / REFERENCE))
