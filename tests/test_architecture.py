"""What holds for the whole repository: the walls between the rooms, and what no file may hold.

Style and types are checked by `make lint`, which hooks and CI run beside the tests.
"""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from typing import Any

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
CONTRACTS: list[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
]


def _tables(guide: Path) -> list[list[list[list[str]]]]:
    """The code names in each cell of each row of each table of a guide."""
    blocks = re.findall(r"(?:^\|.*\n)+", guide.read_text(), re.MULTILINE)
    return [
        [[re.findall(r"`([^`]+)`", cell) for cell in row.strip("|").split("|")] for row in block.splitlines()[2:]]
        for block in blocks
    ]


def _walls(floors: list[list[str]]) -> set[tuple[str, str]]:
    """Pairs of a room and another one that does not stand below it; the floors come from the top down."""
    return {
        (room, other)
        for number, floor in enumerate(floors)
        for room in floor
        for other in [name for above in floors[: number + 1] for name in above]
        if other != room
    }


HOUSE, NARROWER = _tables(ROOT / "docs" / "architecture.md")[:2]
FLOORS = [[name.removesuffix(".py") for name in row[1]] for row in HOUSE]
"""The rooms of each floor, from the top down."""
FLOOR_WALLS = _walls(FLOORS)
"""Pairs of a room and another one that it does not import, because that one does not stand below it."""
NARROW_WALLS = {(room, other) for row in NARROWER for room in row[0] for other in row[1] if room != other}


@pytest.fixture(scope="module")
def files(new_project: Callable[[], Project]) -> dict[Path, str]:
    """What git would take: the text of each file by its path in the repository.

    `releases/` is left out: the user's own runs write it.
    """
    copy = new_project().path
    return {
        path.relative_to(copy): path.read_text(errors="replace")
        for path in sorted(copy.rglob("*"))
        if path.is_file() and path.relative_to(copy).parts[0] != "releases"
    }


@pytest.fixture(scope="module")
def holes_found(new_project: Callable[[], Project]) -> dict[str, set[tuple[str, str]]]:
    """Imports that `lint-imports` reports, by contract, in a copy of the project with a hole in every wall.

    A hole is an import of the other room in a module of the room.
    """
    folder = new_project().path
    for room, other in sorted(FLOOR_WALLS | NARROW_WALLS):
        path = folder / room.replace(".", "/")
        module = min(path.rglob("[a-z]*.py")) if path.is_dir() else path.with_suffix(".py")
        module.write_text(f"{module.read_text()}\nimport {other}\n")
    printed = tool(*LINT["walls"], folder=folder).stdout
    found: dict[str, set[tuple[str, str]]] = {}
    _, *sections = re.split(r"\n\n(.+)\n---+\n\n", printed.partition("Broken contracts")[2])
    for name, text in zip(sections[::2], sections[1::2], strict=True):
        lines = re.findall(r"^[-&\s]+([\w.]+) -> ([\w.]+) \(l\.", text, re.MULTILINE)
        found[name] = {
            (room, other) for module, other in lines for room in accumulate(module.split("."), "{}.{}".format)
        }
    return found


