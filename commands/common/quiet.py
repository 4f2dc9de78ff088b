"""Keeping stack traces out of ZenML's log if one line explains the error."""

import contextlib
import logging
from collections.abc import Iterator

NOISE = ("Failed to disable MLflow autologging",)
"""Beginnings of messages that help nobody: ZenML looks for frameworks that this version of MLflow does not support."""


@contextlib.contextmanager
def without_traces_of(*kinds: type[Exception]) -> Iterator[None]:
    """Drop noise and log records that carry an exception of these kinds; the exception itself still reaches the caller.

    ZenML logs the exception of a step with its whole trace before it raises the exception. The command line explains
    these kinds in one line, so that the log is not needed.
    """

    def keep(record: logging.LogRecord) -> bool:
        carried = [record.exc_info and record.exc_info[1], *(record.args if isinstance(record.args, tuple) else ())]
        return not any(isinstance(item, kinds) for item in carried) and not record.getMessage().startswith(NOISE)

    handlers = [handler for name in (None, "zenml") for handler in logging.getLogger(name).handlers]
    for handler in handlers:
        handler.addFilter(keep)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(keep)
