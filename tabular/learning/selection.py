"""The leaderboard: every algorithm with a few parameter sets, cross-validated on the training rows."""

import time
from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from tabular.config.stages import SelectionConfig, TargetConfig
from tabular.learning.algorithms import ALGORITHMS, estimator, transforms_for
from tabular.learning.folds import fit_and_score, fold_rows, in_parallel, prepare
from tabular.learning.metrics import goal
from tabular.reports.training import Candidate, Leaderboard, TargetTransform


def select(
    rows: pd.DataFrame,
    target: TargetConfig,
    preprocessing: Pipeline,
    config: SelectionConfig,
    seed: int,
    threads: int,
) -> Leaderboard:
    """Score every candidate in every fold; all candidates use the same folds.

    `rows` are the training rows, target included; a copy of `preprocessing` is fitted inside each fold.
    """
    points: list[tuple[str, TargetTransform, dict[str, object]]] = [
        (name, transform, parameters)
        for name in config.algorithms
        for transform in transforms_for(target.task, rows[target.column], config.target_transforms)
        for parameters in ALGORITHMS[name].points(target.task)
    ]
    folds = in_parallel(
        lambda parts: prepare(parts, target.column, preprocessing),
        fold_rows(rows, target, config.folds, seed),
        threads,
    )

    def fit(task: tuple[int, int]) -> tuple[float, float]:
        point, fold = task
        name, transform, parameters = points[point]
        started = time.perf_counter()
        built = estimator(name, target.task, parameters, transform, seed, 1, target.class_weight)
        value, _ = fit_and_score(built, folds[fold], target, config.metric)
        return value, time.perf_counter() - started

    tasks = [(point, fold) for point in range(len(points)) for fold in range(len(folds))]
    results = np.reshape(in_parallel(fit, tasks, threads), (len(points), len(folds), 2))
    candidates = [
        Candidate(
            algorithm=name,
            parameters=parameters,
            target_transform=transform,
            mean=float(result[:, 0].mean()),
            std=float(result[:, 0].std()),
            folds=[float(value) for value in result[:, 0]],
            seconds=float(result[:, 1].sum()),
        )
        for (name, transform, parameters), result in zip(points, results, strict=True)
    ]
    sign = 1 if goal(config.metric) == "minimize" else -1
    ranked = sorted(candidates, key=lambda candidate: sign * candidate.mean)
    chosen = choose(ranked, config.algorithms)
    return Leaderboard(metric=config.metric, candidates=ranked, chosen=chosen, why=why(ranked, chosen, config.metric))


def _standard_error(candidate: Candidate) -> float:
    """Standard error of the mean over the folds; `std` has the divisor n, hence the root of n - 1 here."""
    return candidate.std / float(np.sqrt(len(candidate.folds) - 1))


def choose(ranked: list[Candidate], preference: Sequence[str]) -> int:
    """The place of the winner by the one-standard-error rule (Breiman et al., 1984).

    Candidates tie if their mean lies within one standard error of the best mean; among them the algorithm that
    `preference` lists first wins. The config's order decides and not the measured seconds, so that the choice is the
    same on every machine. `ranked` holds the candidates with the best mean first.
    """
    tied = [i for i, c in enumerate(ranked) if abs(c.mean - ranked[0].mean) <= _standard_error(ranked[0])]
    return min(tied, key=lambda i: (preference.index(ranked[i].algorithm), i))


def why(ranked: list[Candidate], chosen: int, metric: str) -> str:
    """The reason of the choice in one sentence."""
    best, winner = ranked[0], ranked[chosen]
    text = f"{best.algorithm} has the best mean {metric} over {len(best.folds)} folds, {best.mean:.4g}"
    if winner is not best:
        return (
            f"{text}; {winner.algorithm} with {winner.mean:.4g} is within one standard error "
            f"({_standard_error(best):.2g}) of it, and of those selection.algorithms lists it first."
        )
    others = [candidate for candidate in ranked if candidate.algorithm != best.algorithm]
    if not others:
        return f"{text}; no other algorithm was asked for."
    gap = abs(others[0].mean - best.mean)
    return (
        f"{text}; the next algorithm, {others[0].algorithm}, has {others[0].mean:.4g}: "
        f"a gap of {gap:.2g} with a standard error of {_standard_error(best):.2g}."
    )
