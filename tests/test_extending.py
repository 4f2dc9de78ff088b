"""The recipes of docs/extending.md, followed literally in a copy of the project."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.project import ROOT, Project

pytestmark = pytest.mark.slow

BLOCK = re.compile(
    r"^(?:A new file|In) `(?P<file>[^`]+)`(?:, (?P<where>below|above|in place of) the line `(?P<line>[^\n]+)`)?:\n\n"
    r"```(?:python|yaml)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


class Edit(NamedTuple):
    """A block of the guide, and where it goes."""

    file: str
    where: str | None
    """`below`, `above` or `in place of` the line; None for a new file."""
    line: str
    text: str

    def apply(self, folder: Path) -> None:
        path = folder / self.file
        if self.where is None:
            assert not path.exists(), f"{self.file} exists already"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.text)
            return
        lines = path.read_text().splitlines(keepends=True)
        assert lines.count(f"{self.line}\n") == 1, f"{self.file} does not hold this line once: {self.line}"
        place = lines.index(f"{self.line}\n")
        lines[place + (self.where == "below") : place + (self.where != "above")] = [self.text]
        path.write_text("".join(lines))


EDITS = [
    Edit(**{**found.groupdict(), "line": found["line"] or ""})
    for found in BLOCK.finditer((ROOT / "docs" / "extending.md").read_text())
]
TESTS = [edit.file for edit in EDITS if edit.file.startswith("tests/")]


@pytest.fixture(scope="module")
def extended(new_project: Callable[[], Project]) -> Project:
    """A copy of the project in which every recipe has been followed."""
    copy = new_project()
    for edit in EDITS:
        edit.apply(copy.path)
    return copy


def test_every_recipe_ends_with_a_test() -> None:
    # given
    recipes = (ROOT / "docs" / "extending.md").read_text().split("\n## ")[1:]

    # when
    tests = [re.findall(r"^A new file `(tests/.+)`:$", recipe, re.MULTILINE) for recipe in recipes]

    # then
    assert len(recipes) == 6
    assert all(tests)


def test_the_tests_of_the_recipes_pass(extended: Project) -> None:
    # when
    finished = extended.execute(sys.executable, "-m", "pytest", "-q", "-rA", *TESTS, timeout=600)

    # then: all of them have run
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert [file for file in TESTS if f"PASSED {file}::" not in finished.stdout] == []


@pytest.mark.parametrize("command", ["ruff format --check", "ruff check", "lint-imports --no-logo --no-cache"])
def test_the_code_of_the_recipes_passes_lint(command: str, extended: Project) -> None:
    # when
    program, *arguments = command.split()
    finished = extended.execute(str(Path(sys.executable).with_name(program)), *arguments)

    # then
    assert finished.returncode == 0, finished.stdout + finished.stderr
