"""Checking, before ZenML is imported, the folders and files of this machine that it reads and writes."""

import os
import re
import tempfile
from pathlib import Path

import yaml

from commands.common import databases
from commands.common.failures import Failed
from tabular.errors import reason_of, remedy_of

WRITTEN = (".cache", "reports", "releases")
"""Folders of the repository that a run writes to."""


def ensure_sound(root: Path, runs: bool = False) -> None:
    """Check that ZenML can work here; where `runs` is set, also that a run can keep what it makes.

    Raises:
        Failed: a folder cannot be written, or a file is damaged; the message names it and the remedy.
    """
    home = databases.zenml_folder()
    if not home.is_absolute():
        raise Failed("there is no home folder: set HOME, or ZENML_CONFIG_PATH and BENTOML_HOME, to a folder")
    _ensure_writable(home, "set ZENML_CONFIG_PATH to a folder that can be written")
    note = root / ".zen"
    if note.exists() and not note.is_dir():
        raise Failed(f"{note} is a file, and ZenML keeps a folder there; delete it")
    clone = "make the repository writable, or work in a copy of it"
    _ensure_writable(note if note.exists() else root, clone)
    if runs:
        for name in WRITTEN:
            _ensure_writable(root / name, clone)
        bentos = Path(os.environ.get("BENTOML_HOME") or Path("~/bentoml").expanduser())
        _ensure_writable(bentos, "set BENTOML_HOME to a folder that can be written")
    again = "delete it, and choose the stack again (`zenml stack set NAME`)"
    _ensure_whole(home / "config.yaml", "version", r"\d+\.\d+", again)
    _ensure_whole(note / "config.yaml", "active_stack_id", r"[0-9a-f-]{36}", again)
    database = databases.zenml()
    if database and (said := databases.fault(database)):
        raise Failed(said)


def _ensure_writable(folder: Path, remedy: str) -> None:
    """Try to write in a folder, or in the nearest one above it if it does not exist; permissions alone can lie."""
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"\0")
    except OSError as error:
        raise Failed(f"{folder}: cannot write there ({reason_of(error)}); {remedy}") from None


def _ensure_whole(file: Path, key: str, pattern: str, remedy: str) -> None:
    """Look for a key in a YAML file; ZenML writes the file in one go, and a part of it may be YAML as well."""
    try:
        known = yaml.safe_load(file.read_bytes())
    except FileNotFoundError:
        return
    except OSError as error:
        raise Failed(f"{file}: cannot read it ({reason_of(error)}); {remedy_of(error)}") from None
    except yaml.YAMLError:
        known = None
    if not isinstance(known, dict) or not re.match(pattern, str(known.get(key))):
        raise Failed(f"{file} is damaged; {remedy}")
