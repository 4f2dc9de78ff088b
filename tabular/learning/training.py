"""The model: one scikit-learn pipeline from raw columns to a prediction."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from tabular.arithmetic.calibration import best_temperature, log_loss, softmax
from tabular.config.stages import TargetConfig
from tabular.learning import metrics
from tabular.learning.algorithms import estimator
from tabular.learning.folds import Parts, fold_rows, in_parallel, prepare
from tabular.learning.imputation import expected_warnings_off
from tabular.reports.training import BestParameters, CrossValidation, FoldFigures

ROWS_WORTH_THREADS = 100_000


class _FoldAnswers(NamedTuple):
    """Predictions of a fold's model for its test rows."""

    actual: NDArray[Any]
    predicted: NDArray[Any]
    logits: NDArray[np.float64] | None
    """Rows x classes of the whole table, minus infinity for a class that the fold lacks; None for a regression."""


def fit(
    rows: pd.DataFrame,
    target: TargetConfig,
    preprocessing: Pipeline,
    best: BestParameters,
    seed: int,
    threads: int,
    temperature: float = 1.0,
) -> Pipeline:
    """Fit imputer, features and estimator on all training rows.

    `rows` hold the target; `temperature` is the divisor of a classification's logits, from `cross_validate`.

    Returns:
        A fitted pipeline with the steps `columns`, `impute`, `features` and `estimator`. Its input is a DataFrame of
        the raw columns without the target, in which any value and any column may be missing.
    """
    # On a small table threads gain little, and on a busy machine they wait for each other longer than they work.
    threads = threads if len(rows) >= ROWS_WORTH_THREADS else 1
    built = _built(target, best, seed, threads)
    if target.task == "classification":
        built.set_params(temperature=temperature)
    model = Pipeline([*clone(preprocessing).steps, ("estimator", built)])
    with expected_warnings_off(), threadpool_limits(threads):  # scikit-learn's boosting has no such parameter
        return model.fit(rows.drop(columns=target.column), rows[target.column].to_numpy())


def cross_validate(
    rows: pd.DataFrame,
    target: TargetConfig,
    preprocessing: Pipeline,
    best: BestParameters,
    folds: int,
    seed: int,
    threads: int,
) -> CrossValidation:
    """Score the tuned algorithm in folds of training rows, and find the temperature of a classification.

    `rows` hold the target; a copy of `preprocessing` is fitted inside each fold, and `threads` fits may run at once.

    Raises:
        UserError: there are fewer rows than folds, or every class has fewer rows than there are folds.
    """
    built = _built(target, best, seed, 1)
    labels = None if target.task == "regression" else np.unique(rows[target.column].to_numpy())

    def answer(parts: Parts) -> _FoldAnswers:
        fold = prepare(parts, target.column, preprocessing)
        fitted: Any = clone(built).fit(fold.train, fold.train_target)
        if labels is None:
            return _FoldAnswers(fold.test_target, fitted.predict(fold.test), None)
        logits = np.full((len(fold.test), len(labels)), -np.inf)
        logits[:, np.searchsorted(labels, fitted.classes_)] = fitted.logits(fold.test)
        return _FoldAnswers(fold.test_target, labels[logits.argmax(axis=1)], logits)

    answers = in_parallel(answer, fold_rows(rows, target, folds, seed), threads)
    temperature, before, after = 1.0, None, None
    if labels is not None:
        codes = np.searchsorted(labels, np.concatenate([part.actual for part in answers]))
        together = np.concatenate([part.logits for part in answers])
        temperature = best_temperature(together, codes) if target.calibrate else 1.0
        before, after = (log_loss(softmax(together, one), codes) for one in (1.0, temperature))
    scores = [_scores(part, target, labels, temperature) for part in answers]
    return CrossValidation(
        rows=len(rows),
        metrics={name: _figures([score[name] for score in scores]) for name in metrics.names(target.task)},
        temperature=temperature,
        log_loss_uncalibrated=before,
        log_loss_calibrated=after,
    )


def _built(target: TargetConfig, best: BestParameters, seed: int, threads: int) -> BaseEstimator:
    transform, weight = best.target_transform, target.class_weight
    return estimator(best.algorithm, target.task, best.parameters, transform, seed, threads, weight)


def _scores(
    answers: _FoldAnswers, target: TargetConfig, labels: NDArray[Any] | None, temperature: float
) -> dict[str, float]:
    if answers.logits is None or labels is None:
        return metrics.score(target.task, answers.actual, answers.predicted)
    probabilities = softmax(answers.logits, temperature)
    actual, predicted, classes = (metrics.outcomes(v, target.task) for v in (answers.actual, answers.predicted, labels))
    return metrics.score(target.task, actual, predicted, probabilities, classes.tolist())


def _figures(values: list[float]) -> FoldFigures:
    defined = [value for value in values if not np.isnan(value)]
    mean, std = (float(np.mean(defined)), float(np.std(defined))) if defined else (float("nan"), float("nan"))
    return FoldFigures(mean=mean, std=std, folds=values)
