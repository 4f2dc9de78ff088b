"""Which modules of the project a module imports, directly or through others."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.support.project import ROOT


def closure(modules: Iterable[str]) -> set[Path]:
    """The files of some modules and of all that they import, inside functions as well, relative to the repository."""
    found: set[Path] = set()
    waiting = list(modules)
    while waiting:
        parts = waiting.pop().split(".")
        for end in range(1, len(parts) + 1):
            file = _file(ROOT.joinpath(*parts[:end]))
            if file is not None and file.relative_to(ROOT) not in found:
                found.add(file.relative_to(ROOT))
                waiting += _imports(ast.parse(file.read_text()))
    return found


def _file(path: Path) -> Path | None:
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def _imports(tree: ast.AST) -> Iterator[str]:
    """The imported names, without those that only a type checker imports."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            continue
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)
        yield from _imports(node)


def service() -> set[Path]:
    """The files that the service needs: what it imports, and the modules of the classes in a stored model."""
    from tabular.storage.persistence import TRUSTED_TYPES

    stored = {name.rpartition(".")[0] for name in TRUSTED_TYPES if name.startswith("tabular.")}
    return closure({"service.service", *stored})
