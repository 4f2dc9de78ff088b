"""Columns that give the target away: copies of it, and columns that alone predict it almost without an error."""

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from tabular.config.stages import Task
from tabular.profiling.found import TableFinding, loud, warning

ROWS = 10_000
"""Number of rows, drawn with a seed, on which one column alone is tried as a predictor."""
FEWEST = 30
"""Number of rows below which nothing is reported, because too much is perfect by chance."""
NEAR = 0.999
"""Share of the target that a single column explains from which on it is a leak."""
CLOSE = 0.98
"""Share from which on a person should look at the column."""

LARGE = 1e30
"""Larger than any scaled number, and within the range of float32."""

Floats = NDArray[np.float64]


def find(frame: pd.DataFrame, columns: list[str], target: str, task: Task) -> list[TableFinding]:
    """Find the columns that alone tell the target: `loud` for a leak, `warning` for a column that may be one.

    Args:
        frame: rows with a known target.
    """
    if len(frame) < FEWEST:
        return []
    sample = frame.sample(ROWS, random_state=0) if len(frame) > ROWS else frame
    found = []
    for column in columns:
        copied = _copied(frame[column], frame[target], task)
        if copied is not None:
            found.append(loud(column, f"LEAK: {copied}; left out"))
            continue
        share = _explained(sample[column], sample[target], task)
        if share >= CLOSE:
            said = f"it alone explains {share * 100:.4g}% of the target"
            if share >= NEAR:
                found.append(loud(column, f"LEAK: {said}; left out"))
            else:
                text = f"{said}: is it known when a prediction is made? Else add it to data.drop_columns"
                found.append(warning(column, text))
    return found


def _copied(column: pd.Series, target: pd.Series, task: Task) -> str | None:
    """How the target follows from the column value by value, in words; None if it does not."""
    both = column.notna() & target.notna()
    if int(both.sum()) < max(FEWEST, len(column) // 10):
        return None
    ours, theirs = column[both], target[both]
    if ours.nunique() != theirs.nunique():
        return None
    by_order = task == "regression" and not pd.api.types.is_string_dtype(ours.dtype)
    left, right = _codes(ours, ordered=by_order), _codes(theirs, ordered=by_order)
    if by_order:
        if np.array_equal(left, right):
            same = np.array_equal(ours.to_numpy(dtype=float), theirs.to_numpy(dtype=float)) if _numeric(ours) else False
            return "a copy of the target" if same else "it rises with the target, value for value (a transform of it)"
        if np.array_equal(left, left.max() - right):
            return "it falls as the target rises, value for value (a transform of it)"
        return None
    if not np.array_equal(left, right):
        return None
    if task == "regression":
        return "the target under other names" if len(np.unique(left)) > FEWEST else None
    same = bool((ours.astype(str).to_numpy() == theirs.astype(str).to_numpy()).all())
    return "a copy of the target" if same else "the target under other names"


def _explained(column: pd.Series, target: pd.Series, task: Task) -> float:
    """The share of the target, 0 to 1, that a tree on this column explains on unseen rows; the lesser of two halves.

    For a regression this is the R² of the target's ranks, so that a few huge values do not decide. For a classification
    it is the share of errors that the tree avoids, compared with always predicting the most frequent class.
    """
    inputs = _inputs(column)
    wanted = target.rank(pct=True).to_numpy() if task == "regression" else pd.factorize(target, sort=True)[0]
    order = np.random.default_rng(0).permutation(len(wanted))
    halves = order[::2], order[1::2]
    kind = DecisionTreeRegressor if task == "regression" else DecisionTreeClassifier
    shares = []
    for fitted, judged in (halves, halves[::-1]):
        tree = kind(max_leaf_nodes=512, random_state=0).fit(inputs[fitted], wanted[fitted])
        predicted = tree.predict(inputs[judged])
        if task == "regression":
            wrong, base = np.mean((wanted[judged] - predicted) ** 2), np.var(wanted[judged])
        else:
            wrong = np.mean(wanted[judged] != predicted)
            base = 1 - np.max(np.bincount(wanted[judged])) / len(judged)
        shares.append(1 - float(wrong) / float(base) if base > 0 else 0.0)
    return min(shares)


def _inputs(column: pd.Series) -> Floats:
    """The column as float64, rows x 1, with holes far below all values, because a missing value tells something too.

    The values are scaled about the median, because the tree works in float32, where all moments of a year look alike.
    """
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        values = (column - column.min()).dt.total_seconds().to_numpy(dtype=np.float64)
    elif _numeric(column):
        values = column.to_numpy(dtype=np.float64)
    else:
        values = np.where(column.isna(), np.nan, _codes(column, ordered=True))
    known = values[np.isfinite(values)]
    if not len(known):
        return np.zeros((len(values), 1))
    scale = float(np.std(known / LARGE)) * LARGE
    scaled = (values - np.median(known)) / (scale if 0 < scale < math.inf else 1.0)
    filled: Floats = np.nan_to_num(np.clip(scaled, -LARGE, LARGE), nan=-2 * LARGE)
    return filled[:, None]


def _codes(column: pd.Series, ordered: bool) -> NDArray[np.intp]:
    """A number for each different value, by its order or by its first occurrence; -1 for a hole."""
    return np.asarray(pd.factorize(column, sort=ordered)[0])


def _numeric(column: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column.dtype))
