"""A machine on which something is damaged, full, or not to be written: one line that names it, through the command."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.support.runs import Repository

TRAIN = ("--config", "configs/train.yaml")
LIST = ("models", "list")


@dataclass(frozen=True)
class Broken:
    """What is broken, what is typed then, and what the one line must say."""

    breaking: Callable[[Repository], object]
    says: tuple[str, ...]
    typed: tuple[tuple[str, ...], ...] = (LIST,)
    code: int = 1
    variables: tuple[tuple[str, str], ...] = ()


def nothing(copy: Repository) -> None:
    """Break nothing in the copy: the variables do."""


def config(content: bytes) -> Callable[[Repository], object]:
    def write(copy: Repository) -> None:
        (copy.home / "zenml").mkdir(parents=True)
        (copy.home / "zenml" / "config.yaml").write_bytes(content)

    return write


def database(copy: Repository) -> None:
    folder = copy.home / "zenml" / "local_stores" / "default_zen_store"
    folder.mkdir(parents=True)
    (folder / "zenml.db").write_bytes(b"garbage" * 100)


NOWHERE = "/proc/nowhere"
BROKEN = {
    "a home that cannot be written": Broken(
        nothing,
        (f"{NOWHERE}/.config/zenml", "ZENML_CONFIG_PATH"),
        (LIST, ("--dry-run",), ("stacks", "list"), ("serve",), ("monitor", "status")),
        variables=(("HOME", NOWHERE), ("ZENML_CONFIG_PATH", "")),
    ),
    "a place for Bentos that cannot be written": Broken(
        nothing,
        (f"{NOWHERE}/bentoml", "BENTOML_HOME"),
        (TRAIN, ("serve",)),
        variables=(("HOME", NOWHERE), ("BENTOML_HOME", "")),
    ),
    "ZenML's configuration cut off": Broken(config(b"active_project_id: 38fd7"), ("zenml/config.yaml", "delete it")),
    "ZenML's database of garbage": Broken(database, ("zenml.db", "damaged", "backup")),
    "a file in the place of .zen": Broken(lambda copy: (copy.path / ".zen").write_text(""), (".zen", "is a file")),
    "a .env in UTF-16": Broken(
        lambda copy: (copy.path / ".env").write_text("A=1\n", encoding="utf-16"),
        (".env", "UTF-8"),
        (LIST, ("--help",)),
        code=2,
    ),
    "a .env in UTF-16 without its mark": Broken(
        lambda copy: (copy.path / ".env").write_text("A=1\n", encoding="utf-16-le"), (".env", "UTF-8"), code=2
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_it_is_one_line_before_anything_heavy(what: str, new_project: Callable[[], Repository]) -> None:
    # given
    broken = BROKEN[what]
    copy = new_project()
    broken.breaking(copy)
    for typed in broken.typed:
        # when
        done = copy.run(*typed, env=dict(broken.variables), timeout=60)
        # then
        assert done.returncode == broken.code, done.stderr
        assert done.stdout == ""
        [line] = done.stderr.splitlines()
        assert line.startswith("error: ") and all(words in line for words in broken.says), line
