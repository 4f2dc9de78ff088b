"""Configurations of versions, and paired answers with known errors."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tabular.config.stages import GateConfig
from tabular.learning.answers import Answers, PairedAnswers
from tabular.learning.comparison import Comparison, compare
from tabular.learning.model_config import Data, Gate, Input, ModelConfig, Runs
from tabular.reports.training import Interval

ROWS = 400
RANDOM = np.random.default_rng(0)
ACTUAL = RANDOM.uniform(50, 150, ROWS)
ERRORS = RANDOM.normal(0, 10, ROWS)
OTHER_ERRORS = RANDOM.normal(0, 10, ROWS)
GOOD, POOR = np.arange(300) % 10 != 0, np.arange(300) % 10 > 2


def numbers(challenger: NDArray[np.float64], champion: NDArray[np.float64]) -> PairedAnswers:
    """The answers of two regressions with the given errors."""
    return PairedAnswers(
        champion_version="7",
        actual=ACTUAL,
        champion=Answers(ACTUAL + champion, None, None),
        challenger=Answers(ACTUAL + challenger, None, None),
        classes=[],
        rows=f"{ROWS} held-out rows",
    )


def labels(challenger: NDArray[np.bool_], champion: NDArray[np.bool_]) -> PairedAnswers:
    """The answers of two classifiers of the classes a and b; the arguments say which rows each gets right."""
    actual = np.where(np.arange(len(challenger)) % 2, "a", "b").astype(object)
    return PairedAnswers(
        "7", actual, _answers(actual, champion), _answers(actual, challenger), ["a", "b"], "held-out rows"
    )


def _answers(actual: NDArray[Any], hits: NDArray[np.bool_]) -> Answers:
    """The predicted class gets probability 0.9 if it is "b" and 0.8 if it is "a"."""
    predicted = np.where(hits, actual, np.where(actual == "a", "b", "a"))
    of_b = np.where(predicted == "b", 0.9, 0.2)
    return Answers(predicted, np.column_stack([1 - of_b, of_b]), ["a", "b"])


def config(**changes: Any) -> ModelConfig:
    """A version's configuration with changes."""
    given: dict[str, Any] = {
        "name": "housing",
        "version": "7",
        "aliases": ("champion",),
        "created": "2024-01-01T00:00:00+00:00",
        "task": "regression",
        "target": "price",
        "algorithm": "lightgbm",
        "target_transform": "log",
        "parameters": {"num_leaves": 63, "learning_rate": 1e-05, "boosting": "gbdt", "extra_trees": True},
        "imputer": "knn",
        "clusters": 50,
        "seed": 42,
        "metrics": {
            "r2": Interval(value=0.8, low=0.75, high=0.85),
            "wmape": Interval(value=0.1 + 0.2, low=0.25, high=0.35),
        },
        "baseline": {"r2": -0.05, "wmape": 40.0},
        "gate": Gate(
            config=GateConfig(limits={"wmape": 20.0, "r2": 0.7}), decision="promote", reason="there is no champion yet"
        ),
        "inputs": (
            Input(name="size", kind="number", dtype="float64", required=False),
            Input(name="town", kind="category", dtype="str", required=False),
        ),
        "features": ("size", "town_east", "town_west"),
        "data": Data(
            source="path",
            location="houses.csv",
            sha256="ab" * 32,
            rows=2000,
            train_rows=1600,
            held_out_rows=400,
            train_sha256="cd" * 32,
            held_out_sha256="ef" * 32,
        ),
        "model_sha256": "01" * 32,
        "runs": Runs(zenml="training-1", mlflow="f00"),
        "git_commit": "unknown",
    }
    return ModelConfig(**{**given, **changes})


def compared(answers: PairedAnswers | str | None, **changes: Any) -> Comparison:
    return compare(config(), config(version="8", **changes), answers)


def classified(answers: PairedAnswers | str | None, metric: str = "accuracy") -> Comparison:
    scores = {name: Interval(value=0.5, low=0.4, high=0.6) for name in ("accuracy", "log_loss")}
    judged = config().gate.model_copy(update={"config": GateConfig(metric=metric)})
    one = config(task="classification", metrics=scores, gate=judged)
    return compare(one, one.model_copy(update={"version": "8"}), answers)
