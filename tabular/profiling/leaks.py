"""Columns that give the target away: copies of it, and what alone predicts it almost without an error."""

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from tabular.config.stages import Task
from tabular.profiling.found import Finding

ROWS = 10_000
"""Rows drawn (seeded) to see what one column alone predicts."""
FEWEST = 30
"""Rows below which nothing is said: too much is perfect by chance."""
NEAR = 0.999
"""The share of the target that one column alone explains, from which on it is a leak."""
CLOSE = 0.98
"""The share from which on a person should look at it."""

LARGE = 1e30
"""More than any scaled number, and within float32."""

Floats = NDArray[np.float64]


def find(frame: pd.DataFrame, columns: list[str], target: str, task: Task) -> list[Finding]:
    """What each of the columns alone tells of the target; `loud` is a leak, `warning` may be one.

    Args:
        frame: rows with a known target.
        columns: the columns to look at.
        target: its name.
        task: regression or classification.
    """
    if len(frame) < FEWEST:
        return []
    sample = frame.sample(ROWS, random_state=0) if len(frame) > ROWS else frame
    found = []
    for column in columns:
        copied = _copied(frame[column], frame[target], task)
        if copied is not None:
            found.append(Finding(level="loud", column=column, text=f"LEAK: {copied}; left out"))
            continue
        share = _explained(sample[column], sample[target], task)
        if share >= CLOSE:
            said = f"it alone explains {share * 100:.4g}% of the target"
            if share >= NEAR:
                found.append(Finding(level="loud", column=column, text=f"LEAK: {said}; left out"))
            else:
                text = f"{said}: is it known when a prediction is made? Else add it to data.drop_columns"
                found.append(Finding(level="warning", column=column, text=text))
    return found


def _copied(column: pd.Series, target: pd.Series, task: Task) -> str | None:
    """In words, how the target can be told from the column value for value; None where it cannot."""
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
    """What a tree on this column alone explains of rows that it has not seen, 0 to 1; the lesser of two halves.

    Of a regression, the R² of the target's ranks, which a few huge values do not decide. Of a classification, the
    share of the errors of always naming the most frequent class that the tree does not make.
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
    """The column as numbers, rows x 1, with holes far below all else: that a value is missing tells something too.

    Scaled about the median, because the tree works in float32: moments of one year all look alike there.
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
    """A number for each different value, by its order or by where it is first met; -1 for a hole."""
    return np.asarray(pd.factorize(column, sort=ordered)[0])


def _numeric(column: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column.dtype))
