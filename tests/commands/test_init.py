"""`python run.py init`: a table in, a run configuration out, and one line for each mistake."""

import hashlib
import re
from pathlib import Path

import fsspec
import pytest
from click.testing import CliRunner, Result

from commands.common import arguments
from commands.init import init
from tabular.config.training import TrainingFile
from tabular.errors import UserError
from tabular.storage import addresses
from tabular.table import sources
from tests.support.dialects import ROWS, Dialect, table, written
from tests.support.project import Project


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A table of homes in the repository that stands in for ours."""
    (tmp_path / "data").mkdir()
    file = tmp_path / "data" / "My homes.csv"
    file.write_bytes(written(table(), Dialect(";", "cp1252", ",")))
    return file


def typed(root: Path, *words: str) -> Result:
    """The command as it is typed in the repository."""
    return CliRunner().invoke(init, words, obj=root)


def refused(root: Path, *words: str) -> str:
    """The one line of a mistake."""
    error = typed(root, *words).exception
    assert isinstance(error, UserError) and "\n" not in str(error)
    return str(error)


def test_a_configuration_is_written_and_the_next_command_named(file: Path, tmp_path: Path) -> None:
    # when
    done = typed(tmp_path, "--data", str(file), "--target", "price")
    # then
    assert done.exit_code == 0, done.output
    assert done.output.endswith("wrote configs/my-homes.yaml\nnext: `python run.py --config configs/my-homes.yaml`\n")
    assert "240 rows, 7 columns; a regression of 'price'" in " ".join(done.output.split())
    written_file = tmp_path / "configs" / "my-homes.yaml"
    resolved = arguments.read(written_file, ["search.trials=3"]).resolved
    assert isinstance(resolved, TrainingFile)
    assert (resolved.model.name, resolved.parameters.data.path) == ("my-homes", "data/My homes.csv")
    assert resolved.parameters.data.reading.separator == ";"
    assert hashlib.sha256(file.read_bytes()).hexdigest() in written_file.read_text()
    assert [path.name for path in (tmp_path / "configs").iterdir()] == ["my-homes.yaml"]


def test_what_is_wrong_with_the_table_is_told(file: Path, tmp_path: Path) -> None:
    # given
    rows = table().assign(id=range(ROWS))
    rows.assign(cost=rows["price"] * 2).to_csv(file, index=False)
    # when
    said = " ".join(typed(tmp_path, "--data", str(file), "--target", "price").output.split())
    # then
    assert "loud cost: LEAK: it rises with the target" in said
    assert "warning id: left out: it identifies rows" in said


def test_an_existing_configuration_is_kept_unless_forced(file: Path, tmp_path: Path) -> None:
    # given
    kept = tmp_path / "configs" / "homes.yaml"
    kept.parent.mkdir()
    kept.write_text("mine")
    words = ("--data", str(file), "--target", "price", "--name", "homes")
    # when / then
    assert "configs/homes.yaml exists already; give another --name, or --force" in refused(tmp_path, *words)
    assert kept.read_text() == "mine"
    assert typed(tmp_path, *words, "--force").exit_code == 0
    assert "parameters:" in kept.read_text()


def test_a_remote_table_is_read(file: Path, tmp_path: Path) -> None:
    # given
    store = fsspec.filesystem("memory")
    store.pipe_file("/profiled/homes.csv", file.read_bytes())
    # when
    done = typed(tmp_path, "--data", "memory://profiled/homes.csv", "--target", "price")
    # then
    assert done.exit_code == 0, done.output
    resolved = arguments.read(tmp_path / "configs" / "homes.yaml", []).resolved
    assert isinstance(resolved, TrainingFile)
    assert resolved.parameters.data.path == "memory://profiled/homes.csv"
    store.rm("/profiled", recursive=True)


def test_the_task_can_be_given(file: Path, tmp_path: Path) -> None:
    # given
    table().assign(price=[1, 2, 3] * (ROWS // 3)).to_csv(file, index=False)
    # when
    typed(tmp_path, "--data", str(file), "--target", "price", "--name", "graded", "--task", "regression")
    # then
    resolved = arguments.read(tmp_path / "configs" / "graded.yaml", []).resolved
    assert isinstance(resolved, TrainingFile)
    assert (resolved.parameters.target.task, resolved.parameters.selection.metric) == ("regression", "wmape")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--data", "{file}", "--target", "prize"), "no column 'prize'; the nearest is 'price'"),
        (("--data", "{file}x", "--target", "price"), "--data: .*csvx does not exist"),
        (("--data", "{folder}", "--target", "price"), "--data: .* is a folder"),
        (
            ("--data", "{file}", "--target", "price", "--name", "../homes"),
            "--name: '../homes' is not a name of a model",
        ),
        (("--data", "http://127.0.0.1:9/homes.csv", "--target", "price"), "--data: could not reach"),
    ],
    ids=["no such column", "no file", "folder", "name", "nobody there"],
)
def test_a_mistake_is_one_line_and_writes_nothing(
    words: tuple[str, ...], said: str, file: Path, tmp_path: Path
) -> None:
    # when
    error = refused(tmp_path, *(word.format(file=file, folder=file.parent) for word in words))
    # then
    assert re.search(said, error), error
    assert not (tmp_path / "configs").exists()


def test_the_command_line_knows_it(project: Project) -> None:
    # given
    table().to_csv(project.path / "homes.csv", index=False)
    # when
    good = project.run("init", "--data", "homes.csv", "--target", "price")
    bad = project.run("init", "--data", "homes.csv", "--target", "price")
    # then
    assert good.returncode == 0, good.stderr
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr.startswith("error: configs/homes.yaml exists already") and bad.stderr.count("\n") == 1


def test_secrets_of_an_address_are_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given: a table at an address with a login and a token
    content = written(table(), Dialect())
    monkeypatch.setattr(sources, "content_at", lambda location, key: content)
    # when
    done = typed(tmp_path, "--data", "https://anna:geheim@host/homes.csv?token=geheim", "--target", "price")
    # then: the variables are named, and the configuration can be read
    assert done.exit_code == 0, done.output
    file = tmp_path / "configs" / "homes.yaml"
    assert "geheim" not in done.output + file.read_text()
    assert "STACKHOUSE_HOMES_QUERY" in done.output and "STACKHOUSE_HOMES_LOGIN" in done.output
    resolved = arguments.read(file, []).resolved
    assert isinstance(resolved, TrainingFile)
    path = resolved.parameters.data.path
    monkeypatch.setenv("STACKHOUSE_HOMES_LOGIN", "anna:geheim")
    monkeypatch.setenv("STACKHOUSE_HOMES_QUERY", "token=geheim")
    assert addresses.resolved(str(path)) == "https://anna:geheim@host/homes.csv?token=geheim"
