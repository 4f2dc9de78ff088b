"""Objectives that count their fits or have known values, and searches with them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd

from tabular.config.stages import TargetConfig
from tabular.config.sweep import Sweep
from tabular.learning.search import Objective, Scores, search
from tabular.reports.training import BestParameters, Candidate, SearchReport
from tests.support.fitted import unfitted

PRICE = TargetConfig(column="price")
COUNT = 90
BOOSTED = {
    "metric": {"name": "rmse", "goal": "minimize"},
    "parameters": {
        "n_estimators": {"min": 6, "max": 30},
        "learning_rate": {"min": 0.01, "max": 0.5, "distribution": "log_uniform_values"},
        "min_child_samples": {"values": [5, 20]},
        "max_bin": {"value": 31},
    },
    "early_terminate": {"type": "hyperband", "min_iter": 1, "eta": 3},
}
RIDGE = {"metric": {"name": "rmse", "goal": "minimize"}, "parameters": {"alpha": {"min": 0.1, "max": 10.0}}}
KILLED_IN = 12
"""The trial in which the search is killed: the estimator has begun to learn from earlier ones."""


class Counting(Objective):
    """The real objective, which counts the fits it makes and may be interrupted in a trial."""

    def __init__(self, algorithm: str, folds: int = 3, interrupt: Callable[[], None] | None = None) -> None:
        candidate = Candidate(
            algorithm=algorithm, parameters={}, target_transform="none", mean=0, std=0, folds=[0, 0], seconds=0
        )
        random = np.random.default_rng(0)
        rows = pd.DataFrame(random.normal(size=(COUNT, 3)), columns=["a", "b", "c"])
        rows["price"] = rows["a"] ** 2 + rows["b"] + 0.3 * random.normal(size=COUNT)
        super().__init__(rows, PRICE, unfitted(rows, PRICE), candidate, "rmse", folds, 4, 1)
        self.interrupt = interrupt
        self.trials: list[int] = []
        self.fits: list[int] = []

    def __call__(self, trial: optuna.Trial, parameters: dict[str, Any]) -> float:
        self.trials.append(trial.number)
        self.fits.append(0)
        return super().__call__(trial, parameters)

    def fit_folds(self, parameters: dict[str, Any], folds: Any, share: float) -> Scores:
        if self.interrupt is not None and self.trials[-1] == KILLED_IN:
            self.interrupt()
        self.fits[-1] += len(folds)
        return super().fit_folds(parameters, folds, share)


class Known(Counting):
    """An objective with known values instead of fits, so that a test sees the search alone."""

    def __init__(self, value: Callable[[int, dict[str, Any]], float]) -> None:
        super().__init__("lightgbm")
        self.value = value

    def fit_folds(self, parameters: dict[str, Any], folds: Any, share: float) -> Scores:
        self.fits[-1] += len(folds)
        return [(self.value(self.trials[-1], parameters), {})] * len(folds)


def searched(
    objective: Objective, sweep: dict[str, Any], trials: int, storage: Path, study: str = "study"
) -> tuple[BestParameters, SearchReport]:
    """The result of a search with a fixed seed; its trials are kept in `storage`."""
    return search(objective, Sweep.model_validate(sweep), trials, 42, storage, study, lambda *_: None)
