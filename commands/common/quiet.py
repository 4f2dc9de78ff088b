"""Keeping stack traces out of ZenML's log if one line explains the error."""

import contextlib
import logging
from collections.abc import Iterator

from commands.common import interruption
from commands.common.failures import is_expected

NOISE = ("Failed to disable MLflow autologging", "Received signal")
"""Beginnings of messages that help nobody: ZenML looks for frameworks that this version of MLflow does not support."""


@contextlib.contextmanager
def without_explained_traces() -> Iterator[None]:
    """Drop noise and log records that carry an exception which ends the command in one line.

    ZenML logs the exception of a step with its whole trace before it raises the exception, which still reaches the
    caller. After an interruption everything is dropped: what fails then fails because of it.
    """

    def keep(record: logging.LogRecord) -> bool:
        carried = [record.exc_info and record.exc_info[1], *(record.args if isinstance(record.args, tuple) else ())]
        is_noise = interruption.received() or record.getMessage().startswith(NOISE)
        return not is_noise and not any(is_expected(item) for item in carried)

    handlers = [handler for name in (None, "zenml") for handler in logging.getLogger(name).handlers]
    for handler in handlers:
        handler.addFilter(keep)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(keep)
