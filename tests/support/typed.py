"""The `models` commands in this process, on a registry of the test's own in place of the active stack's."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from click.testing import CliRunner, Result

from commands.common import failures, session
from commands.models import models
from registry import version_gate
from tabular.errors import UserError
from tabular.reports.training import GateDecision, Interval
from tests.support.registered import Registered


@dataclass(frozen=True)
class Typed:
    """The result of a command."""

    code: int
    output: str
    errors: str

    @property
    def document(self) -> Any:
        """The standard output, which is one JSON document."""
        return json.loads(self.output)


def use(made: Registered, patch: pytest.MonkeyPatch) -> None:
    """Use a registry instead of that of the active stack, because starting ZenML takes seconds."""
    patch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # as `run.py` does
    patch.setattr(session, "active_stack", lambda root: (made.client, lambda name: made.releases))


def type_(made: Registered, *arguments: str) -> Typed:
    """Run a command as `run.py` does, which turns some exceptions into one line and an exit code."""
    result: Result = CliRunner().invoke(models, list(arguments), obj=made.folder)
    if result.exception and not isinstance(result.exception, SystemExit):
        if (end := failures.ending(result.exception)) is None:
            raise result.exception
        return Typed(end.code, result.stdout, result.stderr + f"error: {end.line}\n")
    return Typed(result.exit_code, result.stdout, result.stderr)


def ask(made: Registered, *arguments: str) -> Any:
    """Run a command that succeeds, and return its JSON document."""
    typed = type_(made, *arguments, "--output", "json")
    assert typed.code == 0, typed.errors
    return typed.document


def decision(verdict: Any, *reasons: str) -> GateDecision:
    """A decision of the gate."""
    return GateDecision(
        decision=verdict,
        reasons=list(reasons) or [f"it is to {verdict}"],
        metric="wmape",
        challenger=19.5,
        champion=20.5,
        champion_version="1",
        compared_on="400 held-out rows",
        difference=Interval(value=1.0, low=0.5, high=1.5),
        tolerance=0.0,
        resamples=1000,
        broken_limits={},
    )


def judged(patch: pytest.MonkeyPatch, verdict: GateDecision | UserError) -> list[str]:
    """Make the gate decide so; the returned list fills with the versions that the gate is asked about."""
    asked: list[str] = []

    def judge(releases: Any, version: Any, base: Any, config: Any = None) -> GateDecision:
        asked.append(str(version.version))
        if isinstance(verdict, UserError):
            raise verdict
        return verdict

    patch.setattr(version_gate, "judge", judge)
    return asked
