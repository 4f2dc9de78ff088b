"""Drift in words: one sentence with a direction and the numbers."""

import math

from tabular.bundles.bundle import Column
from tabular.bundles.reference import Histogram
from tabular.reports.verdicts import NumberCounts

NOTICEABLE = 0.1
"""Number of standard deviations of training by which a mean must differ to be called higher or lower."""
LONGEST = 40
"""Largest number of characters of a category that are shown."""


def numbers(name: str | None, counts: NumberCounts, training: Histogram, distance: float, is_large: bool) -> str:
    """Say how the values of a number column differ, or the predictions where `name` is None."""
    mean = math.nan if counts.mean is None else counts.mean
    by = mean - training.mean
    against = "held out" if name is None else "training"
    if not is_large:
        how = "as they were" if name is None else "as in training"
    elif abs(by) <= NOTICEABLE * training.std:
        how = "spread differently"
    else:
        how = "higher" if by > 0 else "lower"
    what = "predictions are" if name is None else f"{name}: values are"
    digits = _digits(training.std)
    means = f"mean {_number(mean, digits)}, {against} {_number(training.mean, digits)}"
    return f"{what} {how} ({means}): KS distance {distance:.2f}"


def categories(
    name: str | None, counts: dict[str, int], training: dict[str, int], distance: float, is_large: bool
) -> str:
    """Say how the shares of categories differ, or of predicted classes where `name` is None, and which differs most."""
    given, before = max(sum(counts.values()), 1), max(sum(training.values()), 1)
    most = max(counts, key=lambda category: abs(counts[category] / given - training[category] / before))
    label = most if len(most) <= LONGEST else f"{most[:LONGEST]}..."
    where = "held out" if name is None else "in training"
    shares = f"{label} is {percent(counts[most] / given)}, {percent(training[most] / before)} {where}"
    what = "predictions" if name is None else name
    said = shares if is_large else f"shares are as {where} ({shares})"
    return f"{what}: {said}: total variation {distance:.2f}"


def missing(name: str, share: float, training: float) -> str:
    """Say how the share of missing values differs."""
    return f"{name}: {percent(share)} missing, {percent(training)} in training"


def out_of_range(column: Column, share: float) -> str:
    """Say how many of the values of a number column lie outside the range of training."""
    return f"{column.name}: {percent(share)} of values are beyond those of training, {column.min:,g} to {column.max:,g}"


def unknown(name: str, share: float, training: float) -> str:
    """Say how many of the values are categories that the model does not know."""
    before = f", {percent(training)} in training" if training else ""
    return f"{name}: {percent(share)} of values are categories that the model does not know{before}"


def percent(share: float) -> str:
    """Write a share in percent, never rounded to none or to all."""
    if 0 < share < 0.0005:
        return "below 0.1 %"
    return "above 99.9 %" if 0.9995 <= share < 1 else f"{100 * share:.1f} %"


def _digits(std: float) -> int | None:
    """Return the decimals that tell values apart which differ by a hundredth of a standard deviation."""
    return max(0, 2 - math.floor(math.log10(std))) if 1e-6 < std < 1e12 else None


def _number(value: float, digits: int | None) -> str:
    return f"{value:.4g}" if digits is None or abs(value) >= 1e12 else f"{value:,.{digits}f}"
