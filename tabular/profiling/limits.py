"""Limits and sizes that follow from a table, such that next month's export passes and a broken one does not."""

import math
from collections.abc import Callable
from datetime import date

from tabular.profiling.found import ColumnFound, TableFound

SLACK = 0.25
"""How far a number or a date may lie beyond the observed range, as a share of that range."""
SOME = 0.02
"""Share of holes that may appear in a column without any."""
KNN_ROWS = 25_000
"""Number of rows up to which KNN imputation is tried; its cost grows with the square of the rows."""
ITERATIVE_CELLS = 100_000
"""Rows times columns with holes up to which iterative imputation is tried."""
FOREST_ROWS = 50_000
"""Number of rows up to which a random forest competes; it is fitted on one thread."""
MANY_ROWS = 30_000
"""Number of rows from which on the search starts fewer trials."""
CLUSTERS = (5, 10, 25, 50, 75, 100)
ROWS_IN_A_CLUSTER = 100


def number_range(column: ColumnFound) -> tuple[float, float]:
    """The smallest and the largest valid number; a column without negative numbers allows none."""
    assert column.low is not None and column.high is not None
    low, high = column.low, column.high
    slack = SLACK * (high - low)
    lowest = 0.0 if low >= 0 and low - slack < 0 else rounded(low - slack, slack, math.floor)
    highest = 0.0 if high <= 0 and high + slack > 0 else rounded(high + slack, slack, math.ceil)
    return min(lowest, low), max(highest, high)


def rounded(value: float, scale: float, towards: Callable[[float], int]) -> float:
    """Round a value to two digits of a scale, up (`math.ceil`) or down (`math.floor`)."""
    if scale <= 0 or not math.isfinite(value) or not math.isfinite(scale):
        return value
    unit = 10.0 ** (math.floor(math.log10(scale)) - 1)
    if unit == 0 or not math.isfinite(value / unit):
        return value
    return float(f"{towards(value / unit) * unit:.12g}")


def day_range(column: ColumnFound) -> tuple[str, str]:
    """The first and the last valid day: a quarter of the range before it, and the range and a year after it."""
    first, last = date.fromisoformat(str(column.first)), date.fromisoformat(str(column.last))
    span = (last - first).days + 1
    before = max(first.toordinal() - math.ceil(SLACK * span), date.min.toordinal())
    after = min(last.toordinal() + span + 366, date.max.toordinal() - 1)
    return date.fromordinal(before).isoformat(), date.fromordinal(after).isoformat()


def max_missing(column: ColumnFound) -> float:
    """The largest valid share of holes, 0 to 1: half as many again as there are, and a few more."""
    share = column.missing / (column.missing + column.known)
    return min(1.0, math.ceil(100 * (1.5 * share + SOME)) / 100)


def duplicate_share(found: TableFound) -> float:
    """The largest valid share of repeated rows, 0 to 1: half as many again as there are, and at least one in twenty."""
    return min(1.0, max(0.05, math.ceil(100 * (1.5 * found.duplicate_share + SOME)) / 100))


def cluster_counts(rows: int) -> list[int]:
    """Numbers of clusters to try, with a mean of at least a hundred rows in each; none for a small table."""
    return [count for count in CLUSTERS if count * ROWS_IN_A_CLUSTER <= rows]


def strategies(found: TableFound) -> tuple[list[str], str]:
    """The imputation strategies that are affordable for the table, and the reason."""
    holes = sum(1 for column in found.inputs if column.missing and column.low is not None)
    affordable = ["median", "mean"]
    if not holes:
        return affordable, "no number has holes; the first strategy fills those that appear in serving"
    if found.used <= KNN_ROWS:
        affordable.append("knn")
    if found.used * holes <= ITERATIVE_CELLS:
        affordable.append("iterative")
    if len(affordable) == 4:
        return affordable, "the table is small enough for all of them"
    what = f"{holes} column{'s' if holes > 1 else ''} with holes"
    return affordable, f"affordable for {found.used:,} rows with {what}; the others are knn and iterative"


def algorithms(found: TableFound) -> tuple[list[str], str]:
    """The algorithms that compete, and the reason."""
    names = ["linear", "lightgbm", "hist_gradient_boosting", "xgboost"]
    if found.used <= FOREST_ROWS:
        why = "if several tie, the first of them wins: those that are cheaper to fit and to serve come first"
        return [*names, "random_forest"], why
    return names, f"without random_forest, which is fitted on one thread: there are {found.used:,} rows"


def trials(found: TableFound) -> tuple[int, str]:
    """The number of trials of the search, and the reason."""
    if found.used > MANY_ROWS:
        return 30, f"fewer than usual: each trial fits {MANY_ROWS:,} rows several times"
    return 50, "more trials find slightly better models; finished trials are kept when a run is repeated"


def metric(found: TableFound) -> tuple[str, str]:
    """The metric that decides between models, and the reason."""
    if found.target.task == "classification":
        return "f1_macro", "all classes count the same, however rare they are; log_loss judges the probabilities"
    if found.target.positive:
        return "wmape", "the error in percent of the target's sum, which reads the same in every unit"
    return "rmse", "the target has values of zero or below, for which a percentage means little"


def slices(found: TableFound) -> list[str]:
    """Up to two columns with few categories, for which the metrics are computed by category."""
    few = [column for column in found.inputs if 2 <= len(column.levels) <= 10]
    return [column.name for column in sorted(few, key=lambda column: -len(column.levels))[:2]]
