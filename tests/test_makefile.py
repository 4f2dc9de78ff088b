"""The Makefile installs once, reports what is missing, and lists its tasks. No test needs the package index."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project import ROOT

TOOLS = ("awk", "find", "grep", "make", "mkdir", "mv", "rm", "sh", "test", "touch")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a space in its name that holds the Makefile and a lock with nothing in it."""
    folder = tmp_path / "a project"
    folder.mkdir()
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "requirements.txt").write_text("")
    return folder


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder for PATH with the programs that the Makefile calls, and without Python."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        if found:
            (programs / tool).symlink_to(found)
    return programs


def make(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    left_out = ("PYTHON", "ARGS", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    environment = {name: value for name, value in os.environ.items() if name not in left_out} | variables
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def targets() -> list[str]:
    found = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert found
    return found[1].split()


def test_help_lists_every_target_with_what_it_does() -> None:
    # when
    lines = make(ROOT, "help").stdout.splitlines()

    # then: one line for each, in the order of the file
    assert [line.split()[1] for line in lines] == targets()
    assert all(len(line.split()) > 3 for line in lines)
    assert make(ROOT).stdout.splitlines() == lines


@pytest.mark.parametrize("target", targets())
def test_every_target_can_be_made(target: str, folder: Path) -> None:
    # when: only printed, not run
    printed = make(folder, "-n", target)

    # then
    assert printed.returncode == 0, printed.stderr
    assert printed.stdout.strip()


@pytest.mark.parametrize(
    ("target", "command"),
    [
        ("run", "run.py --config configs/train.yaml"),
        ("serve", "run.py serve"),
        ("test", "-m pytest -n 2 --dist loadfile --no-loadscope-reorder"),
    ],
)
def test_arguments_are_passed_on(target: str, command: str, folder: Path) -> None:
    # when
    printed = make(folder, "-n", target, "ARGS=--some thing").stdout

    # then: they follow the command
    assert f".venv/bin/python {command} --some thing" in printed


def test_an_installation_happens_once_and_again_for_a_newer_lock(folder: Path) -> None:
    # given: it is installed
    first = make(folder, "install", PYTHON=sys.executable)
    assert first.returncode == 0, first.stderr
    assert (folder / ".venv" / ".installed").is_file()

    # when: the same again, and again after the lock has changed
    second = make(folder, "install")
    os.utime(folder / "requirements.txt", (4e9, 4e9))
    changed = make(folder, "-q", "install")

    # then: nothing was done, and something is to be done
    assert "Nothing to be done" in second.stdout
    assert changed.returncode == 1


def test_an_installation_that_failed_is_started_over(folder: Path) -> None:
    # given: a lock that cannot be installed, and a file that a broken installation left
    (folder / "requirements.txt").write_text("./no-such-package\n")
    failed = make(folder, "install", PYTHON=sys.executable)
    remnant = folder / ".venv" / "remnant"
    remnant.write_text("")
    stamped = (folder / ".venv" / ".installed").exists()

    # when: the lock is mended
    (folder / "requirements.txt").write_text("")
    again = make(folder, "install", PYTHON=sys.executable)

    # then: the first left no stamp, the second began anew and ended well
    assert failed.returncode != 0
    assert not stamped
    assert "no-such-package" in failed.stderr
    assert again.returncode == 0, again.stderr
    assert not remnant.exists()
    assert (folder / ".venv" / ".installed").is_file()


def test_a_python_on_the_path_that_fails_is_passed_over(folder: Path, programs: Path) -> None:
    # given: a shim that exists and fails, an interpreter of a wrong version, and one that is fit
    _script(programs / "python3.13", "exit 127")
    _script(programs / "python3.12", f'exec "{sys.executable}" -c "import sys; sys.exit(1)"')
    _script(programs / "python3.11", f'exec "{sys.executable}" "$@"')

    # when
    made = make(folder, ".venv/bin/python", PATH=str(programs))

    # then
    assert made.returncode == 0, made.stderr
    assert (folder / ".venv" / "bin" / "python").exists()


def test_without_a_fit_python_one_line_says_so(folder: Path, programs: Path) -> None:
    # given: nothing but a Python whose version is wrong
    _script(programs / "python3", "exit 1")

    # when: it is looked for, and when a path with a space is named that holds none
    none = make(folder, "run", PATH=str(programs))
    named = make(folder, "run", PATH=str(programs), PYTHON="/no such/python")

    # then: one line of ours each, and make's own
    for failed, tried in ((none, "python3.13 python3.12 python3.11 python3"), (named, "/no such/python")):
        ours, makes = failed.stderr.splitlines()
        assert failed.returncode == 2
        assert ours.startswith("error: no Python 3.11 to 3.13")
        assert tried in ours
        assert makes.startswith("make: ***")
    assert not (folder / ".venv").exists()


def test_usage_reporting_is_off_unless_the_user_turns_it_on(folder: Path) -> None:
    # given: a target that prints what commands get to see
    show = ("--eval", "show: ; @env", "show")

    # when
    by_default = make(folder, *show).stdout.splitlines()
    chosen = make(folder, *show, ZENML_ANALYTICS_OPT_IN="true").stdout.splitlines()

    # then
    assert {
        "ZENML_ANALYTICS_OPT_IN=false",
        "BENTOML_DO_NOT_TRACK=True",
        "MLFLOW_DISABLE_TELEMETRY=true",
        "DO_NOT_TRACK=1",
    } <= {*by_default}
    assert "ZENML_ANALYTICS_OPT_IN=true" in chosen


def _script(file: Path, text: str) -> None:
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
