"""A table of another kind: text labels, its own columns, its own config and search spaces."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from tabular.config.stages import CLASSIFICATION_METRICS
from tests.integration.runs import Trained

pytestmark = pytest.mark.slow

NAME = "flowers"
CLASSES = ["iris", "lily", "rose"]


def flowers() -> pd.DataFrame:
    """300 rows that two numbers and a colour tell apart, with holes in a number and in the colour."""
    random = np.random.default_rng(3)
    kind = random.choice(CLASSES, size=300)
    number = np.array([CLASSES.index(name) for name in kind])
    length = number * 1.5 + random.normal(size=300)
    length[random.choice(300, size=30, replace=False)] = np.nan
    colour = np.where(random.random(300) < 0.7, np.array(["blue", "white", "red"])[number], "green")
    rows = pd.DataFrame({"length": length, "width": random.normal(size=300) - number, "colour": colour, "kind": kind})
    rows.loc[:4, "colour"] = None
    return rows


@pytest.fixture(scope="module")
def classified(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The summary of a run on that table; the config and the sweeps are files of the user."""
    folder = tmp_path_factory.mktemp("flowers")
    flowers().to_csv(folder / "flowers.csv", index=False)
    metric = {"name": "f1_macro", "goal": "maximize"}
    spaces: dict[str, dict[str, Any]] = {
        "linear": {"parameters": {"alpha": {"min": 0.01, "max": 10.0, "distribution": "log_uniform_values"}}},
        "lightgbm": {"parameters": {"n_estimators": {"min": 10, "max": 40}, "num_leaves": {"values": [4, 8]}}},
    }
    for name, space in spaces.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump({"method": "bayes", "metric": metric} | space))
    parameters = {
        "data": {"path": str(folder / "flowers.csv")},
        "target": {"column": "kind", "task": "classification"},
        "split": {"stratify": "kind"},
        "selection": {"algorithms": ["linear", "lightgbm"], "metric": "f1_macro"},
        "search": {"spaces": str(folder), "trials": 3, "folds": 2},
        "evaluation": {"bootstrap": 100, "slices": ["colour"]},
        "gate": {"metric": "f1_macro", "limits": {"accuracy": 0.5}},
    }
    (folder / "flowers_run.yaml").write_text(yaml.safe_dump({"model": {"name": NAME}, "parameters": parameters}))
    return trained.project.train("--config", str(folder / "flowers_run.yaml"))


def test_a_classification_runs_to_the_registry(trained: Trained, classified: dict[str, Any]) -> None:
    # then: the metrics are those of a classification
    assert set(classified["metrics"]) == set(CLASSIFICATION_METRICS)
    assert classified["metrics"]["f1_macro"] > 0.7 > classified["baseline"]["f1_macro"]
    assert classified["gate"] == "promote"

    # then: the version is there
    assert trained.project.registered(NAME) == (1, {"champion": "1"})
    [version] = trained.project.registry().search_model_versions(f"name = '{NAME}'")
    assert version.tags["task"] == "classification"
    assert float(version.tags["metric.accuracy"]) == pytest.approx(classified["metrics"]["accuracy"], rel=1e-5)


def test_the_model_answers_with_the_labels(trained: Trained, classified: dict[str, Any]) -> None:
    # given
    model, evaluation = trained.project.load(classified["run"], "model", "evaluation")
    unheard_of = pd.DataFrame({"length": [np.nan], "width": [0.0], "colour": ["ultraviolet"]})

    # then
    assert evaluation.classes == CLASSES
    assert set(evaluation.predicted) <= set(CLASSES)
    np.testing.assert_allclose(np.sum(evaluation.probabilities, axis=1), 1.0, atol=1e-6)
    assert model.predict(unheard_of)[0] in CLASSES


def test_the_pictures_are_those_of_a_classification(trained: Trained, classified: dict[str, Any]) -> None:
    # when
    folder = Path(classified["artifacts"]["evaluation"])
    pictures = {file.stem for file in folder.glob("*.png")}

    # then
    assert "confusion_matrix" in pictures
    assert "residuals" not in pictures
