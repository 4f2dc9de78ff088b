"""The built-in sample: a table that is generated from a seed and a description in YAML."""

from typing import Annotated, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, model_validator

from tabular.config.base import Items, StrictModel

Floats = NDArray[np.float64]


class SamplePlace(StrictModel):
    """A spot that rows gather around."""

    centre: dict[str, float]
    """Position: a value for each column whose distribution is `place`."""
    spread: Annotated[float, Field(gt=0)]
    """Standard deviation of the rows around the centre, in the unit of those columns."""
    weight: Annotated[float, Field(ge=0)] = 0.0
    """Number of rows that gather here, relative to the other places."""
    rows: Annotated[int, Field(ge=0)] = 0
    """Number of rows beyond the drawn ones; without a weight there are exactly these, for a rare place."""
    effect: float = 0.0
    """Amount that it adds to columns with a `place` coefficient; only differences between places count."""
    category: str
    """Name of the place in the columns whose distribution is `category`."""


class SampleColumn(StrictModel):
    """The way a column is made from the columns before it.

    A `normal`, `lognormal` or `choice` column has a latent: noise, effects of other columns' latents and of the place,
    summed and standardised. Its value is `mean + std * latent`, or the exponential of that; of a `choice` the
    category that the rank of the latent falls to, the lowest to the first.
    """

    distribution: Literal["normal", "lognormal", "choice", "place", "category"]
    mean: float = 0.0
    """Mean of the values, or of their natural logarithm for `lognormal`."""
    std: Annotated[float, Field(gt=0)] = 1.0
    """Standard deviation of the values, or of their natural logarithm for `lognormal`."""
    of: dict[str, float] = {}
    """Coefficient on the standardised latent of each earlier column."""
    place: float = 0.0
    """Coefficient on the standardised effect of the place."""
    noise: Annotated[float, Field(ge=0)] = 1.0
    """Coefficient on this column's own standard normal noise."""
    min: float | None = None
    """Lower limit: smaller values become this."""
    max: float | None = None
    """Upper limit: larger values become this."""
    decimals: Annotated[int, Field(ge=0)] = 0
    """Number of decimals to which values are rounded."""
    missing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of missing values, from 0 to 1."""
    shares: dict[str, Annotated[float, Field(gt=0)]] = {}
    """The categories of a `choice` in order, each with its frequency relative to the others."""

    @model_validator(mode="after")
    def _has_categories(self) -> "SampleColumn":
        if (self.distribution == "choice") != bool(self.shares):
            raise ValueError("'shares' are for a choice, and a choice needs them")
        return self


class SampleSpec(StrictModel):
    """The description of a table."""

    rows: Annotated[int, Field(ge=2)]
    """Number of rows."""
    places: Annotated[Items[SamplePlace], Field(min_length=1)]
    """The places that rows gather around."""
    columns: Annotated[dict[str, SampleColumn], Field(min_length=1)]
    """The columns, in the table's order."""

    @model_validator(mode="after")
    def _fits_together(self) -> "SampleSpec":
        located = {name for name, column in self.columns.items() if column.distribution == "place"}
        for number, place in enumerate(self.places):
            if set(place.centre) != located:
                raise ValueError(f"places.{number}.centre must give a value for each of {sorted(located)} and no other")
        earlier: set[str] = set()
        for name, column in self.columns.items():
            for other in column.of:
                if other not in earlier:
                    raise ValueError(f"columns.{name}.of: '{other}' is not an earlier column with numbers")
            if column.distribution != "category":
                earlier.add(name)
        drawn = self.rows - sum(place.rows for place in self.places)
        if drawn < 0 or (drawn > 0 and not any(place.weight for place in self.places)):
            raise ValueError("the 'rows' of the places must not exceed 'rows', and a 'weight' must draw the rest")
        return self


def make_sample(spec: SampleSpec, seed: int) -> pd.DataFrame:
    """Generate the table of a description; the same description and seed give the same table.

    Returns:
        `spec.rows` rows with the columns in their order: float64 with NaN for missing values; for `category` and
        `choice`, text with None for missing values.
    """
    random = np.random.default_rng(seed)
    at = _draw_places(spec, random)
    effect = _standardised(np.array([place.effect for place in spec.places])[at])
    latents: dict[str, Floats] = {}
    table: dict[str, Floats | NDArray[np.object_] | list[str]] = {}
    for name, column in spec.columns.items():
        if column.distribution == "category":
            table[name] = [spec.places[place].category for place in at]
            continue
        noise = random.standard_normal(spec.rows)
        if column.distribution == "place":
            centres = np.array([place.centre[name] for place in spec.places])
            values = centres[at] + np.array([place.spread for place in spec.places])[at] * noise
            latents[name] = _standardised(values)
        else:
            others = sum(coefficient * latents[other] for other, coefficient in column.of.items())
            latents[name] = _standardised(column.noise * noise + column.place * effect + others)
            values = column.mean + column.std * latents[name]
        if column.distribution == "choice":
            table[name] = _chosen(latents[name], column, random)
            continue
        table[name] = _finished(np.exp(values) if column.distribution == "lognormal" else values, column, random)
    return pd.DataFrame(table)


def _draw_places(spec: SampleSpec, random: np.random.Generator) -> NDArray[np.int64]:
    """The number of each row's place, in random order."""
    fixed = np.repeat(np.arange(len(spec.places)), [place.rows for place in spec.places])
    drawn = spec.rows - len(fixed)
    weights = np.array([place.weight for place in spec.places])
    shares = weights / weights.sum() if drawn else None
    return random.permutation(np.concatenate([fixed, random.choice(len(weights), size=drawn, p=shares)]))


def _chosen(latent: Floats, column: SampleColumn, random: np.random.Generator) -> NDArray[np.object_]:
    """The category of each row by the rank of its latent, with missing values."""
    ends = np.cumsum([*column.shares.values()]) / sum(column.shares.values())
    ranks = np.empty(len(latent))
    ranks[np.argsort(latent, kind="stable")] = (np.arange(len(latent)) + 0.5) / len(latent)
    at = np.minimum(np.searchsorted(ends, ranks), len(ends) - 1)
    labels = np.array([*column.shares], dtype=object)[at]
    labels[random.choice(len(labels), size=round(column.missing * len(labels)), replace=False)] = None
    return np.asarray(labels, dtype=object)


def _standardised(values: Floats) -> Floats:
    spread = float(values.std())
    standardised: Floats = (values - values.mean()) / (spread if spread > 0 else 1.0)
    return standardised


def _finished(values: Floats, column: SampleColumn, random: np.random.Generator) -> Floats:
    """The values rounded, kept within the limits, and with missing ones."""
    rounded = np.clip(np.round(values, column.decimals), column.min, column.max)
    holes = random.choice(len(rounded), size=round(column.missing * len(rounded)), replace=False)
    rounded[holes] = np.nan
    return rounded
