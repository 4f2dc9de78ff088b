"""Limits and sizes that follow from a table: they let next month's export pass, and a broken one not."""

import math
from collections.abc import Callable
from datetime import date

from tabular.profiling.found import ColumnFound, TableFound

SLACK = 0.25
"""How far beyond what was seen a number or a date may lie, as a share of the range that was seen."""
SOME = 0.02
"""A share of holes that may turn up where there were none."""
KNN_ROWS = 25_000
"""Rows up to which neighbours are looked for: their cost grows with the square."""
ITERATIVE_CELLS = 100_000
"""Rows times columns with holes, up to which each hole is predicted from all other columns."""
FOREST_ROWS = 50_000
"""Rows up to which a random forest competes; it grows on one thread."""
MANY_ROWS = 30_000
"""Rows from which on the search starts fewer trials."""
CLUSTERS = (5, 10, 25, 50, 75, 100)
ROWS_IN_A_CLUSTER = 100


def number_range(column: ColumnFound) -> tuple[float, float]:
    """The smallest and largest number that stay valid; what was never negative stays so."""
    assert column.low is not None and column.high is not None
    low, high = column.low, column.high
    slack = SLACK * (high - low)
    lowest = 0.0 if low >= 0 and low - slack < 0 else rounded(low - slack, slack, math.floor)
    highest = 0.0 if high <= 0 and high + slack > 0 else rounded(high + slack, slack, math.ceil)
    return min(lowest, low), max(highest, high)


def rounded(value: float, scale: float, towards: Callable[[float], int]) -> float:
    """A value to two digits of a scale, up (`math.ceil`) or down (`math.floor`)."""
    if scale <= 0 or not math.isfinite(value) or not math.isfinite(scale):
        return value
    unit = 10.0 ** (math.floor(math.log10(scale)) - 1)
    if unit == 0 or not math.isfinite(value / unit):
        return value
    return float(f"{towards(value / unit) * unit:.12g}")


def day_range(column: ColumnFound) -> tuple[str, str]:
    """The first and last valid day: a quarter of the range before it, and its length and a year after it."""
    first, last = date.fromisoformat(str(column.first)), date.fromisoformat(str(column.last))
    span = (last - first).days + 1
    before = max(first.toordinal() - math.ceil(SLACK * span), date.min.toordinal())
    after = min(last.toordinal() + span + 366, date.max.toordinal() - 1)
    return date.fromordinal(before).isoformat(), date.fromordinal(after).isoformat()


def max_missing(column: ColumnFound) -> float:
    """Half as many holes again as there are, and a few where there are none; a share, 0 to 1."""
    share = column.missing / (column.missing + column.known)
    return min(1.0, math.ceil(100 * (1.5 * share + SOME)) / 100)


def duplicate_share(found: TableFound) -> float:
    """Half as many repeated rows again as there are, and at least one in twenty."""
    return min(1.0, max(0.05, math.ceil(100 * (1.5 * found.duplicate_share + SOME)) / 100))


def cluster_counts(rows: int) -> list[int]:
    """Numbers of clusters to try, each with a hundred rows or more in the mean; none for a small table."""
    return [count for count in CLUSTERS if count * ROWS_IN_A_CLUSTER <= rows]


def strategies(found: TableFound) -> tuple[list[str], str]:
    """The imputation strategies that such a table can afford, and why these."""
    holes = sum(1 for column in found.inputs if column.missing and column.low is not None)
    affordable = ["median", "mean"]
    if not holes:
        return affordable, "no number has holes; the first fills those that turn up in serving"
    if found.used <= KNN_ROWS:
        affordable.append("knn")
    if found.used * holes <= ITERATIVE_CELLS:
        affordable.append("iterative")
    if len(affordable) == 4:
        return affordable, "all of them: the table is small enough"
    what = f"{holes} column{'s' if holes > 1 else ''} with holes"
    return affordable, f"what {found.used:,} rows with {what} can afford; the others are knn and iterative"


def algorithms(found: TableFound) -> tuple[list[str], str]:
    """The algorithms that compete, and why these."""
    names = ["linear", "lightgbm", "hist_gradient_boosting", "xgboost"]
    if found.used <= FOREST_ROWS:
        return [
            *names,
            "random_forest",
        ], "of those that tie, the first one wins: cheaper to fit and to serve goes first"
    return names, f"no random_forest: it grows on one thread, and there are {found.used:,} rows"


def trials(found: TableFound) -> tuple[int, str]:
    """How many trials the search starts, and why so many."""
    if found.used > MANY_ROWS:
        return 30, f"fewer than usual: each trial fits {MANY_ROWS:,} rows several times"
    return 50, "more find a little more; finished ones are kept when a run is repeated"


def metric(found: TableFound) -> tuple[str, str]:
    """What decides between models, and why it."""
    if found.target.task == "classification":
        return "f1_macro", "all classes count alike, however rare; log_loss judges the probabilities"
    if found.target.positive:
        return "wmape", "the error in percent of the target's sum: it reads alike in every unit"
    return "rmse", "the target has values of zero or below, of which a percentage means little"


def slices(found: TableFound) -> list[str]:
    """Up to two columns of few categories, by which the metrics are shown apart."""
    few = [column for column in found.inputs if 2 <= len(column.levels) <= 10]
    return [column.name for column in sorted(few, key=lambda column: -len(column.levels))[:2]]
