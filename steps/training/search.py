"""Tune the algorithm that won the selection."""

from typing import Annotated, Literal

import pandas as pd
from sklearn.pipeline import Pipeline
from zenml import get_step_context, step

from materializers import study
from materializers.caching import depends_on
from materializers.report import BestParametersMaterializer
from tabular import names
from tabular.config.stages import TargetConfig
from tabular.config.sweep import Sweep
from tabular.learning import features
from tabular.learning import search as searching
from tabular.learning.folds import available_cores
from tabular.reports.training import BestParameters, Leaderboard, SearchReport
from trackers import wandb_account, wandb_sweep
from trackers.progress import SearchProgress

CODE = depends_on(searching, features, wandb_sweep)


@step(cache_policy=CODE, output_materializers={names.BEST_PARAMETERS: BestParametersMaterializer})
def search(
    tuning_rows: pd.DataFrame,
    feature_pipeline: Pipeline,
    leaderboard: Leaderboard,
    target: TargetConfig,
    sweeps: dict[str, Sweep],
    trials: int,
    folds: int,
    backend: Literal["optuna", "wandb"],
    seed: int,
) -> tuple[
    Annotated[BestParameters, names.BEST_PARAMETERS],
    Annotated[SearchReport, names.SEARCH_REPORT],
]:
    """Run the sweep of the winning algorithm; a search that was killed continues after its last finished trial.

    `trials` is the number in all, including those of earlier runs. `backend` draws the parameters: Optuna on this
    machine, or W&B's server.
    """
    sweep = sweeps[leaderboard.winner.algorithm]
    objective = searching.Objective(
        tuning_rows,
        target,
        feature_pipeline,
        leaderboard.winner,
        sweep.metric.name,
        folds,
        seed,
        available_cores(),
    )
    context = get_step_context()
    name = study.key(context, CODE, sweep, target, folds, backend, seed)
    with study.reserved(name), SearchProgress(trials) as progress:
        if backend == "wandb":
            storage = study.storage(context, name, ".json")
            best, report = wandb_sweep.search(objective, sweep, trials, wandb_account.account(), storage, progress)
        else:
            storage = study.storage(context, name)
            best, report = searching.search(objective, sweep, trials, seed, storage, name, progress)
    return best, report
