"""What fitted models answer for rows: one model, or champion and challenger for the same rows that neither saw."""

from functools import reduce
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from tabular.config.stages import TargetConfig, Task
from tabular.errors import UserError, one_line
from tabular.learning import metrics

SQUARED = ("r2", "rmse")
"""Metrics of squared errors."""
BY_CLASS = (
    *("balanced_accuracy", "precision_macro", "recall_macro", "f1_macro"),
    *("precision_weighted", "f1_weighted"),
)
"""Metrics in which naming classes at random is better than naming always the most frequent one."""
MINIMUM = 50
"""The smallest number of rows for a comparison; on fewer rows an interval is too wide to decide anything."""


class Answers(NamedTuple):
    """The answers of one model for some rows."""

    predicted: NDArray[Any]
    """(rows,): float64, or labels as text."""
    probabilities: NDArray[np.float64] | None
    """Rows x classes; None for a regression, or for a model without probabilities."""
    classes: list[str] | None
    """Labels of the columns of `probabilities`; None for a regression."""


class PairedAnswers(NamedTuple):
    """The answers of champion and challenger for the same rows. Without a champion, the baseline takes its place."""

    champion_version: str | None
    """None for the baseline."""
    actual: NDArray[Any]
    """(rows,): float64, or labels as text."""
    champion: Answers
    challenger: Answers
    classes: list[str]
    """Labels in the order of both models' probabilities; empty for a regression."""
    rows: str
    """Which rows these are, in words, such as `4,128 held-out rows`."""


def raw_columns(model: Pipeline, train: pd.DataFrame, target: str) -> list[str]:
    """Names of the model's input columns in the order of fitting, because some pipelines refuse any other order."""
    if hasattr(model, "feature_names_in_"):
        return list(model.feature_names_in_)
    return [column for column in train.columns if column != target]


def answers_of(predictor: Any, rows: Any, task: Task) -> Answers:
    """The answers of a fitted model; `rows` is what its `predict` takes, a DataFrame or a matrix."""
    predicted = metrics.outcomes(predictor.predict(rows), task)
    if task == "regression":
        return Answers(predicted, None, None)
    probabilities = np.asarray(predictor.predict_proba(rows), dtype=np.float64)
    return Answers(predicted, probabilities, metrics.outcomes(predictor.classes_, task).tolist())


def baseline(trained_on: NDArray[Any], rows: int, task: Task, metric: str | None = None) -> Answers:
    """The answers without a model: the training median, or the most frequent class with the shares of all classes.

    Args:
        trained_on: values of the training target, as `metrics.outcomes` gives them.
        rows: number of rows to answer for.
        metric: where it measures squared errors, the mean takes the place of the median, because it has the smallest.
    """
    if task == "regression":
        constant = np.mean(trained_on) if metric in SQUARED else np.median(trained_on)
        return Answers(np.full(rows, constant), None, None)
    classes, counts = np.unique(trained_on, return_counts=True)
    predicted = np.full(rows, classes[counts.argmax()], dtype=object)
    return Answers(predicted, np.tile(counts / counts.sum(), (rows, 1)), classes.tolist())


def beside_baseline(
    model: Pipeline, train: pd.DataFrame, held_out: pd.DataFrame, target: TargetConfig, metric: str | None
) -> PairedAnswers:
    """The answers of a model, fitted on `train`, and of the baseline for the held-out rows; both hold the target.

    `metric` is the one that they are compared in, see `baseline`. In one that rewards naming rare classes, whatever the
    row, the baseline is the model's own answers in a random order.
    """
    mine = answers_of(model, held_out[raw_columns(model, train, target.column)], target.task)
    if metric in BY_CLASS:
        order = np.random.default_rng(0).permutation(len(held_out))
        shuffled = None if mine.probabilities is None else mine.probabilities[order]
        without = Answers(mine.predicted[order], shuffled, mine.classes)
    else:
        trained_on = metrics.outcomes(train[target.column], target.task)
        without = baseline(trained_on, len(held_out), target.task, metric)
    return PairedAnswers(
        champion_version=None,
        actual=metrics.outcomes(held_out[target.column], target.task),
        champion=without,
        challenger=mine,
        classes=mine.classes or [],
        rows=f"{len(held_out):,} held-out rows",
    )


