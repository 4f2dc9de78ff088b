"""What a step's cache key covers: the code that it calls, through every import, and no config model."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from materializers import caching
from tabular.learning import evaluation, imputation
from tabular.table import sources

FILES = {
    "tabular/__init__.py": "",
    "tabular/top.py": "from tabular import middle\nimport tabular.beside\n",
    "tabular/middle.py": "import json\nfrom tabular.deep import thing\n",
    "tabular/beside.py": "",
    "tabular/deep.py": "def thing():\n    from tabular.late import other\n    return other\n",
    "tabular/late.py": "from tabular.config.values import Value\nfrom tabular.package import part\n",
    "tabular/package/__init__.py": "from tabular.package import part\n",
    "tabular/package/part.py": "from tabular import top\n",
    "tabular/config/__init__.py": "",
    "tabular/config/values.py": "from tabular import unused\n",
    "tabular/unused.py": "",
    "tabular/pages/__init__.py": "",
    "tabular/pages/card.py": "",
    "tabular/pages/templates/card.md": "# {{ name }}",
}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A small repository in place of this one."""
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.setattr(caching, "ROOT", tmp_path)
    _forget()
    yield tmp_path
    _forget()


def _forget() -> None:
    caching.imported_files.cache_clear()
    caching.direct_imports.cache_clear()


def _module(file: Path) -> ModuleType:
    module = ModuleType(file.stem)
    module.__file__ = str(file)
    return module


def test_every_import_counts_however_deep(repository: Path) -> None:
    # when
    policy = caching.depends_on(_module(repository / "tabular" / "top.py"))

    # then: imports inside functions and circles too, config models and what only they import not
    assert policy.file_dependencies == [
        "tabular/__init__.py",
        "tabular/beside.py",
        "tabular/deep.py",
        "tabular/late.py",
        "tabular/middle.py",
        "tabular/package/__init__.py",
        "tabular/package/part.py",
        "tabular/top.py",
        "requirements.txt",
    ]


def test_a_module_counts_what_it_imports_and_not_what_imports_it(repository: Path) -> None:
    policy = caching.depends_on(_module(repository / "tabular" / "beside.py"))
    assert policy.file_dependencies == ["tabular/beside.py", "requirements.txt"]


def test_the_templates_beside_a_module_count_and_no_others(repository: Path) -> None:
    policy = caching.depends_on(_module(repository / "tabular" / "pages" / "card.py"))
    assert policy.file_dependencies == [
        "tabular/pages/card.py",
        "tabular/pages/templates/card.md",
        "requirements.txt",
    ]


def test_several_modules_are_named_once_each(repository: Path) -> None:
    both = [_module(repository / "tabular" / f"{name}.py") for name in ("beside", "beside")]
    assert caching.depends_on(*both).file_dependencies == ["tabular/beside.py", "requirements.txt"]


def test_the_real_steps_depend_on_what_they_call() -> None:
    # given
    of_evaluation, of_imputation, of_sources = (
        set(caching.depends_on(module).file_dependencies or ()) for module in (evaluation, imputation, sources)
    )

    # then: directly and through others
    assert {
        "tabular/learning/evaluation.py",
        "tabular/learning/explanation.py",
        "tabular/learning/metrics.py",
    } <= of_evaluation
    assert {
        "tabular/table/sources.py",
        "tabular/table/parsing.py",
        "tabular/storage/places.py",
        "tabular/table/sample.py",
    } <= of_sources

    # then: and on nothing else
    assert not of_sources & {"tabular/learning/imputation.py", "tabular/learning/evaluation.py"}
    assert "tabular/learning/evaluation.py" not in of_imputation
    assert not any(file.startswith("tabular/config/") for file in of_evaluation | of_imputation | of_sources)
    assert all((caching.ROOT / file).is_file() for file in of_evaluation | of_imputation | of_sources)
