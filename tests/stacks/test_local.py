"""The `local` stack, in a ZenML configuration of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from zenml.client import Client
from zenml.enums import StackComponentType

import stacks
from stacks import files, local, registration
from tests.support.project import ROOT
from tests.support.zenml_configurations import configuration, forget

COMPONENT = "local_mlflow"
KINDS = (StackComponentType.EXPERIMENT_TRACKER, StackComponentType.MODEL_REGISTRY)


def _components(name: str) -> dict[str, str]:
    return {kind.value: component.name for kind, [component] in Client().get_stack(name).components.items()}


def test_the_first_call_makes_and_activates_the_stack(repository: Path) -> None:
    # when
    name = local.activate(repository)

    # then
    assert name == "local" == Client().active_stack_model.name
    assert Client.is_repository_directory(repository)
    found = _components("local")
    assert found["orchestrator"] == found["artifact_store"] == "default"
    assert found["experiment_tracker"] == found["model_registry"] == "local_mlflow"


def test_the_second_call_changes_nothing(repository: Path) -> None:
    # given
    local.activate(repository)
    before = Client().get_stack("local")

    # when
    name = local.activate(repository)

    # then
    assert name == "local"
    assert Client().get_stack("local").id == before.id
    assert {stack.name for stack in Client().list_stacks()} == {"default", "local"}


def team() -> None:
    """Another stack that works, as a user sets it."""
    parts = {StackComponentType.ORCHESTRATOR: "default", StackComponentType.ARTIFACT_STORE: "default"}
    Client().create_stack("team", {**parts, **dict.fromkeys(KINDS, COMPONENT)})
    Client().activate_stack("team")


def test_a_stack_of_the_user_is_kept(repository: Path) -> None:
    # given: an initialised repository whose user has set another stack
    local.activate(repository)
    team()

    # then
    assert local.activate(repository) == "team"


@pytest.mark.parametrize(("chosen", "looked_at"), [("local", False), ("team", True)])
def test_the_choice_outlives_a_visit_with_another_configuration(
    repository: Path,
    new_configuration: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    chosen: str,
    looked_at: bool,
) -> None:
    # given
    local.activate(repository)
    if chosen == "team":
        team()
        local.activate(repository)
    home = os.environ["ZENML_CONFIG_PATH"]

    # when: the same repository is used with a configuration that does not know its stack
    other = configuration(new_configuration, tmp_path / "other")
    monkeypatch.setenv("ZENML_CONFIG_PATH", str(other))
    forget()
    assert local.activate(repository) == "local"
    forget()
    assert local.activate(repository) == "local"

    # then: ZenML resets the stack to its own, and it is what it was all the same
    monkeypatch.setenv("ZENML_CONFIG_PATH", home)
    forget()
    if looked_at:  # by another command of ZenML, which writes its own stack down as the repository's
        assert Client().active_stack_model.name == "default"
        forget()
        assert Client().active_stack_model.name == "default"
    assert local.activate(repository) == chosen


def test_a_stack_set_before_the_first_run_is_kept(repository: Path) -> None:
    # given: a stack set for the whole machine, and a repository that was never initialised
    client = Client()
    parts = {StackComponentType.ORCHESTRATOR: "default", StackComponentType.ARTIFACT_STORE: "default"}
    client.create_stack("team", dict(parts))
    client.activate_stack("team")

    # then
    assert local.activate(repository) == "team"
    assert Client().active_stack_model.name == "team"


@pytest.mark.parametrize("there", [KINDS[:1], KINDS], ids=["tracker", "tracker and registry"])
def test_a_half_made_stack_is_completed(repository: Path, there: tuple[StackComponentType, ...]) -> None:
    # given: what a run leaves that was killed while it registered
    for kind in there:
        Client().create_stack_component(COMPONENT, "mlflow", kind, {})

    # when
    name = local.activate(repository)

    # then
    assert name == "local"
    assert {"experiment_tracker", "model_registry"} <= set(_components("local"))


@pytest.fixture
def deployer(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack `local` with the model deployer of an earlier version, whose code is gone by now."""
    code = tmp_path / "earlier" / "bento_deployer.py"
    code.parent.mkdir()
    code.write_text(
        "from zenml.integrations.bentoml.flavors import BentoMLModelDeployerFlavor\n"
        "class Flavor(BentoMLModelDeployerFlavor):\n"
        "    name = 'bento'\n"
    )
    local.activate(repository)
    kind = StackComponentType.MODEL_DEPLOYER
    with monkeypatch.context() as patch:
        patch.setattr(stacks, "__path__", [*stacks.__path__, str(code.parent)])
        Client().create_flavor("stacks.bento_deployer.Flavor", kind)
        Client().create_stack_component("local_bento", "bento", kind, {})
        Client().update_stack("local", component_updates={kind: ["local_bento"]})
        sys.modules.pop("stacks.bento_deployer")
        monkeypatch.delattr(stacks, "bento_deployer", raising=False)
    with pytest.raises(ImportError):
        _ = Client().active_stack


def test_a_component_whose_code_is_gone_leaves_the_active_stack(deployer: None, repository: Path) -> None:
    # when
    assert local.activate(repository) == "local"

    # then: ZenML can load the stack again
    assert Client().active_stack.model_deployer is None
    assert set(_components("local")) == {"orchestrator", "artifact_store", "experiment_tracker", "model_registry"}


def test_a_component_whose_code_is_gone_is_taken_out_when_the_stack_is_applied(deployer: None) -> None:
    # when
    changes = registration.apply("local", files.read(ROOT, "local"))

    # then
    assert [change.what for change in changes if change.action == "update"] == ["stack 'local'"]
    assert Client().active_stack.model_deployer is None


@pytest.mark.slow
def test_commands_that_start_at_once_on_a_new_machine_do_not_disturb_each_other(tmp_path: Path) -> None:
    # given
    repository = tmp_path / "repository"
    repository.mkdir()
    program = tmp_path / "program.py"
    program.write_text(
        f"import pathlib\nfrom stacks import local\nprint(local.activate(pathlib.Path({str(repository)!r})))"
    )
    environment = {**os.environ, "ZENML_CONFIG_PATH": str(tmp_path / "zenml"), "PYTHONPATH": str(ROOT)}
    # when
    started = [
        subprocess.Popen([sys.executable, program], env=environment, stdout=subprocess.PIPE, text=True) for _ in "ab"
    ]
    said = [process.communicate()[0].split() for process in started]
    # then
    assert [process.returncode for process in started] == [0, 0]
    assert [words[-1] for words in said] == ["local", "local"]
