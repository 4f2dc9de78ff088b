"""Reading the search spaces of the algorithms that compete."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tabular.config.stages import SearchConfig, SelectionConfig
from tabular.errors import UserError
from tabular.learning.sweeps import load_sweeps


def written(folder: Path, **changes: Any) -> SearchConfig:
    """The folder with a sweep file for `linear`."""
    sweep = {"method": "bayes", "parameters": {"alpha": {"min": 0.1, "max": 1.0}}}
    (folder / "linear.yaml").write_text(yaml.safe_dump(sweep | changes))
    return SearchConfig(spaces=str(folder))


def test_a_sweep_without_a_metric_improves_the_one_that_decides_the_selection(tmp_path: Path) -> None:
    # when
    [(name, sweep)] = load_sweeps(
        written(tmp_path), SelectionConfig(algorithms=("linear",), metric="r2"), "regression"
    ).items()

    # then
    assert (name, sweep.metric.name, sweep.metric.goal) == ("linear", "r2", "maximize")


@pytest.mark.parametrize(
    ("algorithm", "changes", "message"),
    [
        ("lineer", {}, "selection.algorithms: there is no 'lineer'; the nearest is 'linear', and there are linear, "),
        ("xgboost", {}, r"search.spaces: there is no sweep file .*xgboost\.yaml"),
        ("linear", {"metric": {"name": "f1_macro", "goal": "maximize"}}, "'f1_macro' is not a metric of a regression"),
        ("linear", {"metric": {"name": "rmse", "goal": "maximize"}}, "the goal of 'rmse' is to minimize it"),
        ("linear", {"paramters": {}}, r"linear\.yaml: .*'paramters'"),
    ],
)
def test_a_sweep_that_cannot_be_searched_is_refused(
    tmp_path: Path, algorithm: str, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        load_sweeps(written(tmp_path, **changes), SelectionConfig(algorithms=(algorithm,)), "regression")


def test_a_sweep_file_that_is_not_yaml_is_refused(tmp_path: Path) -> None:
    # given
    search = written(tmp_path)
    (tmp_path / "linear.yaml").write_text("a: [")

    # then
    with pytest.raises(UserError, match=r"linear\.yaml is not YAML"):
        load_sweeps(search, SelectionConfig(algorithms=("linear",)), "regression")
