"""The check of this machine that comes before ZenML is imported."""

import importlib.util
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from commands.common import databases
from commands.common.failures import Failed
from commands.common.machine import ensure_sound

CONFIG = "active_stack_id: 00053af5-8572-429a-a609-c466a3b54c24\nstore:\n  url: sqlite:///{}\nversion: 0.98.0\n"
NOTE = "active_stack_id: 00053af5-8572-429a-a609-c466a3b54c24\n"


class Machine:
    """A repository and a home, as a few commands leave them."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "clone"
        self.home = folder / "home" / "zenml"
        self.bentos = folder / "home" / "bentoml"
        self.database = self.home / "local_stores" / "default_zen_store" / "zenml.db"
        for one in (self.root / ".zen", self.database.parent, self.bentos):
            one.mkdir(parents=True)
        (self.root / ".zen" / "config.yaml").write_text(NOTE)
        (self.home / "config.yaml").write_text(CONFIG.format(self.database))
        self.revision("0.98.0")

    def revision(self, number: str) -> None:
        """Give ZenML's database a layout."""
        with sqlite3.connect(self.database) as opened:
            opened.execute("CREATE TABLE IF NOT EXISTS alembic_version (version_num TEXT)")
            opened.execute("DELETE FROM alembic_version")
            opened.execute("INSERT INTO alembic_version VALUES (?)", (number,))
        opened.close()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    monkeypatch.setenv("ZENML_CONFIG_PATH", str(made.home))
    monkeypatch.setenv("BENTOML_HOME", str(made.bentos))
    return made


def file_instead(folder: Path) -> None:
    """Put a file in the place of a folder."""
    folder.rename(folder.with_name("aside"))
    folder.write_text("a file")


def config(text: str) -> Callable[[Machine], None]:
    return lambda machine: (machine.home / "config.yaml").write_bytes(text.encode("latin-1")) and None


def note(text: str) -> Callable[[Machine], None]:
    return lambda machine: (machine.root / ".zen" / "config.yaml").write_bytes(text.encode("latin-1")) and None


def folder_instead(machine: Machine) -> None:
    (machine.home / "config.yaml").unlink()
    (machine.home / "config.yaml").mkdir()


BROKEN: dict[str, tuple[Callable[[Machine], object], tuple[str, ...]]] = {
    "config of text": (config("garbage"), ("zenml/config.yaml", "damaged", "delete it")),
    "config of bytes": (config("\x00\xff\xfe: ["), ("zenml/config.yaml", "damaged")),
    "config cut off": (config(CONFIG[:60]), ("zenml/config.yaml", "damaged")),
    "config cut off in a key": (config(CONFIG.split("url")[0]), ("zenml/config.yaml", "damaged")),
    "empty config": (config(""), ("zenml/config.yaml", "damaged")),
    "config with another version": (config("version: newest"), ("zenml/config.yaml", "damaged")),
    "config is a folder": (folder_instead, ("zenml/config.yaml", "is a directory")),
    "note of text": (note("garbage"), (".zen/config.yaml", "damaged", "stack")),
    "empty note": (note(""), (".zen/config.yaml", "damaged")),
    "note with half an id": (note(NOTE[:30]), (".zen/config.yaml", "damaged")),
    ".zen is a file": (lambda machine: file_instead(machine.root / ".zen"), (".zen", "is a file", "delete it")),
    "home is a file": (lambda machine: file_instead(machine.home), ("home/zenml", "ZENML_CONFIG_PATH")),
    "bentos is a file": (lambda machine: file_instead(machine.bentos), ("home/bentoml", "BENTOML_HOME")),
    "reports is a file": (lambda machine: (machine.root / "reports").write_text(""), ("clone/reports", "writable")),
    "database of text": (
        lambda machine: machine.database.write_text("garbage" * 99),
        ("zenml.db", "damaged", "backup"),
    ),
    "database cut off": (
        lambda machine: machine.database.write_bytes(machine.database.read_bytes()[:700]),
        ("zenml.db", "damaged"),
    ),
    "database of a newer ZenML": (lambda machine: machine.revision("9.99.0"), ("zenml.db", "newer ZenML", "9.99.0")),
    "database is a folder": (
        lambda machine: (machine.database.unlink(), machine.database.mkdir()),
        ("zenml.db", "damaged"),
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_is_named_with_the_remedy(machine: Machine, what: str) -> None:
    # given
    breaking, says = BROKEN[what]
    breaking(machine)
    # when
    with pytest.raises(Failed) as caught:
        ensure_sound(machine.root, runs=True)
    # then
    line = str(caught.value)
    assert "\n" not in line and all(words in line for words in says), line


@pytest.mark.parametrize(
    ("variable", "folder"),
    [("ZENML_CONFIG_PATH", "/proc/nonexistent/zenml"), ("BENTOML_HOME", "/proc/nonexistent/bentos")],
)
def test_a_home_that_cannot_be_written_is_named_with_its_variable(
    machine: Machine, variable: str, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: a folder in which not even root can write
    monkeypatch.setenv(variable, folder)
    # when / then
    with pytest.raises(Failed, match=f"{folder}: .*{variable}"):
        ensure_sound(machine.root, runs=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("inside", ["", ".zen", "reports"])
def test_a_clone_that_cannot_be_written_is_named(machine: Machine, inside: str) -> None:
    # given
    folder = machine.root / inside
    folder.mkdir(exist_ok=True)
    folder.chmod(0o555)
    # when / then
    with pytest.raises(Failed, match=str(folder)):
        ensure_sound(machine.root, runs=True)


def test_a_sound_machine_is_left_as_it_was(machine: Machine, tmp_path: Path) -> None:
    # given
    before = sorted(tmp_path.rglob("*"))
    # when
    ensure_sound(machine.root, runs=True)
    # then
    assert sorted(tmp_path.rglob("*")) == before


def test_a_new_machine_is_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given: nothing is there yet
    monkeypatch.setenv("ZENML_CONFIG_PATH", str(tmp_path / "none" / "zenml"))
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "none" / "bentoml"))
    # when
    ensure_sound(tmp_path, runs=True)
    # then
    assert not (tmp_path / "none").exists()


def test_a_store_on_a_server_has_no_file_to_check(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    machine.database.write_text("of no interest")
    monkeypatch.setenv("ZENML_STORE_URL", "https://zenml.example")
    # when / then
    ensure_sound(machine.root, runs=True)


@pytest.mark.parametrize("made_by", databases.LAYOUTS)
def test_the_layout_of_the_installed_package_is_known(made_by: str, tmp_path: Path) -> None:
    # given: the newest layout of the package, and one that it will have some day
    package = importlib.util.find_spec(made_by.lower())
    assert package and package.origin
    migrations = Path(package.origin).parent / databases.LAYOUTS[made_by]
    head = ScriptDirectory(str(migrations.parent)).get_current_head()
    for layout, is_known in ((head, True), ("ffffffffffff", False)):
        file = tmp_path / f"{layout}.db"
        with sqlite3.connect(file) as opened:
            opened.execute("CREATE TABLE alembic_version (version_num TEXT)")
            opened.execute("INSERT INTO alembic_version VALUES (?)", (layout,))
        opened.close()
        # when
        said = databases.fault(databases.Database(file, made_by=made_by))
        # then
        assert said is None if is_known else said and str(file) in said and f"newer {made_by}" in said
