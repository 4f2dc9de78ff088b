"""Cache policies of steps: which files a cached result depends on, beyond the step's source, parameters and inputs."""

import ast
from functools import cache
from pathlib import Path
from types import ModuleType

from zenml.config.cache_policy import CachePolicy

from tabular.storage.places import is_stray
from tabular.storage.repository import ROOT

ROOMS = ("tabular", "steps", "materializers", "registry", "trackers")
VALUES_ONLY = "tabular/config/"
"""Config models hold values only, and these are part of the cache key as the step's parameters."""


def depends_on(*modules: ModuleType) -> CachePolicy:
    """A cache policy by which a step runs again if the code that it calls changes, and only then.

    Args:
        modules: the modules that the step calls. Every module of the project that these import, directly or not,
            counts too, and so do the templates beside such a module. So does the lock file, because another
            scikit-learn may give another model.
    """
    files = {file for module in modules for file in imported_files(_relative(Path(str(module.__file__))))}
    templates = {path for folder in {Path(file).parent for file in files} for path in _templates(folder)}
    return CachePolicy(file_dependencies=[*sorted(files | templates), "requirements.txt"])


@cache
def imported_files(file: str) -> frozenset[str]:
    """A file of the project and all files of the project that it imports, directly or indirectly."""
    found: set[str] = set()
    waiting = [file]
    while waiting:
        current = waiting.pop()
        if current not in found and not current.startswith(VALUES_ONLY):
            found.add(current)
            waiting += direct_imports(current)
    return frozenset(found)


def _templates(folder: Path) -> list[str]:
    """The files from which the modules of a folder make pages and texts."""
    return [_relative(path) for path in (ROOT / folder / "templates").glob("*") if not is_stray(path.name)]


@cache
def direct_imports(file: str) -> tuple[str, ...]:
    """The project's files that a file imports directly, as paths relative to the repository."""
    names: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / file).read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    ours = (name.replace(".", "/") for name in names if name.split(".")[0] in ROOMS)
    candidates = (path for name in ours for path in (f"{name}.py", f"{name}/__init__.py"))
    return tuple(sorted(path for path in candidates if (ROOT / path).is_file()))


def _relative(file: Path) -> str:
    return file.resolve().relative_to(ROOT).as_posix()