def neither_saw(
    challenger_train: pd.DataFrame,
    challenger_held_out: pd.DataFrame,
    champion_train: pd.DataFrame,
    champion_held_out: pd.DataFrame,
) -> pd.DataFrame:
    """The held-out rows of both models that are among the training rows of neither; equal rows are kept once.

    Rows are compared by a 64-bit hash of their values in the columns that all four tables have, target included. For
    20,000 rows the chance that a collision removes a fair row is about 1e-11, and a training row can never stay.
    Whole numbers equal their floats, text is compared as text, and a missing value equals another missing value.

    If one model's tables have all columns of the other's and more, only its own held-out rows are taken, with all
    their columns, because the other's rows lack inputs of it. If each has columns that the other lacks, the rows keep
    the common columns.

    Returns:
        The challenger's rows first, in their order, with a new index.

    Raises:
        UserError: the tables have no column in common.
    """
    tables = [challenger_train, champion_train, challenger_held_out, champion_held_out]
    common = [column for column in challenger_held_out.columns if all(column in table for table in tables)]
    if not common:
        raise UserError("the tables of champion and challenger have no column in common; compare models of one table")
    hashes = _hashes([table[common] for table in tables])
    more = [set(held_out.columns) - set(common) for held_out in tables[2:]]
    if bool(more[0]) == bool(more[1]):
        held_out, hashed = pd.concat([table[common] for table in tables[2:]]), np.concatenate(hashes[2:])
    else:
        wider = 2 if more[0] else 3
        held_out, hashed = tables[wider], hashes[wider]
    fair = ~np.isin(hashed, np.concatenate(hashes[:2])) & ~pd.Series(hashed).duplicated().to_numpy()
    return held_out[fair].reset_index(drop=True)


def paired_answers(
    challenger: Pipeline,
    champion: Pipeline,
    rows: pd.DataFrame,
    target: TargetConfig,
    champion_version: str,
    words: str,
) -> PairedAnswers | str:
    """Let both models answer for the same raw rows, each from the columns that it was fitted on.

    `rows` hold the target; `words` say which rows these are, such as `4,128 held-out rows`.

    Returns:
        The answers, or one sentence that says why there is no fair comparison.
    """
    models = {"the challenger": challenger, f"champion version {champion_version}": champion}
    if target.column not in rows:
        return f"cannot tell: the rows have no column '{target.column}', the target"
    if len(rows) < MINIMUM:
        return f"cannot tell: only {words}, and a comparison takes {MINIMUM}"
    if rows[target.column].isna().any():
        return f"cannot tell: some of the {words} have no value of '{target.column}', the target"
    answers = {}
    for name, model in models.items():
        needed = raw_columns(model, rows, target.column)
        absent = [column for column in needed if column not in rows]
        if absent:
            return f"cannot tell: {name} needs the column '{absent[0]}', which the rows do not have"
        try:
            answers[name] = answers_of(model, rows[needed], target.task)
        except (TypeError, ValueError) as error:  # such as text in a column that was a number
            return f"cannot tell: {name} cannot answer for these rows ({one_line(error)})"
    mine, theirs = answers.values()
    classes = mine.classes or []
    if set(classes) != set(theirs.classes or []):
        return (
            f"cannot tell: champion version {champion_version} knows the classes {', '.join(theirs.classes or [])}, "
            f"the challenger {', '.join(classes)}"
        )
    order = [(theirs.classes or []).index(label) for label in classes]
    probabilities = None if theirs.probabilities is None else theirs.probabilities[:, order]
    return PairedAnswers(
        champion_version=champion_version,
        actual=metrics.outcomes(rows[target.column], target.task),
        champion=Answers(theirs.predicted, probabilities, mine.classes),
        challenger=mine,
        classes=classes,
        rows=words,
    )


def _hashes(tables: list[pd.DataFrame]) -> list[NDArray[np.uint64]]:
    """A hash for each row of each table; equal content has equal hashes in all of them."""
    ends = np.cumsum([len(table) for table in tables])[:-1]
    columns = [_comparable([table[name] for table in tables]) for name in tables[0].columns]
    # The multiplier is that of FNV-1a; it makes the order of the columns matter.
    mixed: NDArray[np.uint64] = reduce(
        lambda found, column: found * np.uint64(1099511628211) ^ pd.util.hash_array(column),
        columns,
        np.zeros(sum(map(len, tables)), dtype=np.uint64),
    )
    return np.split(mixed, ends)


def _comparable(parts: list[pd.Series]) -> NDArray[Any]:
    """One column of all tables: numbers if it is numeric in any of them, else text.

    Numbers have the precision of the coarsest table. Text among numbers counts as missing: that can leave out a row
    too many, and never lets in one that was trained on.
    """
    numeric = [pd.api.types.is_numeric_dtype(part) and not pd.api.types.is_bool_dtype(part) for part in parts]
    if not any(numeric):
        text: NDArray[np.object_] = pd.concat(parts).astype("str").to_numpy(dtype=object)
        return text
    coarse = any(getattr(part.dtype, "itemsize", 8) < 8 and pd.api.types.is_float_dtype(part) for part in parts)
    floats = [pd.to_numeric(part, errors="coerce").to_numpy(np.float64, na_value=np.nan) for part in parts]
    values: NDArray[Any] = np.concatenate(floats).astype(np.float32 if coarse else np.float64)
    values[values == 0] = 0  # a negative zero, and every other kind of NaN, would have a hash of its own
    values[np.isnan(values)] = np.nan
    return values
