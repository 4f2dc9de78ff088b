"""The run configuration: what is valid, what is refused, and how a refusal reads."""

import copy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from tabular.config.base import explain
from tabular.config.stages import (
    CLASSIFICATION_METRICS,
    HIGHER_IS_BETTER,
    REGRESSION_METRICS,
    ClusterConfig,
    SelectionConfig,
)
from tabular.config.sweep import Sweep
from tabular.config.training import RegisteredModel, TrainingFile
from tabular.learning.algorithms import ALGORITHMS
from tabular.learning.metrics import goal, names
from tabular.table.sample import SampleSpec
from tests.support.project import ROOT

RUNS = [
    file
    for file in sorted((ROOT / "configs").glob("*.yaml"))
    if "data" in yaml.safe_load(file.read_text()).get("parameters", {})
]
MINIMAL: dict[str, Any] = {
    "model": {"name": "m"},
    "parameters": {"data": {"path": "rows.csv"}, "target": {"column": "y"}},
}


def _refusal(given: Any, model: Any = TrainingFile) -> str:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(given)
    said = explain(caught.value, model)
    assert "\n" not in said
    return said


def _with(key: str, value: Any) -> dict[str, Any]:
    """The minimal configuration with one parameter more."""
    given = copy.deepcopy(MINIMAL)
    place = given["parameters"]
    *parents, last = key.split("/")
    for parent in parents:
        place = place.setdefault(parent, {})
    place[last] = value
    return given


@pytest.mark.parametrize("file", RUNS, ids=lambda file: file.name)
def test_every_training_configuration_of_the_repository_is_valid(file: Path) -> None:
    resolved = TrainingFile.model_validate(yaml.safe_load(file.read_text()))
    assert set(resolved.parameters.selection.algorithms) <= set(ALGORITHMS)


@pytest.mark.parametrize("file", sorted((ROOT / "configs" / "samples").glob("*.yaml")), ids=lambda file: file.name)
def test_every_sample_of_the_repository_is_valid(file: Path) -> None:
    assert SampleSpec.model_validate(yaml.safe_load(file.read_text())).rows >= 2


def test_the_repository_has_configurations_to_check() -> None:
    assert ROOT / "configs" / "train.yaml" in RUNS
    assert list((ROOT / "configs" / "samples").glob("*.yaml"))


def test_the_shortest_configuration_has_every_default() -> None:
    parameters = TrainingFile.model_validate(MINIMAL).parameters
    assert (parameters.seed, parameters.search.trials, parameters.split.held_out) == (42, 50, 0.2)
    assert parameters.imputation.strategies == ("median", "mean", "knn", "iterative")


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("serach", "search"),
        ("search/trails", "search.trials"),
        ("validation/columns/x/mni", "validation.columns.x.min"),
        ("validation/columns/min/mni", "validation.columns.min.min"),
        ("validation/columns/columns/knd", "validation.columns.columns.kind"),
        ("features/clusters/colums", "features.clusters.columns"),
        ("gate/limit", "gate.limits"),
    ],
)
def test_an_unknown_key_names_the_nearest_at_any_depth(key: str, nearest: str) -> None:
    said = _refusal(_with(key, 1))
    dotted = key.replace("/", ".")
    assert f"unknown key 'parameters.{dotted}'; the nearest known key is 'parameters.{nearest}'" in said


