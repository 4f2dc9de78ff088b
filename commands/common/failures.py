"""Which exceptions end a command in one line: a broken machine, a stack that does not answer, a lost race."""

import errno
import shutil
import socket
import sqlite3
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from commands.common import databases
from tabular.errors import UserError, one_line, reason_of, remedy_of
from tabular.storage.repository import ROOT

FAILURE, MISTAKE = 1, 2
FULL = 2**20
"""A disk with fewer free bytes is full."""
KEPT = "what is finished is kept: type the same command again"
NETWORK = (ConnectionError, TimeoutError, socket.gaierror)
"""Errors of the operating system that concern no file."""
DATABASE_BUGS = (sqlite3.ProgrammingError, sqlite3.IntegrityError, sqlite3.DataError, sqlite3.NotSupportedError)
"""Errors of SQLite that a sound file gives for a wrong request."""
ZENML_FILES = ("GlobalConfiguration", "ClientConfiguration")
"""Pydantic models of ZenML's configuration files."""
REFUSALS = {
    "registry.releases": ("LostRace",),
    "stacks.gcsfs_store": ("StoreUnreachable",),
    "tabular.storage.places": ("Refused", "Unreachable"),
}
"""Exceptions that say in one line what the stack or the machine refuses, by the module that defines them."""
SERVERS = {"mlflow.exceptions": ("MlflowException",), "requests.exceptions": ("ConnectionError",)}
"""Exceptions of the clients of servers and registries, by the module that defines them."""


class Failed(Exception):
    """The command cannot continue, and its exit code is 1. The message is one line for the user."""


class LastLine(NamedTuple):
    """The last line of a command, and its exit code."""

    line: str
    code: int


def is_expected(error: object) -> bool:
    """Whether `ending` has a line for it, so that a stack trace helps nobody."""
    return isinstance(error, BaseException) and _known(error) is not None


def ending(error: BaseException) -> LastLine | None:
    """The line and the exit code for an exception; None for a mistake in the code, which needs its stack trace."""
    known = _known(error)
    if known is None:
        return None
    is_mistake = isinstance(known, UserError) and not isinstance(known, _imported(REFUSALS))
    return LastLine(_line(known), MISTAKE if is_mistake else FAILURE)


def _known(error: BaseException) -> BaseException | None:
    """The first that is expected among an exception and its causes; what a server's client says comes last."""
    causes = list(_causes(error))
    return next((one for one in causes if _is_told_apart(one)), None) or next(
        (one for one in causes if isinstance(one, _imported(SERVERS))), None
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _is_told_apart(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno is not None and not isinstance(error, NETWORK)
    if isinstance(error, sqlite3.Error):
        return not isinstance(error, DATABASE_BUGS)
    if isinstance(error, ValidationError):
        return error.title in ZENML_FILES
    return isinstance(error, (Failed, UserError, MemoryError, *_imported(REFUSALS)))


def _imported(families: Mapping[str, tuple[str, ...]]) -> tuple[type[BaseException], ...]:
    """The classes whose modules are imported; the others cannot have been raised."""
    return tuple(
        getattr(sys.modules[module], name)
        for module, names in families.items()
        if module in sys.modules
        for name in names
    )


def _line(error: BaseException) -> str:
    if isinstance(error, _imported(SERVERS)):
        return f"MLflow does not answer as it should ({one_line(error)}); nothing new was decided: try again"
    if isinstance(error, OSError):
        return _of_file(error)
    if isinstance(error, sqlite3.Error):
        return _of_database(error)
    if isinstance(error, MemoryError):
        return f"this machine has not enough memory; give it more, or take fewer rows or trials; {KEPT}"
    if isinstance(error, ValidationError):
        file = databases.zenml_folder() if error.title == ZENML_FILES[0] else ROOT / ".zen"
        return f"{file / 'config.yaml'} is damaged; delete it, and choose the stack again (`zenml stack set NAME`)"
    return str(error)


def _of_file(error: OSError) -> str:
    if error.filename is None and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _of_full_disk() or f"a disk is full; free some space; {KEPT}"
    file = f"{error.filename}: " if isinstance(error.filename, str) else ""
    return f"{file}{reason_of(error)}; {remedy_of(error)}; {KEPT}"


def _of_full_disk() -> str | None:
    """A line about the first full disk among those that a command writes to; None where all have room."""
    for folder in (databases.zenml_folder(), ROOT, Path(tempfile.gettempdir())):
        if folder.exists() and (free := shutil.disk_usage(folder).free) < FULL:
            return f"the disk of {folder} is full ({free:,} bytes are free); free some space; {KEPT}"
    return None


def _of_database(error: sqlite3.Error) -> str:
    """A line about the damaged file, which SQLite does not name."""
    known = [one for one in (databases.zenml(), *databases.mlflow(), *databases.studies()) if one is not None]
    said = one_line(error)
    if "locked" in said:
        return f"a database is in use by another command ({said}); wait for its end; {KEPT}"
    if full := _of_full_disk():
        return full
    if faults := [fault for one in known if (fault := databases.fault(one, whole=True))]:
        return faults[0]
    return f"a database cannot be used ({said}): one of {', '.join(str(one.path) for one in known)}; {databases.BACKUP}"
