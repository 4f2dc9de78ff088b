"""Which exceptions end a command in one line, and what the line says."""

import errno
import sqlite3
from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException
from optuna.exceptions import StorageInternalError
from requests.exceptions import ConnectionError as Unconnected
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DatabaseError

from commands.common import databases, failures
from commands.common.failures import Failed, ending
from registry.releases import LostRace
from tabular.errors import UserError
from tabular.storage.places import NotThere, Refused, Unreachable

FILE = "/data/some file"


def caused(error: Exception, cause: Exception) -> Exception:
    """An exception as `raise error from cause` leaves it."""
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (UserError("data.path: it does not exist"), 2, ["data.path"]),
        (NotThere("/a.csv: there is no such file", "correct the path"), 2, ["/a.csv"]),
        (Refused("/a.csv: cannot read it", "correct its permissions"), 1, ["/a.csv"]),
        (Unreachable("could not reach gs://b", "check the network"), 1, ["gs://b"]),
        (Failed("the stack cannot be used"), 1, ["the stack cannot be used"]),
        (LostRace("somebody was faster"), 1, ["somebody was faster"]),
        (OSError(errno.ENOSPC, "No space left on device", FILE), 1, [FILE, "no space left", "free some space"]),
        (OSError(errno.EDQUOT, "Disk quota exceeded", FILE), 1, [FILE, "quota"]),
        (OSError(errno.EROFS, "Read-only file system", FILE), 1, [FILE, "read-only", "writable"]),
        (PermissionError(errno.EACCES, "Permission denied", FILE), 1, [FILE, "permission denied", "permissions"]),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", FILE), 1, [FILE, "no such file"]),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", FILE), 1, [FILE, "a file stands where a folder belongs"]),
        (IsADirectoryError(errno.EISDIR, "Is a directory", FILE), 1, [FILE, "a folder stands where a file belongs"]),
        (OSError(errno.EMFILE, "Too many open files", FILE), 1, ["ulimit -n"]),
        (OSError(errno.EIO, "Input/output error", FILE), 1, [FILE, "disk"]),
        (MemoryError(), 1, ["memory"]),
        (Unconnected("connection refused"), 1, ["MLflow does not answer", "connection refused"]),
        (MlflowException("no such run"), 1, ["MLflow does not answer", "no such run"]),
        (caused(RuntimeError("step failed"), OSError(errno.ENOSPC, "No space left on device", FILE)), 1, [FILE]),
        (caused(MlflowException("x"), OSError(errno.ENOSPC, "No space left on device", FILE)), 1, [FILE, "no space"]),
        (caused(StorageInternalError("x"), OSError(errno.EROFS, "Read-only file system", FILE)), 1, [FILE]),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_a_broken_machine_is_one_line_with_file_and_remedy(error: Exception, code: int, says: list[str]) -> None:
    # when
    end = ending(error)
    # then
    assert end is not None and end.code == code
    assert "\n" not in end.line and all(words in end.line for words in says), end.line


@pytest.mark.parametrize(
    "error",
    [
        KeyError("no such stage"),
        ValueError("an array with 3 dimensions"),
        sqlite3.IntegrityError("UNIQUE constraint failed"),
        sqlite3.ProgrammingError("Cannot operate on a closed database."),
        OSError("a library says so"),
        caused(RuntimeError("step failed"), ZeroDivisionError()),
    ],
    ids=repr,
)
def test_a_mistake_in_the_code_keeps_its_trace(error: Exception) -> None:
    assert ending(error) is None


def test_a_full_disk_is_named_where_the_error_names_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given: the disk of ZenML's folder has no byte left
    monkeypatch.setenv("ZENML_CONFIG_PATH", str(tmp_path))
    usage = failures.shutil.disk_usage

    def of(folder: Path) -> object:
        return usage(folder)._replace(free=0) if folder == tmp_path else usage(folder)

    monkeypatch.setattr(failures.shutil, "disk_usage", of)
    # when
    ends = [
        ending(OSError(errno.ENOSPC, "No space left on device")),
        ending(sqlite3.OperationalError("database or disk is full")),
        ending(sqlite3.OperationalError("disk I/O error")),
    ]
    # then
    for end in ends:
        assert end and f"the disk of {tmp_path} is full" in end.line and "free some space" in end.line


def made(file: Path, rows: int = 2000) -> Path:
    """A SQLite database of many pages."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(file) as opened:
        opened.execute("CREATE TABLE stack (name TEXT)")
        opened.executemany("INSERT INTO stack VALUES (?)", [(f"{row:0100d}",) for row in range(rows)])
    opened.close()
    return file


def garbage(file: Path) -> None:
    file.write_bytes(b"garbage" * 100)


def truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:5000])


def scribbled(file: Path) -> None:
    """Overwrite all pages but the first."""
    content = file.read_bytes()
    file.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))


@pytest.mark.parametrize("damage", [garbage, truncated, scribbled])
@pytest.mark.parametrize("which", ["zenml", "mlflow", "study"])
def test_the_damaged_database_is_found_among_all(
    which: str, damage: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: three databases, one of which is damaged
    monkeypatch.setenv("ZENML_CONFIG_PATH", str(tmp_path))
    monkeypatch.setattr(databases, "ROOT", tmp_path)
    files = {
        "zenml": made(tmp_path / "local_stores" / "default_zen_store" / "zenml.db"),
        "mlflow": made(tmp_path / "local_stores" / "some-id" / "mlflow.db"),
        "study": made(tmp_path / ".cache" / "search" / "abc.db"),
    }
    damage(files[which])  # type: ignore[operator]
    # when
    with pytest.raises(DatabaseError) as caught, create_engine(f"sqlite:///{files[which]}").connect() as opened:
        opened.execute(text("SELECT sum(length(name)) FROM stack"))
    end = ending(caught.value)
    # then
    assert end and end.code == 1 and str(files[which]) in end.line and "is damaged" in end.line
    assert ("delete it" if which == "study" else "backup") in end.line
    assert not any(str(file) in end.line for name, file in files.items() if name != which)
