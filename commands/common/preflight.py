"""Checking, before any work, that the active stack can be used."""

import os
from pathlib import Path

from zenml.client import Client
from zenml.enums import StackComponentType

from commands.common import databases
from commands.common.failures import Failed
from stacks import checks, files, needs
from tabular.errors import UserError


def ensure_usable(root: Path) -> None:
    """Check the variables that the active stack needs, its database here, and its components on other machines.

    Raises:
        UserError: environment variables are not set; one message names all of them.
        Failed: components do not answer or are damaged; one message names all of them.
    """
    stack = Client().active_stack_model
    file = files.find(root, stack.name)
    if lacking := needs.missing(stack, file, os.environ):
        raise UserError(files.explain_variables(f"a run on the stack '{stack.name}'", lacking))
    [store] = stack.components[StackComponentType.ARTIFACT_STORE]
    for database in databases.mlflow(str(store.id)):
        if said := databases.fault(database):
            raise Failed(said)
    found = checks.check(stack, file, only_remote=True)
    if failing := [finding for finding in found if finding.state == "fails"]:
        causes: dict[str, list[str]] = {}
        for finding in failing:
            causes.setdefault(finding.text, []).append(finding.what)
        told = [f"{' and '.join(whats)}: {text}" for text, whats in causes.items()]
        remedy = (file and file.when_down) or f"`python run.py stacks check {stack.name}` tells when all is well"
        said = f"the stack '{stack.name}' cannot be used now:"
        if len(told) == 1:
            raise Failed(f"{said} {told[0]}; {remedy}")
        raise Failed("\n  ".join([said, *told]) + f"\nnext: {remedy}")
