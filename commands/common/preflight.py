"""Checking, before any work, that the active stack can be used."""

import os
from pathlib import Path

from zenml.client import Client

from stacks import checks, files, needs
from tabular.errors import UserError


class StackUnusable(Exception):
    """A component of the active stack does not answer; the message names it and the remedy."""


def ensure_usable(root: Path) -> None:
    """Check the environment variables that the active stack needs, then those components that are not on this machine.

    Raises:
        UserError: environment variables are not set; one message names all of them.
        StackUnusable: components do not answer; one message names all of them.
    """
    stack = Client().active_stack_model
    file = files.find(root, stack.name)
    if lacking := needs.missing(stack, file, os.environ):
        raise UserError(files.explain_variables(f"a run on the stack '{stack.name}'", lacking))
    found = checks.check(stack, file, only_remote=True)
    if failing := [finding for finding in found if finding.state == "fails"]:
        causes: dict[str, list[str]] = {}
        for finding in failing:
            causes.setdefault(finding.text, []).append(finding.what)
        told = [f"{' and '.join(whats)}: {text}" for text, whats in causes.items()]
        remedy = (file and file.when_down) or f"`python run.py stacks check {stack.name}` tells when all is well"
        said = f"the stack '{stack.name}' cannot be used now:"
        if len(told) == 1:
            raise StackUnusable(f"{said} {told[0]}; {remedy}")
        raise StackUnusable("\n  ".join([said, *told]) + f"\nnext: {remedy}")
