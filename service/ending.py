"""How a worker ends: in time after it was told to, and by itself when the process that started it is gone."""

import logging
import os
import signal
import threading
from collections.abc import Callable
from typing import Any, Final

logger = logging.getLogger(__name__)

ENDING_SECONDS: Final = 10.0
"""Seconds in which a worker answers the requests that have begun, after it was told to end."""
LOOK_SECONDS: Final = 1.0
"""Seconds between two looks at the parent process."""
SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class Ending:
    """Sees to it that this process ends. Slow clients and busy threads delay an orderly end, at most for some seconds.

    BentoML waits for its workers for a day, and they outlive it when it is killed.

    Args:
        finish: called before the process is ended by force.
        seconds: time for an orderly end.
    """

    def __init__(self, finish: Callable[[], None], seconds: float = ENDING_SECONDS) -> None:
        self._finish = finish
        self._seconds = seconds
        self._parent = os.getppid()
        self._told, self._stopped = threading.Event(), threading.Event()
        self._handlers: dict[signal.Signals, Any] = {}

    def start(self) -> None:
        """Begin to watch. Signals can only be watched by the main thread, in which BentoML starts a worker."""
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                self._handlers[number] = signal.signal(number, self._tell)
        threading.Thread(target=self._watch, name="stackhouse-ending", daemon=True).start()

    def stop(self) -> None:
        """Stop watching, unless the process was told to end: what follows the orderly end may still hang."""
        if not self._told.is_set():
            self._stopped.set()
            self._told.set()
            for number, handler in self._handlers.items():
                signal.signal(number, handler)

    def _tell(self, number: int, frame: Any) -> None:
        self._told.set()
        handler = self._handlers[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    def _watch(self) -> None:
        while not self._told.wait(LOOK_SECONDS):
            if os.getppid() != self._parent:
                logger.error("the process that started this worker is gone: the worker ends")
                os.kill(os.getpid(), signal.SIGTERM)
                break
        if self._stopped.wait(self._seconds):
            return
        logger.error("requests that have not ended within %g s are broken off", self._seconds)
        self._finish()
        os._exit(1)
