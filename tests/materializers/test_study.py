"""The name of a search on disk: new whenever its trials would be, the same when only more are asked for."""

from pathlib import Path
from typing import Any

import pytest
from zenml.config.cache_policy import CachePolicy

from materializers import study
from tabular.config.stages import TargetConfig
from tabular.config.sweep import Sweep
from tests.support.contexts import step_context

SWEEP = Sweep.model_validate(
    {"metric": {"name": "wmape", "goal": "minimize"}, "parameters": {"alpha": {"min": 0.1, "max": 1.0}}}
)
TARGET = TargetConfig(column="price")


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CachePolicy:
    """One file of code."""
    monkeypatch.setattr(study, "ROOT", tmp_path)
    (tmp_path / "helper.py").write_text("VALUE = 1\n")
    return CachePolicy(file_dependencies=["helper.py"])


def _context(rows: str | None = "aa", name: str = "train_rows") -> Any:
    return step_context(**{name: rows})


def test_equal_searches_have_one_name(code: CachePolicy) -> None:
    first = study.key(_context(), code, SWEEP, TARGET, 4, 42)
    assert study.key(_context(), code, SWEEP.model_copy(), TARGET, 4, 42) == first


def test_the_name_changes_with_inputs_code_and_parameters(code: CachePolicy, tmp_path: Path) -> None:
    # given
    wider = Sweep.model_validate(
        {"metric": {"name": "wmape", "goal": "minimize"}, "parameters": {"alpha": {"min": 0.1, "max": 2.0}}}
    )
    names = [
        study.key(_context(), code, SWEEP, TARGET, 4, 42),
        study.key(_context("bb"), code, SWEEP, TARGET, 4, 42),
        study.key(_context(), code, wider, TARGET, 4, 42),
        study.key(_context(), code, SWEEP, TargetConfig(column="rent"), 4, 42),
        study.key(_context(), code, SWEEP, TARGET, 3, 42),
        study.key(_context(), code, SWEEP, TARGET, 4, 43),
        study.key(_context(None), code, SWEEP, TARGET, 4, 42),
        study.key(_context(None, "other_rows"), code, SWEEP, TARGET, 4, 42),
    ]

    # when
    (tmp_path / "helper.py").write_text("VALUE = 2\n")
    names.append(study.key(_context(), code, SWEEP, TARGET, 4, 42))

    # then
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("step", "run", "kept"), [(None, None, True), (True, False, True), (None, False, False), (False, True, False)]
)
def test_finished_trials_are_dropped_only_without_a_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: bool | None, run: bool | None, kept: bool
) -> None:
    # given
    monkeypatch.setattr(study, "TRIALS", tmp_path)
    file = tmp_path / f"{'ab' * 8}.db"
    file.write_bytes(b"trials")

    # when
    found = study.storage(step_context(step, run), "ab" * 32)

    # then
    assert found == file
    assert file.exists() == kept
