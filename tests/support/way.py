"""The artifacts of a training on a small table, each made by the function of its step from those before it."""

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from materializers import study
from registry import mlflow_registry
from steps.training import gate as gate_module
from steps.training import search as search_module
from steps.training.evaluate import evaluate
from steps.training.features import features
from steps.training.fit import fit
from steps.training.impute import impute
from steps.training.ingest import ingest
from steps.training.select import select
from steps.training.split import split
from steps.training.validate import validate
from tabular.config import stages
from tabular.config.sweep import Sweep
from tabular.table.sources import locate
from tests.support.contexts import step_context

TARGET = stages.TargetConfig(column="price")
FEATURES = stages.FeatureConfig(
    expressions={"per_home": "rooms / homes"}, clusters=stages.ClusterConfig(columns=("east", "north"), counts=(4,))
)
SELECTION = stages.SelectionConfig(algorithms=("linear", "lightgbm"), metric="rmse")
SWEEP = Sweep.model_validate(
    {"metric": {"name": "rmse", "goal": "minimize"}, "parameters": {"alpha": {"min": 0.1, "max": 10.0}}}
)
COUNT = 300


def from_table_to_decision(folder: Path) -> dict[str, Any]:
    """Every artifact of the steps from `ingest` to `gate` by a short name."""
    path = folder / "homes.csv"
    _table().to_csv(path, index=False)
    made: dict[str, Any] = {}
    context = step_context(test_rows="held out", tuning_rows="tuning", feature_pipeline="features")
    with pytest.MonkeyPatch.context() as patched:
        for module in (gate_module, search_module):
            _answer(patched, module, context)
        patched.setattr(study, "TRIALS", folder)
        patched.setattr(mlflow_registry, "registry_client", lambda: MlflowClient(f"sqlite:///{folder}/mlflow.db"))
        source = locate(stages.DataConfig(path=str(path)))
        made["dataset"], made["provenance"] = ingest.entrypoint(source, "price", (), False, 1)
        made["validation"] = validate.entrypoint(made["dataset"], TARGET, stages.ValidationConfig())
        made["train"], made["test"], made["tuning"] = split.entrypoint(
            made["dataset"], TARGET, stages.SplitConfig(tuning_rows=200), 1
        )
        made["imputer"], made["imputation"] = impute.entrypoint(
            made["tuning"], "price", stages.ImputationConfig(strategies=("median", "knn")), 1
        )
        made["unfitted"], made["features"] = features.entrypoint(
            made["tuning"], made["imputer"], TARGET, FEATURES, "rmse", 1
        )
        made["leaderboard"] = select.entrypoint(made["tuning"], made["unfitted"], TARGET, SELECTION, 1)
        sweeps = {"linear": SWEEP, "lightgbm": SWEEP}
        made["leaderboard"] = made["leaderboard"].model_copy(update={"chosen": _place(made["leaderboard"], "linear")})
        made["best"], made["search"] = search_module.search.entrypoint(
            made["tuning"], made["unfitted"], made["leaderboard"], TARGET, sweeps, 2, 2, "optuna", 1
        )
        made["model"], made["validated"] = fit.entrypoint(
            made["train"], made["tuning"], made["unfitted"], made["best"], TARGET, 2, 1
        )
        config = stages.EvaluationConfig(bootstrap=100, explained_rows=20)
        made["evaluation"] = evaluate.entrypoint(
            made["model"], made["test"], made["train"], made["validated"], TARGET, config, "rmse", 1
        )
        made["decision"] = gate_module.gate.entrypoint(
            made["model"],
            made["evaluation"],
            made["train"],
            made["test"],
            made["provenance"],
            TARGET,
            stages.GateConfig(metric="rmse", limits={"r2": 0.5}),
            "homes",
            1,
        )
    return made


def _table() -> pd.DataFrame:
    random = np.random.default_rng(0)
    rows = pd.DataFrame(random.uniform(1, 9, size=(COUNT, 4)), columns=["east", "rooms", "homes", "north"])
    rows["kind"] = random.choice(["bay", "inland"], COUNT)
    rows["price"] = 5 + rows["rooms"] + 3 * (rows["kind"] == "bay") + random.uniform(0, 0.1, COUNT)
    rows.loc[::9, "rooms"] = np.nan
    return rows


def _answer(patched: pytest.MonkeyPatch, module: ModuleType, context: Any) -> None:
    patched.setattr(module, "get_step_context", lambda: context)


def _place(leaderboard: Any, algorithm: str) -> int:
    return next(i for i, line in enumerate(leaderboard.candidates) if line.algorithm == algorithm)