def tool(*command: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name(command[0])
    wide = os.environ | {"COLUMNS": "400"}
    return subprocess.run(
        [program, *command[1:]], cwd=folder, env=wide, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.parametrize("command", LINT.values(), ids=LINT)
def test_make_lint_runs(command: tuple[str, ...]) -> None:
    # when
    printed = subprocess.run(["make", "-n", "lint"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    # then
    assert f".venv/bin/{' '.join(command)}" in printed.splitlines()


def test_the_guide_draws_the_floors_that_the_contracts_keep() -> None:
    # given
    rooms = [[room for room in floor if not room.startswith("tabular.")] for floor in FLOORS[1:]]
    inside = [[room.removeprefix("tabular.") for room in floor if room.startswith("tabular.")] for floor in FLOORS]

    # when
    house, tabular = (
        [re.split(r"\W+", layer) for layer in contract["layers"]]
        for contract in CONTRACTS
        if contract["type"] == "layers" and contract.get("containers") in (None, ["tabular"])
    )

    # then
    assert [{*floor} for floor in rooms if floor] + [{"tabular"}] == [{*layer} for layer in house]
    assert [{*floor} for floor in inside if floor] == [{*layer} for layer in tabular]


def test_the_guide_names_every_room_and_every_folder(files: dict[Path, str]) -> None:
    # given
    guide = (ROOT / "docs" / "architecture.md").read_text()
    rooms = {room for floor in FLOORS for room in floor}

    # when
    packages = {path.parts[0] for path in files if path.name == "__init__.py" and len(path.parts) == 2}
    of_tabular = {path.parts[1].removesuffix(".py") for path in files if path.parts[0] == "tabular"}
    folders = {path.parts[0] for path in files if len(path.parts) > 1 and path.parts[0][0] != "."}

    # then
    assert rooms - {"run"} == (packages - {"tabular", "tests"}) | {
        f"tabular.{name}" for name in of_tabular - {"__init__"}
    }
    assert {folder for folder in folders if f"`{folder}" not in guide} == set()


def test_the_guide_and_the_contracts_forbid_the_same() -> None:
    # when
    forbidden = {
        (room, other)
        for contract in CONTRACTS
        if contract["type"] == "forbidden"
        for room in contract["source_modules"]
        for other in contract["forbidden_modules"]
    }

    ordered = {
        (f"{container}.{room}", f"{container}.{other}")
        for contract in CONTRACTS
        for container in contract.get("containers", ())
        for room, other in _walls([re.split(r"\W+", layer) for layer in contract["layers"] if " : " not in layer])
    }

    # then: a wall of `tabular` is one of each of its rooms
    walls = FLOOR_WALLS | NARROW_WALLS
    whole = {("tabular", other) for room, other in walls if room.startswith("tabular.")}
    assert forbidden | ordered <= walls | whole
    assert NARROW_WALLS - forbidden - ordered == {("tabular.bundles", "tabular.bundles.making")}


def test_a_hole_in_a_wall_between_floors_is_found(holes_found: dict[str, set[tuple[str, str]]]) -> None:
    # given: what orders floors, and what forbids the room that is no package
    names = {
        contract["name"]
        for contract in CONTRACTS
        if contract["type"] == "layers" or contract["forbidden_modules"] == ["run"]
    }

    # when
    found = set().union(*(holes for name, holes in holes_found.items() if name in names))

    # then
    assert len(FLOOR_WALLS) > 200
    assert FLOOR_WALLS - found == set()


def test_a_hole_in_a_narrower_wall_is_found(holes_found: dict[str, set[tuple[str, str]]]) -> None:
    # when: what orders the floors of the whole house does not count
    house = {
        contract["name"] for contract in CONTRACTS if contract["type"] == "layers" and "containers" not in contract
    }
    found = set().union(*(holes for name, holes in holes_found.items() if name not in house))

    # then
    assert len(NARROW_WALLS) > 60
    assert NARROW_WALLS - found == set()


def test_every_contract_is_broken_by_a_hole(holes_found: dict[str, set[tuple[str, str]]]) -> None:
    # when, then
    assert {contract["name"] for contract in CONTRACTS} == {*holes_found}


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


def test_no_two_classes_have_the_same_name(files: dict[Path, str]) -> None:
    # when
    found: dict[str, list[str]] = {}
    for path, text in files.items():
        if path.suffix == ".py" and path.parts[0] != "tests":
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.ClassDef):
                    found.setdefault(node.name, []).append(str(path))

    # then
    assert {name: paths for name, paths in found.items() if len(paths) > 1} == {}


def test_no_test_file_imports_another_one(files: dict[Path, str]) -> None:
    # when: what several tests need lives in tests/support
    found = [
        f"{path}: {line}"
        for path, text in files.items()
        if path.parts[0] == "tests" and path.suffix == ".py"
        for line in text.splitlines()
        if re.match(r"\s*(from|import) tests(\.\w+)*\.(test_\w+|conftest)\b", line)
    ]

    # then
    assert found == []


def test_one_place_finds_the_nearest_name(files: dict[Path, str]) -> None:
    # when
    code = {path: text for path, text in files.items() if path.suffix == ".py" and path.parts[0] != "tests"}
    found = {str(path) for path, text in code.items() if "get_close_matches" in text}

    # then
    assert found == {"tabular/errors.py"}


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
