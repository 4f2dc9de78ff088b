"""The evaluation on the held-out rows, which is done once: scores, slices and explanations."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_fscore_support
from sklearn.pipeline import Pipeline

from tabular.config.stages import EvaluationConfig, TargetConfig
from tabular.errors import UserError
from tabular.learning import explanation, metrics
from tabular.learning.answers import Answers, answers_of, baseline, raw_columns
from tabular.reports.training import ClassScore, CrossValidation, Evaluation, Slice
from tabular.table.tables import numeric_columns

_SMALLEST_PART = 10


def evaluate(
    model: Pipeline,
    held_out: pd.DataFrame,
    train: pd.DataFrame,
    target: TargetConfig,
    config: EvaluationConfig,
    metric: str,
    seed: int,
    cross_validation: CrossValidation | None = None,
) -> Evaluation:
    """Score the model on rows that it has never seen.

    Labels are compared as text. A slice leaves out metrics that are undefined on its rows, such as `roc_auc` if all
    rows have the same class.

    Args:
        model: fitted pipeline from raw columns to prediction; `model[:-1]` makes the estimator's matrix and names its
            columns.
        held_out: raw rows with the target, at least one, with columns in any order and any index.
        train: the raw rows that the model was fitted on, for the baseline and as the reference of a linear model's
            SHAP values.
        metric: metric of the permutation importances.
        seed: seed of the bootstrap, the sample of rows and the shuffles.
        cross_validation: cross-validation of the same model on the training rows, for the report.

    Returns:
        The evaluation; `actual`, `predicted` and `probabilities` are in the order of `held_out`.

    Raises:
        UserError: a slice is not a column of the table, or `metric` does not fit the task.
    """
    unknown = [column for column in config.slices if column not in held_out.columns]
    if unknown:
        there = ", ".join(map(str, held_out.columns))
        raise UserError(f"evaluation.slices: the table has no column '{unknown[0]}'; choose from {there}")
    raw = held_out[raw_columns(model, train, target.column)]
    matrix = model[:-1].transform(raw)
    actual = metrics.outcomes(held_out[target.column], target.task)
    answers = answers_of(model[-1], matrix, target.task)
    # The column of each row's predicted class; 0 for a regression.
    codes = np.array([(answers.classes or [label]).index(label) for label in answers.predicted], dtype=np.intp)
    sample = np.random.default_rng(seed).permutation(len(raw))[: config.explained_rows]
    return Evaluation(
        task=target.task,
        rows=len(raw),
        metrics=metrics.bootstrap_intervals(
            target.task, actual, *answers, resamples=config.bootstrap, confidence=config.confidence, seed=seed
        ),
        baseline=metrics.score(
            target.task,
            actual,
            *baseline(metrics.outcomes(train[target.column], target.task), len(actual), target.task),
        ),
        slices=[
            part for column in config.slices for part in _slices(held_out[column], column, actual, answers, target)
        ],
        metric=metric,
        importances=explanation.importances(model, raw.iloc[sample], actual[sample], target.task, metric, seed),
        shap=explanation.shap_summary(model, np.asarray(matrix)[sample], train[raw.columns], codes[sample]),
        actual=actual.tolist(),
        predicted=answers.predicted.tolist(),
        classes=answers.classes or [],
        probabilities=[] if answers.probabilities is None else answers.probabilities.tolist(),
        by_class=[] if answers.classes is None else _by_class(actual, answers.predicted, answers.classes),
        cross_validation=cross_validation,
    )


def _by_class(actual: NDArray[Any], predicted: NDArray[Any], classes: list[str]) -> list[ClassScore]:
    labels = [*classes, *sorted({*actual, *predicted} - set(classes))]
    figures = precision_recall_fscore_support(actual, predicted, labels=labels, zero_division=0)
    return [
        ClassScore(label=label, precision=float(p), recall=float(r), f1=float(f), support=int(rows))
        for label, p, r, f, rows in zip(labels, *figures, strict=True)
    ]


def _slices(
    values: pd.Series, column: str, actual: NDArray[Any], answers: Answers, target: TargetConfig
) -> list[Slice]:
    """The metrics by category with at least ten rows, or by quartile of numbers; missing values are a part as well."""
    is_number = column in numeric_columns(values.to_frame(), target.column)
    is_numeric_target = column == target.column and target.task == "regression"
    missing = values.isna().to_numpy()
    parts = _quartiles(values) if is_number or is_numeric_target else _categories(values)
    parts = [*parts, *([("missing", missing)] if missing.sum() >= _SMALLEST_PART else [])]
    slices = []
    for part, chosen in parts:
        probabilities = None if answers.probabilities is None else answers.probabilities[chosen]
        scores = metrics.score(target.task, actual[chosen], answers.predicted[chosen], probabilities, answers.classes)
        defined = {name: value for name, value in scores.items() if not np.isnan(value)}
        slices.append(Slice(column=column, part=part, rows=int(chosen.sum()), metrics=defined))
    return slices


def _categories(values: pd.Series) -> list[tuple[str, NDArray[np.bool_]]]:
    labels = np.array(["" if hole else str(value) for value, hole in zip(values, values.isna(), strict=True)])
    known = values.notna().to_numpy()
    parts = [(str(label), known & (labels == label)) for label in np.unique(labels[known])]
    return [(label, chosen) for label, chosen in parts if chosen.sum() >= _SMALLEST_PART]


def _quartiles(values: pd.Series) -> list[tuple[str, NDArray[np.bool_]]]:
    """Up to four ranges that include their upper end, the first its lower end too; fewer if values repeat."""
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    known = numbers[~np.isnan(numbers)]
    if not len(known):
        return []
    edges = np.unique(np.quantile(known, [0, 0.25, 0.5, 0.75, 1]))
    ends = [metrics.as_text(float(edge), digits=6) for edge in edges]
    if len(edges) == 1:
        return [(ends[0], numbers == edges[0])]
    first = (f"{ends[0]} to {ends[1]}", (numbers >= edges[0]) & (numbers <= edges[1]))
    others = [
        (f"over {ends[i]} to {ends[i + 1]}", (numbers > edges[i]) & (numbers <= edges[i + 1]))
        for i in range(1, len(edges) - 1)
    ]
    return [first, *others]
