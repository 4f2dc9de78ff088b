"""The file that keeps the finished trials of a search, and the name that says what they depend on."""

import contextlib
import hashlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from zenml.config.cache_policy import CachePolicy
from zenml.steps import StepContext

from tabular.storage.locks import one_at_a_time
from tabular.storage.repository import ROOT

logger = logging.getLogger(__name__)

TRIALS = ROOT / ".cache" / "search"
"""The folder of all searches."""


def key(context: StepContext, code: CachePolicy, *parameters: BaseModel | int | str) -> str:
    """A name that changes with everything the trials depend on, except with how many are asked for.

    A search therefore goes on after a kill and continues when more trials are asked for, and it never mixes in trials
    of other rows, features, code or parameters.

    Args:
        context: the running step's context, which holds the content hashes of its inputs.
        parameters: the step's parameters without the number of trials.
    """
    known: dict[str, Any] = {
        "inputs": {
            name: [str(item.content_hash or item.id) for item in items] for name, items in context.inputs.items()
        },
        "code": {file: hashlib.sha256((ROOT / file).read_bytes()).hexdigest() for file in code.file_dependencies or ()},
        "parameters": [p.model_dump(mode="json") if isinstance(p, BaseModel) else p for p in parameters],
    }
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


@contextlib.contextmanager
def reserved(study: str) -> Iterator[None]:
    """Search in one process of this clone at a time; the next one finds the trials finished."""

    def waiting() -> None:
        logger.warning("another run searches with the same inputs; this one waits and takes over its trials")

    with one_at_a_time(TRIALS / f"{study[:16]}.lock", waiting):
        yield


def storage(context: StepContext, study: str, suffix: str = ".db") -> Path:
    """The file of a study's finished trials; it is deleted first if the run must not reuse earlier results."""
    file = TRIALS / f"{study[:16]}{suffix}"
    wanted = context.step_run.config.enable_cache
    if wanted is None:
        wanted = context.pipeline_run.config.enable_cache
    if wanted is False:
        file.unlink(missing_ok=True)
    return file
