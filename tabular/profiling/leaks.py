"""Columns that give the target away: copies of it, and columns that alone predict it almost without an error."""

import math
from typing import Any

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
Places = NDArray[np.intp]


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
    """The share of the target, 0 to 1, that the column alone explains on unseen rows; the lesser of two halves.

    For a regression this is the R² of the target's ranks, so that a few huge values do not decide. For a classification
    it is the share of errors that the column avoids, compared with always predicting the most frequent class. A text is
    tried value by value, a decimal number or a date by a tree, and a whole number, which may be a code, in both ways.
    """
    wanted = target.rank(pct=True).to_numpy() if task == "regression" else pd.factorize(target, sort=True)[0]
    order = np.random.default_rng(0).permutation(len(wanted))
    halves = (order[::2], order[1::2]), (order[1::2], order[::2])
    is_date = pd.api.types.is_datetime64_any_dtype(column.dtype)
    shares = [0.0]
    if is_date or _numeric(column):
        inputs = _inputs(column)
        shares.append(min(_by_tree(inputs, wanted, *half, task) for half in halves))
    if not is_date and (not _numeric(column) or bool((column.dropna() % 1 == 0).all())):
        codes = np.asarray(pd.factorize(column, use_na_sentinel=False)[0])
        shares.append(min(_by_value(codes, wanted, *half, task) for half in halves))
    return max(shares)


def _by_tree(inputs: Floats, wanted: NDArray[Any], fitted: Places, judged: Places, task: Task) -> float:
    kind = DecisionTreeRegressor if task == "regression" else DecisionTreeClassifier
    tree = kind(max_leaf_nodes=512, random_state=0).fit(inputs[fitted], wanted[fitted])
    return _share(tree.predict(inputs[judged]), wanted[judged], task)


def _by_value(codes: Places, wanted: NDArray[Any], fitted: Places, judged: Places, task: Task) -> float:
    """The share that the mean or the most frequent class of each value explains.

    Rows of a value that the other half lacks do not count: they are no evidence that known values explain less.
    """
    judged = judged[np.isin(codes[judged], codes[fitted])]
    if len(judged) < max(FEWEST, len(fitted) // 10):
        return 0.0
    if task == "regression":
        rows = np.bincount(codes[fitted])
        told = np.bincount(codes[fitted], wanted[fitted]) / np.maximum(rows, 1)
    else:
        counts = np.zeros((codes.max() + 1, wanted.max() + 1))
        np.add.at(counts, (codes[fitted], wanted[fitted]), 1)
        told = counts.argmax(axis=1)
    return _share(told[codes[judged]], wanted[judged], task)


def _share(predicted: NDArray[Any], actual: NDArray[Any], task: Task) -> float:
    if task == "regression":
        wrong, base = float(np.mean((actual - predicted) ** 2)), float(np.var(actual))
    else:
        wrong, base = float(np.mean(actual != predicted)), 1 - int(np.bincount(actual).max()) / len(actual)
    return 1 - wrong / base if base > 0 else 0.0


def _inputs(column: pd.Series) -> Floats:
    """The column as float64, rows x 1, with holes far below all values, because a missing value tells something too.

    The values are scaled about the median, because the tree works in float32, where all moments of a year look alike.
    """
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        values = (column - column.min()).dt.total_seconds().to_numpy(dtype=np.float64)
    else:
        values = column.to_numpy(dtype=np.float64)
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
