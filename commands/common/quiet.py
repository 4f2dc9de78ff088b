"""Keeping stack traces of what one line explains out of ZenML's log."""

import contextlib
import logging
from collections.abc import Iterator

NOISE = ("Failed to disable MLflow autologging",)
"""How messages begin that say nothing to anybody: ZenML looks for frameworks that this MLflow no longer knows."""


@contextlib.contextmanager
def without_traces_of(*kinds: type[Exception]) -> Iterator[None]:
    """Drop noise, and log records that carry an exception of these kinds; it is raised to the caller all the same.

    ZenML logs a step's exception, with its whole trace, before it raises it; what the command line explains in one line
    needs neither.
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
