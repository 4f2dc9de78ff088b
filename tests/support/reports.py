"""Reports of a small training, each without any rows or models behind it."""

from typing import Any

import numpy as np

from tabular.config.stages import CLASSIFICATION_METRICS, REGRESSION_METRICS
from tabular.reports.training import (
    Candidate,
    ClusterScore,
    ColumnProfile,
    Evaluation,
    FeatureReport,
    GateDecision,
    Importance,
    ImputationReport,
    Interval,
    Leaderboard,
    SearchReport,
    ShapSummary,
    Slice,
    StrategyScore,
    Trial,
    ValidationReport,
)


def imputation(columns: tuple[str, ...] = ("rooms",)) -> ImputationReport:
    rmse = {"median": 450.5, "iterative": 61.1, "knn": 48.2}
    return ImputationReport(
        best="knn",
        scores=[
            StrategyScore(column=column, strategy=name, rmse=value, nrmse=value / 500, masked=1234)
            for name, value in rmse.items()
            for column in columns
        ],
        mean_nrmse={name: value / 500 for name, value in rmse.items()},
        seconds=dict.fromkeys(rmse, 1.0),
        missing=dict.fromkeys(columns, 7),
    )


def features(chosen: int | None = 20, counts: tuple[int, ...] = (5, 20, 100), metric: str = "wmape") -> FeatureReport:
    return FeatureReport(
        columns=["a"],
        metric=metric,
        clusters=chosen,
        scores=[
            ClusterScore(count=n, error=14 - n / 50, error_std=0.2, silhouette=0.4, davies_bouldin=0.8, inertia=1e5 / n)
            for n in counts
        ],
        error_without=15.5,
        silhouette_rows=2000,
    )


def validation(missing: list[int]) -> ValidationReport:
    return ValidationReport(
        rows=1000,
        duplicates=0,
        columns=[
            ColumnProfile(
                name=f"c{place}", dtype="float64", missing=count, distinct=2, minimum=0, mean=1, maximum=2, top=[]
            )
            for place, count in enumerate(missing)
        ],
        failures=[],
    )


def leaderboard() -> Leaderboard:
    means = [("lightgbm", 12.5), ("lightgbm", 12.9), ("linear", 24.75), ("random_forest", 26.0), ("linear", 30.0)]
    return Leaderboard(
        metric="wmape",
        candidates=[
            Candidate(
                algorithm=name, parameters={}, target_transform="log", mean=mean, std=0.5, folds=[mean], seconds=1.0
            )
            for name, mean in means
        ],
        why="it is better",
    )


def search(values: list[float], pruned: tuple[int, ...] = (), **changes: Any) -> SearchReport:
    trials = [
        Trial(
            number=number,
            state="pruned" if number in pruned else "complete",
            parameters={"rate": 0.001 * 4.0**number, "leaves": 8 + number, "mode": "ab"[number % 2], "fixed": 5},
            value=value,
            iterations=1,
            started="2024-01-01T00:00:00Z",
            seconds=float(number),
            importances={},
        )
        for number, value in enumerate(values)
    ]
    complete = [trial for trial in trials if trial.state == "complete"]
    sign = -1 if changes.get("goal") == "maximize" else 1
    given: dict[str, Any] = {
        "algorithm": "lightgbm",
        "metric": "wmape",
        "goal": "minimize",
        "rungs": 4,
        "trials": trials,
        "best": min(complete, key=lambda trial: sign * trial.value).number,
        "importances": {"rate": 0.75, "leaves": 0.25},
        "resumed": 0,
        "sweep": {},
    }
    return SearchReport(**{**given, **changes})


def gate(difference: Interval | None, decision: str = "promote", tolerance: float = 0.1) -> GateDecision:
    return GateDecision.model_validate(
        {
            "decision": decision,
            "reasons": ["clearly better"],
            "metric": "wmape",
            "challenger": 12.5,
            "champion": 13.25,
            "champion_version": "7",
            "difference": difference,
            "tolerance": tolerance,
            "resamples": 2000,
            "broken_limits": {},
        }
    )


def regression(rows: int = 200, **changes: Any) -> Evaluation:
    random = np.random.default_rng(0)
    actual = random.uniform(1e5, 5e5, rows)
    given: dict[str, Any] = {
        "task": "regression",
        "rows": rows,
        "metrics": {name: Interval(value=12.5, low=11.0, high=14.0) for name in REGRESSION_METRICS},
        "baseline": dict.fromkeys(REGRESSION_METRICS, 40.0),
        "slices": [
            Slice(column="sea", part=part, rows=100, metrics={"wmape": value, "r2": value / 20})
            for part, value in (("near", 10.0), ("far", 20.0))
        ],
        "metric": "wmape",
        "importances": [Importance(column=f"c{place}", permutation=20.0 - place, std=0.5) for place in range(18)],
        "shap": ShapSummary(
            columns=["a", "b"],
            values=random.normal(size=(rows, 2)).tolist(),
            inputs=[[float(place), 1.0] for place in range(rows)],
        ),
        "actual": actual.tolist(),
        "predicted": (actual + random.normal(0, 3e4, rows)).tolist(),
        "classes": [],
        "probabilities": [],
    }
    return Evaluation(**{**given, **changes})


def classification(classes: list[str], rows: int = 300, **changes: Any) -> Evaluation:
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.full(len(classes), 0.5), rows)
    codes = [int(random.choice(len(classes), p=row)) for row in probabilities]
    given: dict[str, Any] = {
        "task": "classification",
        "rows": rows,
        "metrics": {name: Interval(value=0.8, low=0.7, high=0.9) for name in CLASSIFICATION_METRICS},
        "baseline": dict.fromkeys(CLASSIFICATION_METRICS, 0.3),
        "slices": [],
        "metric": "f1_macro",
        "importances": [Importance(column="c", permutation=0.2, std=0.01)],
        "shap": None,
        "actual": [classes[code] for code in codes],
        "predicted": [classes[code] for code in probabilities.argmax(axis=1)],
        "classes": classes,
        "probabilities": probabilities.tolist(),
    }
    return Evaluation(**{**given, **changes})
