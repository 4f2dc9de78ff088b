"""The SQLite files that a command uses, and what is wrong with a damaged one."""

import contextlib
import importlib.util
import os
import sqlite3
from glob import escape
from pathlib import Path
from typing import Final, NamedTuple

import click
import yaml

from tabular.errors import one_line
from tabular.storage.repository import ROOT

LAYOUTS: Final = {"ZenML": "zen_stores/migrations/versions", "MLflow": "store/db_migrations/versions"}
"""The folder in each package that holds a file for each layout of its database."""
BACKUP: Final = "put a backup in its place, or move it away to begin anew without what it holds"


class Database(NamedTuple):
    """A SQLite file, and what to do when it is damaged."""

    path: Path
    remedy: str = BACKUP
    made_by: str | None = None
    """A key of `LAYOUTS`."""


def zenml_folder() -> Path:
    """The folder of ZenML's configuration and, unless it is told otherwise, of all that it stores on this machine."""
    return Path(os.environ.get("ZENML_CONFIG_PATH") or click.get_app_dir("zenml"))


def zenml() -> Database | None:
    """ZenML's database; None where ZenML keeps its state on a server."""
    url = os.environ.get("ZENML_STORE_URL")
    with contextlib.suppress(OSError, yaml.YAMLError, TypeError, KeyError):  # without a file, the default holds
        url = url or str(yaml.safe_load((zenml_folder() / "config.yaml").read_bytes())["store"]["url"])
    url = url or f"sqlite:///{_stores() / 'default_zen_store' / 'zenml.db'}"
    return Database(Path(url.removeprefix("sqlite:///")), made_by="ZenML") if url.startswith("sqlite:///") else None


def mlflow(artifact_store: str = "*") -> list[Database]:
    """MLflow's databases beside the artifact stores on this machine, or only the one beside the store with this id."""
    return [Database(path, made_by="MLflow") for path in _stores().glob(f"{artifact_store}/mlflow.db")]


def studies() -> list[Database]:
    """The files that keep the trials of the searches."""
    remedy = "delete it, and its trials are run again"
    return [Database(path, remedy) for path in (ROOT / ".cache" / "search").glob("*.db")]


def _stores() -> Path:
    return Path(os.environ.get("ZENML_LOCAL_STORES_PATH") or zenml_folder() / "local_stores")


def fault(database: Database, whole: bool = False) -> str | None:
    """What is wrong with a file and what to do, in one line; None where all is well, or nothing is there yet.

    Args:
        whole: look at every page of the file, which takes a second for each gigabyte or so.
    """
    file = database.path
    if not file.exists():
        return None
    try:
        with contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as opened:
            tables = {name for (name,) in opened.execute("SELECT name FROM sqlite_master")}
            # Another command may be about to make the tables.
            found = opened.execute("SELECT version_num FROM alembic_version") if "alembic_version" in tables else ()
            layouts = [str(layout) for (layout,) in found]
            [said] = opened.execute("PRAGMA quick_check(1)").fetchone() if whole else ["ok"]
    except sqlite3.Error as error:
        said = "ok" if "locked" in str(error) else one_line(error)  # by a command that writes at this moment
        layouts = []
    if said != "ok":
        return f"{file} is damaged ({one_line(said)}); {database.remedy}"
    for layout in layouts:
        if database.made_by and not _is_known(layout, database.made_by):
            return f"{file} was made by a newer {database.made_by} (layout {layout}); install that one, or {BACKUP}"
    return None


def _is_known(layout: str, package: str) -> bool:
    """Whether the installed package has the migration that leads to a layout; it is found without an import."""
    found = importlib.util.find_spec(package.lower())
    folders = found and found.submodule_search_locations
    known = Path(folders[0], LAYOUTS[package]) if folders else None
    return known is None or not known.is_dir() or any(known.glob(f"{escape(layout)}_*.py"))