def test_an_unknown_key_of_the_file_and_of_an_item_of_a_list() -> None:
    assert _refusal({**MINIMAL, "modle": {}}) == "unknown key 'modle'; the nearest known key is 'model'"
    place = {"centre": {}, "spread": 1.0, "category": "a", "wieght": 1.0}
    said = _refusal({"rows": 2, "places": [place], "columns": {"c": {"distribution": "category"}}}, SampleSpec)
    assert said == "unknown key 'places.0.wieght'; the nearest known key is 'places.0.weight'"


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("search/trials", "10", "'parameters.search.trials': Input should be a valid integer, not '10'"),
        ("search/trials", True, "'parameters.search.trials': Input should be a valid integer, not True"),
        ("search/trials", 10.0, "'parameters.search.trials': Input should be a valid integer, not 10.0"),
        ("split/held_out", "0.2", "'parameters.split.held_out': Input should be a valid number, not '0.2'"),
        ("data/offline_sample", 1, "'parameters.data.offline_sample': Input should be a valid boolean, not 1"),
        ("target/column", 1, "'parameters.target.column': Input should be a valid string, not 1"),
        ("gate/limits", {"r2": "0.7"}, "'parameters.gate.limits.r2': Input should be a valid number, not '0.7'"),
        ("gate/limits", {1: 0.7}, "'parameters.gate.limits.1': Input should be a valid string, not 1"),
        ("gate/limits", {"r2": float("nan")}, "'parameters.gate.limits.r2': Input should be a finite number, not nan"),
        ("gate/tolerance", float("inf"), "'parameters.gate.tolerance': Input should be a finite number, not inf"),
        (
            "features/clusters",
            {"columns": ["a"], "counts": ["10"]},
            "'parameters.features.clusters.counts.0': Input should be a valid integer, not '10'",
        ),
        ("data/drop_columns", "id", "'parameters.data.drop_columns': Input should be a valid tuple, not 'id'"),
        ("data/drop_columns", ["id", 1], "'parameters.data.drop_columns.1': Input should be a valid string, not 1"),
    ],
)
def test_nothing_is_turned_into_another_type(key: str, value: Any, said: str) -> None:
    assert _refusal(_with(key, value)) == said


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("seed", -1, "'parameters.seed': Input should be greater than or equal to 0, not -1"),
        ("seed", 2**31, "'parameters.seed': Input should be less than 2147483648"),
        ("split/held_out", 1.0, "'parameters.split.held_out': Input should be less than 1, not 1.0"),
        ("search/folds", 1, "'parameters.search.folds': Input should be greater than or equal to 2, not 1"),
        (
            "features/clusters",
            {"columns": ["a"], "counts": [1]},
            "'parameters.features.clusters.counts.0': Input should be greater than or equal to 2",
        ),
        (
            "features/clusters",
            {"columns": ["a"], "counts": []},
            "'parameters.features.clusters.counts': Tuple should have at least 1 item",
        ),
        (
            "features/clusters",
            {"columns": [], "counts": [2]},
            "'parameters.features.clusters.columns': Tuple should have at least 1 item",
        ),
        ("selection/algorithms", [], "'parameters.selection.algorithms': Tuple should have at least 1 item"),
        ("selection/target_transforms", [], "'parameters.selection.target_transforms': Tuple should have at least 1"),
        ("imputation/strategies", [], "'parameters.imputation.strategies': Tuple should have at least 1 item"),
        (
            "imputation/strategies",
            ["mode"],
            "'parameters.imputation.strategies.0': Input should be 'median', 'mean', 'knn' or 'iterative', not 'mode'",
        ),
        (
            "target/task",
            "ranking",
            "'parameters.target.task': Input should be 'regression' or 'classification', not 'ranking'",
        ),
        (
            "validation/columns/x",
            {"kind": "number", "min": 2, "max": 1},
            "'parameters.validation.columns.x': 'min' (2) must not be above 'max' (1)",
        ),
        (
            "validation/columns/x",
            {"kind": "number", "categories": ["a"]},
            "'categories' are for a category, not for a number",
        ),
        (
            "validation/columns/x",
            {"kind": "category", "max": 1},
            "'min' and 'max' are for a number, not for a category",
        ),
        (
            "validation/columns/x",
            {"kind": "text"},
            "'parameters.validation.columns.x.kind': Input should be 'number', 'category' or 'date', not 'text'",
        ),
        (
            "validation/columns/x",
            {"kind": "date", "earliest": "2024-02-30"},
            "'parameters.validation.columns.x.earliest': '2024-02-30' is not a day in ISO 8601",
        ),
        (
            "validation/columns/x",
            {"kind": "date", "earliest": "2024-03-01", "latest": "2024-02-29"},
            "'earliest' (2024-03-01) must not be after 'latest' (2024-02-29)",
        ),
        (
            "validation/columns/x",
            {"kind": "number", "latest": "2024-03-01"},
            "'earliest' and 'latest' are for a date, not for a number",
        ),
        (
            "features/expressions",
            {"bmi": "weight / height ^ 2"},
            "'parameters.features.expressions.bmi': 'weight / height ^ 2', character 1: this is not arithmetic",
        ),
        ("target", {"column": "y", "class_weight": "balanced"}, "'class_weight' is for a classification"),
        ("data", {}, "'parameters.data': no data: set 'path', 'url' or 'sample'"),
        ("data", {"url": "https://x"}, "'parameters.data': 'url' needs 'url_sha256'"),
        ("data/sha256", "ABC", "'parameters.data.sha256': String should match pattern"),
        ("data/drop_columns", ["y"], "data.drop_columns contains the target 'y'"),
        ("selection/metric", "rsme", "selection.metric: 'rsme' is not a metric of a regression; there are r2, rmse, "),
        ("gate/metric", "accuracy", "gate.metric: 'accuracy' is not a metric of a regression"),
        ("gate/limits", {"accuracy": 0.9}, "gate.limits.accuracy: 'accuracy' is not a metric of a regression"),
        (
            "target",
            {"column": "y", "task": "classification"},
            "selection.metric: 'wmape' is not a metric of a classification",
        ),
        ("data", None, "'parameters.data': Input should be a valid dictionary or instance of DataConfig, not None"),
    ],
)
def test_invalid_values_are_refused_with_their_key(key: str, value: Any, said: str) -> None:
    assert said in _refusal(_with(key, value))


