"""Ending in one line, and within seconds, when somebody types Ctrl-C or another program asks this one to end."""

import os
import select
import signal
import sys
import threading
from types import FrameType
from typing import NoReturn

SECONDS = 3.0
"""Longest time that a command may take to put its things away; then it is ended as it is."""
ENDING = {signal.SIGINT: "interrupted", signal.SIGTERM: "ended by another program"}

_received: list[signal.Signals] = []
_said: list[signal.Signals] = []


def install() -> None:
    """From now on, SIGINT and SIGTERM raise KeyboardInterrupt in the main thread, which ends in `end`.

    A thread waits beside it: C code may keep the main thread busy for minutes, and a library may swallow the exception.
    """
    pipe, signalled = os.pipe()
    os.set_blocking(signalled, False)
    signal.set_wakeup_fd(signalled, warn_on_full_buffer=False)
    for number in ENDING:
        signal.signal(number, _interrupt)
    threading.Thread(target=_watch, args=(pipe,), name="interruption", daemon=True).start()


def received() -> bool:
    """Whether a signal to end has arrived, so that whatever fails now fails because of it."""
    return bool(_received)


def end() -> NoReturn:
    """Say in one line that the command was interrupted, and end it with 130 for SIGINT or 143 for SIGTERM.

    Python is not taken down in order: for that it may wait for other threads, and for many seconds on libraries.
    """
    sys.stdout.flush()
    os._exit(_say(_received[0]))


def _say(number: signal.Signals) -> int:
    if not _said:
        _said.append(number)
        os.write(2, f"{ENDING[number]}; type the same command to go on: what is finished is kept\n".encode())
    return 128 + number


def _interrupt(number: int, _: FrameType | None) -> None:
    if not _received:
        _received.append(signal.Signals(number))
        # What is raised in a callback or in another thread meanwhile is printed by these, and helps nobody.
        sys.unraisablehook = _say_nothing
        threading.excepthook = _say_nothing
    raise KeyboardInterrupt


def _say_nothing(_: object) -> None:
    """The hook of an exception that is not printed."""


def _watch(pipe: int) -> None:
    number = 0
    while number not in ENDING:
        [number] = os.read(pipe, 1)
    # A second Ctrl-C is another byte, and ends the waiting.
    select.select([pipe], [], [], SECONDS)
    os._exit(_say(signal.Signals(number)))
