"""Tests never touch the stacks, stores and models of the person who runs them."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bentoml
import click
import mlflow
import psutil
import pytest
from zenml.client import Client
from zenml.config.global_config import GlobalConfiguration

from tests.support.project import ROOT, Project

INNER = "test_zenml_bentoml_and_mlflow_use_the_folder_of_the_session"


def test_zenml_bentoml_and_mlflow_use_the_folder_of_the_session() -> None:
    # given: the folders that a person's own programs use, and the temporary folder
    own = [Path(click.get_app_dir("zenml")), Path.home() / "bentoml", ROOT]
    temporary = Path(tempfile.gettempdir())

    # when: each program is asked where it writes, or writes something
    with bentoml.models.create("isolated"):
        pass
    bento_folder = Path(bentoml.models.get("isolated").path)
    used = [
        Path(GlobalConfiguration().config_directory),
        Path(str(Client().zen_store.url).removeprefix("sqlite:///")),
        Path(Client().active_stack.artifact_store.path),
        bento_folder,
        Path(mlflow.get_tracking_uri().removeprefix("sqlite:///")),
    ]

    # then: all of it lies in one folder under the temporary one, and this clone's own `.zen` is not in use
    folders = {path.relative_to(temporary).parts[0] for path in used}
    assert len(folders) == 1
    assert folders.pop().startswith("stackhouse-tests-")
    assert not any(path.is_relative_to(folder) for path in used for folder in own)
    assert Client().root is None


@pytest.mark.slow
def test_a_session_leaves_a_persons_own_folders_alone(tmp_path: Path) -> None:
    # given: a person whose variables name stores and a server of their own
    theirs = {
        "HOME": str(tmp_path / "home"),
        "ZENML_CONFIG_PATH": str(tmp_path / "zenml"),
        "ZENML_LOCAL_STORES_PATH": str(tmp_path / "stores"),
        "ZENML_STORE_URL": f"sqlite:///{tmp_path}/zenml.db",
        "BENTOML_HOME": str(tmp_path / "bentoml"),
        "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db",
        "MLFLOW_REGISTRY_URI": f"sqlite:///{tmp_path}/registry.db",
    }
    (tmp_path / "home").mkdir()

    # when: they run tests that use ZenML's store
    command = [sys.executable, "-m", "pytest", "-o", f"cache_dir={tmp_path}/cache", f"{Path(__file__)}::{INNER}"]
    finished = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **theirs}, capture_output=True, text=True, timeout=300, check=False
    )

    # then: the tests pass, and nothing was made in any of those places
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"home", "cache"}
    assert not (tmp_path / "home" / ".config" / "zenml").exists()
    assert not (tmp_path / "home" / "bentoml").exists()


@pytest.mark.slow
def test_a_project_has_stores_of_its_own(project: Project) -> None:
    # given: the file in which this clone notes its stack, if it has one
    note = ROOT / ".zen" / "config.yaml"
    before = note.read_bytes() if note.exists() else None

    # when: the copy is initialised
    finished = project.zenml("init")

    # then: ZenML's files lie in the copy and its home, and this clone's note is as it was
    assert finished.returncode == 0, finished.stderr
    assert (project.path / ".zen").is_dir()
    assert (project.home / "zenml" / "config.yaml").is_file()
    assert (note.read_bytes() if note.exists() else None) == before


def test_a_project_is_what_git_would_take(project: Project) -> None:
    # given, when: a fresh copy
    names = {path.name for path in project.path.iterdir()}

    # then: the program and its configs are there, what runs leave is not
    assert {"run.py", "configs", "tabular", "requirements.txt", ".gitignore"} <= names
    assert not {".git", ".venv", ".zen", ".cache", "reports"} & names


def test_a_project_kills_what_takes_too_long(project: Project) -> None:
    # given: a program that prints and never ends, nor does its child
    script = "import subprocess; child = subprocess.Popen(['sleep', '60']); print(child.pid, flush=True); child.wait()"

    # when: it is given a second
    with pytest.raises(subprocess.TimeoutExpired) as caught:
        project.execute(sys.executable, "-c", script, timeout=1)

    # then: what it printed is known, and neither it nor its child runs any more
    child = int(caught.value.__notes__[0].split()[0])
    assert _ends(child)


def _ends(pid: int) -> bool:
    """Whether a killed process has ended within five seconds; a zombie counts as ended."""
    for _ in range(100):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False