@pytest.mark.parametrize(
    "name",
    [
        "a/b",
        "a:b",
        "..",
        ".",
        "it's",
        'a"b',
        "a`b",
        "a\\",
        "a" * 300,
        "",
        " ",
        "a b",
        "a\n",
        "-a",
        "größe",
        "a%b",
        "a.b",
    ],
)
def test_a_name_that_a_registry_or_a_file_system_refuses_is_refused(name: str) -> None:
    with pytest.raises(ValidationError) as raised:
        RegisteredModel(name=name)
    said = explain(raised.value, RegisteredModel)
    assert said.startswith("'name': ") and "is not a name of a model; use up to 100 letters" in said
    assert len(said) < 300 and "\n" not in said


@pytest.mark.parametrize("name", ["a", "7", "california-housing", "A_b-9", "a" * 100])
def test_a_name_of_letters_digits_and_hyphens_is_kept(name: str) -> None:
    assert RegisteredModel(name=name).name == name


def test_all_mistakes_are_told_at_once_and_a_missing_key_is_one() -> None:
    said = _refusal({"model": {}, "parameters": {"data": {"path": 1}, "targt": {}}})
    assert said == (
        "'model.name': Field required; 'parameters.data.path': Input should be a valid string, not 1; "
        "'parameters.target': Field required; unknown key 'parameters.targt'; "
        "the nearest known key is 'parameters.target'"
    )


def test_a_configuration_cannot_be_changed() -> None:
    # given
    parameters = TrainingFile.model_validate(MINIMAL).parameters
    # when / then
    with pytest.raises(ValidationError, match="frozen"):
        parameters.seed = 1
    with pytest.raises(ValidationError, match="frozen"):
        parameters.search.trials = 1
    assert isinstance(ClusterConfig(columns=("a",), counts=(2,)).counts, tuple)
    given = ["linear"]
    assert SelectionConfig.model_validate({"algorithms": given}).algorithms == ("linear",)


def test_two_configurations_share_no_default() -> None:
    first, second = (TrainingFile.model_validate(MINIMAL).parameters for _ in range(2))
    first.gate.limits["r2"] = 0.5
    assert second.gate.limits == {}


def test_every_key_is_documented_in_the_schema() -> None:
    schema = TrainingFile.model_json_schema()
    for name, model in schema["$defs"].items():
        assert model.get("description"), name
        for key, value in model["properties"].items():
            is_section = "$ref" in value
            assert is_section or value.get("description"), f"{name}.{key}"


def test_the_metrics_of_the_configuration_are_those_that_are_computed() -> None:
    assert names("regression") == REGRESSION_METRICS and names("classification") == CLASSIFICATION_METRICS
    for metric in (*REGRESSION_METRICS, *CLASSIFICATION_METRICS):
        assert goal(metric) == ("maximize" if metric in HIGHER_IS_BETTER else "minimize")


def test_a_mistake_costs_no_heavy_import() -> None:
    code = (
        "import sys, tabular.config.training, tabular.config.sweep\n"
        "print([name for name in ('pandas', 'numpy', 'sklearn', 'optuna', 'zenml') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_sweep_file_is_no_training_file() -> None:
    assert _refusal({"method": "bayes"}).startswith(
        "'model': Field required; 'parameters': Field required; unknown key"
    )
    assert "'metric': Field required" in _refusal(MINIMAL, Sweep)
