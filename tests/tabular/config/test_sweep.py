"""Search spaces in the syntax of W&B sweep files."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from tabular.config.base import explain
from tabular.config.sweep import EarlyTerminate, Sweep
from tabular.learning.algorithms import ALGORITHMS, estimator
from tabular.learning.metrics import goal
from tests.support.project import ROOT

FILES = sorted((ROOT / "configs" / "search").rglob("*.yaml"))
SWEEP: dict[str, Any] = {
    "method": "bayes",
    "metric": {"name": "wmape", "goal": "minimize"},
    "parameters": {"depth": {"min": 2, "max": 9}},
}


def _refusal(given: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        Sweep.model_validate(given)
    said = explain(caught.value, Sweep)
    assert "\n" not in said
    return said


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_sweep_of_the_repository_is_valid_and_names_parameters_that_exist(file: Path) -> None:
    # given
    deciding = {"metric": {"name": "r2", "goal": "maximize"}}  # of the selection, where the file names none
    sweep = Sweep.model_validate(deciding | yaml.safe_load(file.read_text()))
    # then
    assert file.stem in ALGORITHMS
    assert sweep.metric.goal == goal(sweep.metric.name)
    for task in ("regression", "classification"):
        known = {path.rpartition("__")[2] for path in estimator(file.stem, task, {}, "none", 1, 1).get_params()}
        assert set(sweep.parameters) <= known | {"alpha"}


def test_every_algorithm_has_a_sweep() -> None:
    assert set(ALGORITHMS) <= {file.stem for file in FILES}


def test_the_example_of_wandbs_documentation_is_understood() -> None:
    # given
    text = """
    method: random
    metric: {name: rmse, goal: minimize}
    parameters:
      optimizer: {values: [adam, sgd]}
      epochs: {value: 1}
      batch_size: {distribution: q_uniform, q: 8, min: 32, max: 256}
      learning_rate: {distribution: log_uniform_values, min: 0.001, max: 0.1}
      dropout: {distribution: uniform, min: 0, max: 0.5}
      layers: {min: 1, max: 4}
    early_terminate: {type: hyperband, min_iter: 3, eta: 2}
    """
    # when
    sweep = Sweep.model_validate(yaml.safe_load(text))
    # then
    assert sweep.parameters["optimizer"].values == ("adam", "sgd")
    assert (sweep.parameters["layers"].min, type(sweep.parameters["layers"].min)) == (1, int)
    assert sweep.early_terminate == EarlyTerminate(min_iter=3, eta=2)


def test_early_termination_is_off_unless_asked_for() -> None:
    assert Sweep.model_validate(SWEEP).early_terminate is None
    assert EarlyTerminate() == EarlyTerminate(type="hyperband", min_iter=1, eta=3)


@pytest.mark.parametrize(
    ("parameter", "said"),
    [
        ({}, "'parameters.x': give one of 'value', 'values', or 'min' and 'max'"),
        ({"value": 1, "values": [1]}, "'parameters.x': give one of 'value', 'values', or 'min' and 'max'"),
        ({"value": None, "min": 1, "max": 2}, "'parameters.x': give one of 'value', 'values', or 'min' and 'max'"),
        ({"min": 1}, "'parameters.x': a range needs both 'min' and 'max'"),
        ({"max": 1}, "'parameters.x': a range needs both 'min' and 'max'"),
        ({"min": 3, "max": 1}, "'parameters.x': 'min' (3) must be below 'max' (1)"),
        ({"min": 1, "max": 1}, "'parameters.x': 'min' (1) must be below 'max' (1)"),
        ({"values": []}, "'parameters.x': 'values' is empty"),
        ({"values": [[1]]}, "'parameters.x.values.0': Input should be a valid boolean, not [1]"),
        ({"min": "1", "max": 2}, "'parameters.x.min': Input should be a valid number, not '1'"),
        ({"min": True, "max": 2}, "'parameters.x.min': Input should be a valid number, not True"),
        ({"min": 0.0, "max": float("inf")}, "'parameters.x.max': Input should be a finite number, not inf"),
        ({"mn": 1, "max": 2}, "unknown key 'parameters.x.mn'; the nearest known key is 'parameters.x.min'"),
        ({"values": [1], "distribution": "uniform"}, "'parameters.x': 'uniform' needs 'min' and 'max', not 'values'"),
        ({"min": 1, "max": 2, "distribution": "categorical"}, "'categorical' needs 'values', not 'min' and 'max'"),
        ({"values": [1], "distribution": "constant"}, "'parameters.x': 'constant' needs 'value', not 'values'"),
        ({"min": 0, "max": 1, "distribution": "log_uniform_values"}, "'log_uniform_values' needs 'min' above 0"),
        (
            {"min": 0.5, "max": 3, "distribution": "int_uniform"},
            "'parameters.x': 'int_uniform' needs whole numbers as ends",
        ),
        (
            {"min": 0, "max": 1, "distribution": "q_uniform"},
            "'q_uniform' needs 'q', and no other distribution takes it",
        ),
        ({"min": 0, "max": 1, "q": 0.1}, "'q_uniform' needs 'q', and no other distribution takes it"),
        ({"min": 0, "max": 1, "q": 0, "distribution": "q_uniform"}, "'parameters.x.q': Input should be greater than 0"),
        ({"min": 0, "max": 1, "q": 2, "distribution": "q_uniform"}, "'q' (2) is wider than the range"),
        ({"min": 0, "max": 1, "distribution": "normal"}, "'parameters.x.distribution': Input should be 'constant', "),
        (3, "'parameters.x': Input should be a valid dictionary or instance of SweepParameter, not 3"),
    ],
)
def test_an_invalid_dimension_is_refused_with_its_name(parameter: Any, said: str) -> None:
    assert said in _refusal({**SWEEP, "parameters": {"x": parameter}})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({**SWEEP, "method": "grid"}, "'method': Input should be 'bayes' or 'random', not 'grid'"),
        ({**SWEEP, "metric": {"name": "r2", "goal": "max"}}, "'metric.goal': Input should be 'minimize' or 'maximize'"),
        ({**SWEEP, "parameters": {}}, "'parameters': Dictionary should have at least 1 item"),
        ({**SWEEP, "early_terminate": {"eta": 1}}, "'early_terminate.eta': Input should be greater than or equal to 2"),
        ({**SWEEP, "early_terminate": {"min_iter": 0}}, "'early_terminate.min_iter': Input should be greater than or"),
        ({**SWEEP, "early_terminate": {"min_itr": 1}}, "the nearest known key is 'early_terminate.min_iter'"),
        ({**SWEEP, "progam": "train.py"}, "unknown key 'progam'; the nearest known key is"),
        ({"method": "bayes"}, "'metric': Field required; 'parameters': Field required"),
        (None, "Input should be a valid dictionary or instance of Sweep, not None"),
    ],
)
def test_an_invalid_sweep_is_refused_with_its_key(given: Any, said: str) -> None:
    assert said in _refusal(given)
