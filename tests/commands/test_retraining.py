"""Which training the monitor may start, found out before it works."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from commands import retraining
from registry.store import LocalStore
from registry.watching import Watch
from tabular.config.monitoring import MonitoringConfig
from tabular.errors import UserError
from tests.support.project import ROOT

NAME = "california-housing"


def config(model: str = NAME, **training: Any) -> MonitoringConfig:
    return MonitoringConfig.model_validate({"model": model, "log": "log", "training": training})


def test_a_training_of_the_watched_model_may_be_started() -> None:
    # given keys with other values, lists and mappings among them
    overrides = {"search.trials": 3, "gate.limits": {}, "selection.algorithms": ["linear", "lightgbm"]}
    given = config(overrides=overrides)

    # when / then
    made = retraining.training_configuration(given, ROOT, {"data.path": "new's.parquet"})
    parameters = made.resolved.model_dump()["parameters"]
    assert (parameters["search"]["trials"], parameters["gate"]["limits"]) == (3, {})
    assert parameters["selection"]["algorithms"] == ("linear", "lightgbm")
    assert parameters["data"]["path"] == "new's.parquet"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (config(config="configs/nothing.yaml"), "there is no file .*configs/nothing.yaml"),
        (config(config="configs/promote.yaml"), "configs/promote.yaml is not a training"),
        (config("houses"), f"configs/train.yaml trains '{NAME}', and 'houses' is watched; set training.overrides"),
        (config(overrides={"search.trails": 3}), "unknown key 'search.trails'; the nearest known key is 'search.tri"),
    ],
)
def test_a_training_that_cannot_be_is_refused_in_one_line(given: MonitoringConfig, said: str) -> None:
    with pytest.raises(UserError, match=said) as refused:
        retraining.training_configuration(given, ROOT)
    assert "\n" not in str(refused.value)


def test_logged_rows_are_never_mixed_with_made_ones(tmp_path: Path) -> None:
    # given a training config that has nothing but the built-in sample
    file = yaml.safe_load((ROOT / "configs" / "train.yaml").read_text())
    file["parameters"]["data"] = {"sample": str(ROOT / "configs" / "samples" / "california.yaml")}
    (tmp_path / "sample.yaml").write_text(yaml.safe_dump(file))

    # when / then
    with pytest.raises(UserError, match="only the built-in sample"):
        retraining.keep_newest_table(
            config(config="sample.yaml"), tmp_path, Watch(LocalStore(tmp_path / "store")), Console()
        )
