"""Bayesian optimisation with early stopping: offline, reproducible, and resumable after a kill."""

import datetime
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import optuna
import pandas as pd
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState
from sklearn.pipeline import Pipeline

from tabular.config.stages import TargetConfig
from tabular.config.sweep import EarlyTerminate, Sweep, SweepParameter
from tabular.errors import UserError
from tabular.learning.algorithms import ALGORITHMS, estimator
from tabular.learning.folds import Fold, fit_and_score, fold_rows, importances, in_parallel, mean_importances, prepare
from tabular.reports.training import BestParameters, Candidate, SearchReport, Trial

FIRST_RUNG = 1 / 4
"""Share of the boosting rounds on the first rung of the ladder."""
HEAD = 2
"""Number of folds on the first two rungs."""
IMPORTANCES, STARTED, SECONDS = "importances", "started", "seconds"
MOST_IMPORTANT = 10

Progress = Callable[[int, int, float | None], None]
"""Called with the number of finished trials, the number of all trials, and the best value so far."""
Scores = list[tuple[float, dict[str, float]]]
"""The metric and the importance of each column, for each fold."""


class TrialHandle(Protocol):
    """The part of a trial that an objective uses; an `optuna.Trial` has it."""

    def report(self, value: float, step: int) -> None:
        """Report the value at an iteration, counted from 1."""

    def should_prune(self) -> bool:
        """Whether the trial is to end at this iteration."""

    def set_user_attr(self, key: str, value: Any) -> None:
        """Keep a JSON value with the trial; a key that is set again is replaced."""


class Objective:
    """The cross-validated metric of one trial, computed in up to three rungs of increasing cost.

    The first rung fits the first two folds with a quarter of the rounds (it is left out for an algorithm without
    rounds), the second fits the same folds in full, and the third fits the other folds. The fits of a rung run in
    parallel, each on one core. After each rung the value so far is reported and the pruner may end the trial, so that
    a poor trial costs only a part of the fits.

    `rows` are the training rows, target included; a copy of `preprocessing` is fitted inside each fold; `candidate`
    won the selection.
    """

    def __init__(
        self,
        rows: pd.DataFrame,
        target: TargetConfig,
        preprocessing: Pipeline,
        candidate: Candidate,
        metric: str,
        folds: int,
        seed: int,
        threads: int,
    ) -> None:
        self.target, self.candidate, self.metric, self.seed, self.threads = target, candidate, metric, seed, threads
        parts = fold_rows(rows, target, folds, seed)
        self.folds = in_parallel(lambda part: prepare(part, target.column, preprocessing), parts, threads)
        self.rounds = ALGORITHMS[candidate.algorithm].rounds
        head, tail = self.folds[:HEAD], self.folds[HEAD:]
        ladder = [(head, 1.0), (tail, 1.0)] if tail else [(head, 1.0)]
        self.rungs = [(head, FIRST_RUNG), *ladder] if self.rounds else ladder

    def __call__(self, trial: TrialHandle, parameters: dict[str, Any]) -> float:
        """The mean of the metric over the folds.

        Before it returns or raises, it stores the importances of the ten most important columns in `trial` under
        `IMPORTANCES`. They are means over the same folds as the value, from fits with all rounds unless the trial ends
        on the first rung.

        Raises:
            optuna.TrialPruned: the trial ends before the last rung.
        """
        whole: Scores = []
        for step, (folds, share) in enumerate(self.rungs, start=1):
            scores = self.fit_folds(parameters, folds, share)
            whole += scores if share == 1.0 else []
            values, mattered = zip(*(whole or scores), strict=True)
            value = float(np.mean(values))
            trial.set_user_attr(IMPORTANCES, mean_importances(mattered, MOST_IMPORTANT))
            trial.report(value, step)
            if step < len(self.rungs) and trial.should_prune():
                raise optuna.TrialPruned
        return value

    def fit_folds(self, parameters: dict[str, Any], folds: Sequence[Fold], share: float) -> Scores:
        """The scores of some folds, fitted with a share of the rounds."""
        name, transform = self.candidate.algorithm, self.candidate.target_transform
        built = estimator(name, self.target.task, parameters, transform, self.seed, 1, self.target.class_weight)
        if share < 1.0:
            key = next(key for key in built.get_params() if key.endswith(f"__{self.rounds}"))
            built.set_params(**{key: max(1, round(built.get_params()[key] * share))})

        def fit(fold: Fold) -> tuple[float, dict[str, float]]:
            value, fitted = fit_and_score(built, fold, self.target, self.metric)
            return value, importances(fitted, fold.columns)

        return list(in_parallel(fit, folds, self.threads))


