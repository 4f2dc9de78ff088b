"""Long-running programs: started detached from whoever asks for them, found again, and stopped with their children."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tabular.errors import UserError
from tabular.storage.atomic import write_atomically

HOST = "127.0.0.1"
SECONDS_TO_START = 120.0
"""MLflow takes about 8 seconds on 2 idle cores, and many times that on busy ones."""
SECONDS_TO_STOP = 10.0
SECONDS_TO_LET_GO = 2.0
"""The threads of a process that was killed end after it, and keep its port until then."""
LOG_LINES = 20
CLOCK_TOLERANCE = 2.0
"""Seconds by which the start of a process may seem to move when the machine's clock is corrected."""


class StartFailed(RuntimeError):
    """A program ended, or did not answer in time. The message ends with the last lines of its log."""


@dataclass(frozen=True)
class Program:
    """A program that listens on a port: a process that leads a session of its own, so that its children can be told."""

    name: str
    folder: Path
    """An absolute path; holds `<name>.json` (which process it is), `<name>.log` and what the program stores."""
    port: int
    variable: str
    """The environment variable that changes the port."""
    command: tuple[str, ...]
    health: str
    """A path that answers 200 as soon as the program is ready."""
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def pid(self) -> int | None:
        """The process that was started and still runs, if there is one."""
        return running(self.file)

    def start(self) -> None:
        """Start the program and wait until it answers.

        Raises:
            UserError: something else listens on the port.
            StartFailed: it did not come up; nothing of it is left running.
        """
        self.clear()
        self.folder.mkdir(parents=True, exist_ok=True)
        log = self.folder / f"{self.name}.log"
        with log.open("ab") as output:
            written_before = output.tell()
            process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env={name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
                | dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            self._note(process.pid)
            self._wait(process)
        except BaseException as error:
            _end_session(process.pid)
            self.file.unlink(missing_ok=True)
            if not isinstance(error, TimeoutError):
                raise
            lines = log.read_bytes()[written_before:].decode(errors="replace").splitlines()[-LOG_LINES:]
            raise StartFailed("\n".join([f"{self.name}: {error}; the end of {log}:", *lines])) from None

    def stop(self) -> bool:
        """End the program and its children. Returns whether anything was running."""
        return stop(self.file)

    def clear(self) -> None:
        """End the children of a process that was killed, which keep the port.

        Raises:
            UserError: something else listens on the port.
        """
        may_linger = self.file.exists()
        self.stop()
        deadline = time.monotonic() + (SECONDS_TO_LET_GO if may_linger else 0)
        while (reason := self._obstacle()) and time.monotonic() < deadline:
            time.sleep(0.05)
        if reason:
            raise UserError(
                f"port {self.port} cannot be used for {self.name} ({reason}); set {self.variable} to another one"
            )

    def _obstacle(self) -> str | None:
        """Why the port cannot be listened on."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, self.port))
            except OSError as error:
                return os.strerror(error.errno or 0).lower()
        return None

    @property
    def file(self) -> Path:
        """Which process it is, by number, time of start and port."""
        return self.folder / f"{self.name}.json"

    def _note(self, pid: int) -> None:
        note = {"pid": pid, "started": psutil.Process(pid).create_time(), "port": self.port}
        write_atomically(self.file, json.dumps(note).encode())

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        """Wait for the first answer. Raises TimeoutError when there will be none."""
        deadline = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if request(self.port, "GET", self.health) == 200:
                    return
            if process.poll() is not None:
                raise TimeoutError(f"it ended with exit code {process.returncode} before it answered")
            time.sleep(0.1)
        raise TimeoutError(f"it did not answer within {SECONDS_TO_START:.0f} seconds")


def noted_in(file: Path) -> dict[str, float] | None:
    """What was noted when the program was started; None when it never was."""
    with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
        noted: dict[str, float] = json.loads(file.read_text())
        return noted
    return None


def running(file: Path) -> int | None:
    """The process that a file notes, if it still runs."""
    noted = noted_in(file)
    if noted is None:
        return None
    with contextlib.suppress(psutil.NoSuchProcess):
        pid = int(noted["pid"])
        if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE and not _is_another(noted):
            return pid
    return None


def stop(file: Path) -> bool:
    """End the process that a file notes, with its children. Returns whether any was there."""
    noted = noted_in(file)
    was_there = noted is not None and not _is_another(noted) and _end_session(int(noted["pid"]))
    file.unlink(missing_ok=True)
    return was_there


def _is_another(noted: dict[str, float]) -> bool:
    """Whether the number now belongs to a process that is not ours.

    A number is not given away while a session bears it: then nothing of ours is left, children included.
    """
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(abs(psutil.Process(int(noted["pid"])).create_time() - noted["started"]) >= CLOCK_TOLERANCE)
    return False


def _end_session(leader: int) -> bool:
    """SIGTERM to all processes of a session, then SIGKILL. Returns whether there were any."""
    was_there = False
    for sent in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + SECONDS_TO_STOP
        for process in _session(leader):
            was_there = True
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(sent)
        while _session(leader) and time.monotonic() < deadline:
            time.sleep(0.05)
    return was_there


def _session(leader: int) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError, PermissionError):
            if os.getsid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def request(port: int, method: str, path: str, content: object = None) -> int:
    """The status of an answer on loopback, past any proxy of the environment."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    with contextlib.closing(connection):
        body = None if content is None else json.dumps(content)
        connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        return connection.getresponse().status
