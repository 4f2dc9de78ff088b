"""`reference.json`: what the training rows were like, to measure drift against."""

from pathlib import Path

from pydantic import ValidationError

from tabular.bundles.bundle import REFERENCE, BadBundle
from tabular.config.base import Items, StrictModel, explain


class Histogram(StrictModel):
    """The known values of a number in bins of about equal size."""

    edges: Items[float]
    """Ascending and distinct, one more than bins. A bin holds its upper edge; the first holds its lower one as well."""
    shares: Items[float]
    """Of each bin; they sum to 1."""
    points: Items[float]
    """Ascending and distinct: all values where there are few different ones, else quantiles, the first and the last
    value among them."""
    reached: Items[float]
    """At each point the share of the values up to and including it, which is the distribution function; ends with 1."""
    mean: float
    std: float
    """With the number of values as divisor."""


class NumberReference(StrictModel):
    """A number column."""

    missing: float
    """The share of rows without a value."""
    known: Histogram | None
    """None for a column without any value."""


class CategoryReference(StrictModel):
    """A category column."""

    missing: float
    shares: dict[str, float]
    """Of all rows, by category; a missing value counts as the category "missing"."""


class Reference(StrictModel):
    """The training rows, and what the model says of rows that it has not seen."""

    rows: int
    numbers: dict[str, NumberReference]
    categories: dict[str, CategoryReference]
    predicted_rows: int
    """The held-out rows behind the predictions: those for training rows are nearer to the targets than any to come."""
    predictions: Histogram | None
    """None for a classification."""
    predicted: dict[str, float]
    """The share of each class among the predicted ones; empty for a regression."""


def read(folder: Path) -> Reference:
    """The reference statistics of a bundle.

    Raises:
        BadBundle: the file cannot be read, or is damaged.
    """
    try:
        return Reference.model_validate_json((folder / REFERENCE).read_bytes())
    except OSError as error:
        raise BadBundle(f"{folder / REFERENCE}: {error.strerror or error}; copy the bundle again") from error
    except ValidationError as error:
        raise BadBundle(f"{folder / REFERENCE}: {explain(error, Reference)}; package the model again") from error
