"""The end of a run: which failures keep their stack trace."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from zenml import pipeline, step
from zenml.client import Client
from zenml.config.global_config import GlobalConfiguration

from commands.common import execution
from commands.common.arguments import Configuration
from commands.common.execution import CompositionFailed, RunRequest
from commands.common.failures import FAILURE
from tabular.config.base import RunFile
from tabular.errors import UserError


@step
def divide() -> float:
    return 1 / 0


@pipeline(name="failing", enable_cache=False)
def failing(how: str) -> None:
    if how == "bug":
        raise KeyError("no such stage")
    if how == "mistake":
        raise UserError("data.path: there is no such file")
    divide()


def run(how: str, root: Path) -> int:
    def report(*_: object) -> int:
        raise AssertionError("no run has come to its end")

    given = {"parameters": {"how": how}}
    return execution.run(RunRequest(Configuration(given, RunFile(), "failing")), failing, root, report)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A repository with a ZenML store of its own."""
    folder = tmp_path_factory.mktemp("execution")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZENML_CONFIG_PATH", str(folder / "zenml"))
        patch.setenv("ZENML_REPOSITORY_PATH", str(folder))
        GlobalConfiguration._reset_instance()
        Client._reset_instance()
        yield folder
    GlobalConfiguration._reset_instance()
    Client._reset_instance()


def test_a_bug_in_the_composition_keeps_its_trace(root: Path) -> None:
    # when
    with pytest.raises(CompositionFailed) as caught:
        run("bug", root)

    # then
    assert isinstance(caught.value.__cause__, KeyError)
    assert caught.traceback[-1].name == "compose_part"


def test_a_users_mistake_reaches_the_command_line(root: Path) -> None:
    with pytest.raises(UserError, match="data.path"):
        run("mistake", root)


def test_a_step_that_failed_ends_in_one_line(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # when
    code = run("step", root)

    # then
    assert code == FAILURE
    assert "the run failed: " in capsys.readouterr().out
