"""What holds for the whole repository: its style, its types, the walls between the rooms, and what no file may hold."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.project import ROOT, Project

LINES = 350
"""A file that is longer no longer reads in one sitting."""
NOWHERE = {
    "a path of one machine": re.compile(r"(?<![\w.<{}-])/(work|root|home/\w+|Users/\w+)/"),
    "the host of a package registry": re.compile(r"pypi\.org|pythonhosted\.org|registry\.npmjs|--(extra-)?index-url"),
    "a note of work left undone": re.compile(r"\b(TO[D]O|FIX[M]E)\b"),
}
LINT = {
    "format": ("ruff", "format", "--check"),
    "style": ("ruff", "check"),
    "types": ("mypy",),
    "walls": ("lint-imports", "--no-logo", "--cache-dir", ".cache/import_linter"),
}
BREACHES = {
    "tabular/breach.py": "import zenml",
    "tabular/pages/pictures/breach.py": "from steps.training import ingest",
    "tabular/config/breach.py": "import pandas",
    "materializers/breach.py": "import mlflow",
    "steps/breach.py": "from pipelines import training",
    "pipelines/breach.py": "from tabular import metrics",
    "stacks/breach.py": "from steps.training import ingest",
    "commands/breach.py": "import run",
    "service/breach.py": "import pandas",
    "tabular/bundles/breach.py": "import sklearn",
}


@pytest.fixture(scope="module")
def files(new_project: Callable[[], Project]) -> dict[Path, str]:
    """What git would take: the text of each file by its path in the repository."""
    copy = new_project().path
    return {
        path.relative_to(copy): path.read_text(errors="replace") for path in sorted(copy.rglob("*")) if path.is_file()
    }


def tool(*command: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name(command[0])
    return subprocess.run([program, *command[1:]], cwd=folder, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize("command", LINT.values(), ids=LINT)
def test_lint_passes(command: tuple[str, ...]) -> None:
    # when
    finished = tool(*command)

    # then
    assert finished.returncode == 0, finished.stdout + finished.stderr


@pytest.mark.parametrize("command", LINT.values(), ids=LINT)
def test_make_lint_runs_the_same(command: tuple[str, ...]) -> None:
    # when
    printed = subprocess.run(["make", "-n", "lint"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    # then
    assert f".venv/bin/{' '.join(command)}" in printed.splitlines()


@pytest.mark.parametrize("file", BREACHES)
def test_a_hole_in_a_wall_is_found(file: str, project: Project) -> None:
    # given: a module that imports what its room may not
    (project.path / file).write_text(f'"""A breach."""\n\n{BREACHES[file]}\n')

    # when
    finished = tool(*LINT["walls"], folder=project.path)

    # then
    assert finished.returncode == 1
    assert file.removesuffix(".py").replace("/", ".") in finished.stdout


@pytest.mark.parametrize("what", NOWHERE)
def test_no_file_holds(what: str, files: dict[Path, str]) -> None:
    # when
    found = [
        f"{path}:{number}: {line.strip()}"
        for path, text in files.items()
        for number, line in enumerate(text.splitlines(), start=1)
        if NOWHERE[what].search(line)
    ]

    # then
    assert not found, f"{what}:\n" + "\n".join(found)


def test_python_files_read_in_one_sitting(files: dict[Path, str]) -> None:
    # when
    lengths = {str(path): len(text.splitlines()) for path, text in files.items() if path.suffix == ".py"}

    # then
    assert {path: length for path, length in lengths.items() if length > LINES} == {}


def test_the_lock_names_every_requirement_and_pins_everything(files: dict[Path, str]) -> None:
    # given
    wanted = {_name(line) for line in files[Path("requirements.in")].splitlines() if line and line[0] != "#"}

    # when
    pins = [line for line in files[Path("requirements.txt")].splitlines() if line and line.lstrip()[0] != "#"]

    # then: `make lock` was not forgotten, and there is nothing but exact versions
    assert wanted <= {_name(pin) for pin in pins}
    assert all(re.fullmatch(r"[\w.-]+(\[[\w,-]+\])?==[\w.+]+( ; .+)?", pin) for pin in pins)


def _name(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement)[0].lower().replace("_", "-")
