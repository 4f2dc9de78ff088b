"""The file of the deploy pipeline, read like every run configuration."""

from pathlib import Path

import pytest

from commands import arguments
from tabular.config.deployment import DeploymentFile
from tabular.config.training import TrainingFile
from tabular.errors import UserError
from tests.support.project import ROOT


def test_the_parameters_decide_which_pipeline_a_file_is_of() -> None:
    # when
    deploy = arguments.read(ROOT / "configs" / "deploy.yaml", ["deployment.action=stop", "run_name=end"]).resolved

    # then
    assert isinstance(deploy, DeploymentFile)
    assert (deploy.parameters.deployment.action, deploy.run_name) == ("stop", "end")
    assert isinstance(arguments.read(ROOT / "configs" / "train.yaml", []).resolved, TrainingFile)


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("deployment.prot=1", "unknown key 'deployment.prot'; the nearest known key is 'deployment.port'"),
        ("deployment.port=0", "'deployment.port'"),
        ("deployment.workers=0", "'deployment.workers'"),
        ("deployment.timeout=soon", "'deployment.timeout'"),
        ("deployment.action=restart", "'deployment.action'"),
        ("search.trials=3", "unknown key 'search'"),
    ],
)
def test_a_wrong_override_is_refused_in_one_line(override: str, says: str) -> None:
    with pytest.raises(UserError) as caught:
        arguments.read(Path(ROOT / "configs" / "deploy.yaml"), [override])
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