def search(
    objective: Objective, sweep: Sweep, trials: int, seed: int, storage: Path, study: str, progress: Progress
) -> tuple[BestParameters, SearchReport]:
    """Run the trials that are not on disk yet.

    Only finished trials are kept on disk, and the sampler is seeded for each trial from the trial's number. A search
    that was killed therefore continues exactly as it would have done without the kill: the unfinished trial was not
    stored, and its number is drawn again with the same seed and the same history.

    Args:
        trials: number of trials, those on disk included.
        storage: SQLite file of the finished trials.
        study: name that changes with everything the trials depend on; trials under another name are not used.

    Returns:
        The parameters of the best complete trial, and all trials.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage.parent.mkdir(parents=True, exist_ok=True)
    direction = sweep.metric.goal
    kept = optuna.create_study(
        storage=f"sqlite:///{storage}", study_name=study, direction=direction, load_if_exists=True
    )
    finished = kept.get_trials(deepcopy=False)[:trials]
    work = optuna.create_study(study_name=study, direction=direction, pruner=_pruner(sweep.early_terminate))
    work.add_trials(finished)
    for number in range(len(finished), trials):
        work.sampler = (
            optuna.samplers.RandomSampler(seed=seed + number)
            if sweep.method == "random"
            else optuna.samplers.TPESampler(seed=seed + number, multivariate=False)
        )
        _run_one(work, objective, sweep)
        kept.add_trial(work.get_trials(deepcopy=False)[-1])
        progress(number + 1, trials, _best_value(work))
    found = [_trial(trial, fixed(sweep)) for trial in work.get_trials(deepcopy=False)]
    return summarise(objective, sweep, found, _parameter_importances(work), resumed=len(finished))


def fixed(sweep: Sweep) -> dict[str, Any]:
    """The parameters with the same value in every trial."""
    return {name: parameter.value for name, parameter in sweep.parameters.items() if not _varies(parameter)}


def as_file(sweep: Sweep) -> dict[str, Any]:
    """The sweep in W&B's syntax: unset keys are left out, but a fixed value that is null is kept."""
    written: dict[str, Any] = sweep.model_dump(mode="json", exclude_none=True)
    for name, value in fixed(sweep).items():
        written["parameters"][name]["value"] = value
    return written


def summarise(
    objective: Objective, sweep: Sweep, trials: list[Trial], importances: dict[str, float], resumed: int
) -> tuple[BestParameters, SearchReport]:
    """The parameters of the best complete trial (the first one among equals, as in Optuna), and the search report.

    `trials` are in the order of their numbers, which count from 0; `resumed` of them were on disk at the start.
    `importances` are those of the parameters, empty if unknown.

    Raises:
        UserError: no trial is complete.
    """
    complete = [trial for trial in trials if trial.state == "complete"]
    if not complete:
        raise UserError(f"none of the {len(trials)} trials of the search is complete; start more with search.trials")
    sign = 1 if sweep.metric.goal == "minimize" else -1
    best = min(complete, key=lambda trial: sign * trial.value)
    algorithm, transform = objective.candidate.algorithm, objective.candidate.target_transform
    report = SearchReport(
        algorithm=algorithm,
        metric=objective.metric,
        goal=sweep.metric.goal,
        rungs=len(objective.rungs),
        trials=trials,
        best=best.number,
        importances=importances,
        resumed=resumed,
        sweep=as_file(sweep),
    )
    return BestParameters(algorithm=algorithm, target_transform=transform, parameters=best.parameters), report


def _run_one(study: optuna.Study, objective: Objective, sweep: Sweep) -> None:
    """Draw one point, score it, and record it as complete or pruned with its start and duration."""
    trial = study.ask({name: distribution(p) for name, p in sweep.parameters.items() if _varies(p)})
    trial.set_user_attr(STARTED, datetime.datetime.now(datetime.UTC).isoformat())
    started = time.perf_counter()
    try:
        value: float | None = objective(trial, {**fixed(sweep), **trial.params})
    except optuna.TrialPruned:
        value = None
    trial.set_user_attr(SECONDS, time.perf_counter() - started)
    study.tell(trial, value, state=TrialState.PRUNED if value is None else TrialState.COMPLETE)


def _trial(trial: FrozenTrial, constant: dict[str, Any]) -> Trial:
    step = max(trial.intermediate_values)
    complete = trial.state == TrialState.COMPLETE
    return Trial(
        number=trial.number,
        state="complete" if complete else "pruned",
        parameters={**constant, **trial.params},
        value=trial.intermediate_values[step],
        iterations=step,
        started=trial.user_attrs[STARTED],
        seconds=trial.user_attrs[SECONDS],
        importances=trial.user_attrs[IMPORTANCES],
    )


def _parameter_importances(study: optuna.Study) -> dict[str, float]:
    """Importances by fANOVA (Hutter et al., 2014) over the complete trials; empty if there are too few trials."""
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(complete) < 4 or len({trial.value for trial in complete}) < 2:
        return {}
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    return {name: float(v) for name, v in optuna.importance.get_param_importances(study, evaluator=evaluator).items()}


def _best_value(study: optuna.Study) -> float | None:
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return study.best_value if complete else None


def _pruner(stop: EarlyTerminate | None) -> optuna.pruners.BasePruner:
    if stop is None:
        return optuna.pruners.NopPruner()
    # W&B's hyperband is one bracket of successive halving, which is what Optuna calls this pruner.
    return optuna.pruners.SuccessiveHalvingPruner(min_resource=stop.min_iter, reduction_factor=stop.eta)


def _varies(parameter: SweepParameter) -> bool:
    return parameter.values is not None or parameter.min is not None


def distribution(parameter: SweepParameter) -> BaseDistribution:
    """The distribution of a parameter that varies, by the rules that `SweepParameter` documents."""
    if parameter.values is not None:
        return CategoricalDistribution(list(parameter.values))
    low, high, step = parameter.min, parameter.max, parameter.q
    assert low is not None and high is not None
    whole = isinstance(low, int) and isinstance(high, int)
    if parameter.distribution == "int_uniform" or (parameter.distribution is None and whole):
        return IntDistribution(int(low), int(high))
    if isinstance(step, int) and whole:
        return IntDistribution(int(low), int(high), step=step)
    return FloatDistribution(low, high, log=parameter.distribution == "log_uniform_values", step=step)
