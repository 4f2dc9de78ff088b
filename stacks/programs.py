"""Long-running programs that outlive the command which starts them, and that a later command finds and stops."""

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
SECONDS_TO_RELEASE = 2.0
"""The threads of a killed process end a little later than the process, and keep its port until then."""
LOG_LINES = 20
CLOCK_TOLERANCE = 2.0
"""Seconds by which the start of a process may seem to move when the machine's clock is corrected."""


class StartFailed(RuntimeError):
    """The program ended or did not answer in time. The message ends with the last lines of its log."""


@dataclass(frozen=True)
class DetachedProgram:
    """A program that listens on a port of this machine.

    Its process leads a session of its own, so that its children can be recognised and stopped with it.
    """

    name: str
    folder: Path
    """An absolute path. It holds `<name>.json` (which process runs), `<name>.log` and what the program stores."""
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

    @property
    def file(self) -> Path:
        """The note of the process: its id, the time of its start and its port."""
        return self.folder / f"{self.name}.json"

    def pid(self) -> int | None:
        """The id of the process, if it was started and still runs."""
        leader = self._leader()
        return leader if any(process.pid == leader for process in _session(leader)) else None

    def noted_port(self) -> int | None:
        """The port that the program was last started on."""
        note = self._note()
        return int(note["port"]) if note else None

    def start(self) -> None:
        """Start the program and wait until it answers.

        Raises:
            UserError: something else listens on the port.
            StartFailed: the program did not come up; none of its processes is left running.
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
            note = {"pid": process.pid, "started": psutil.Process(process.pid).create_time(), "port": self.port}
            write_atomically(self.file, json.dumps(note).encode())
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
        leader = self._leader()
        was_running = leader is not None and _end_session(leader)
        self.file.unlink(missing_ok=True)
        return was_running

    def clear(self) -> None:
        """End the children that a killed process may have left, because they keep the port.

        Raises:
            UserError: something else listens on the port.
        """
        may_linger = self.file.exists()
        self.stop()
        deadline = time.monotonic() + (SECONDS_TO_RELEASE if may_linger else 0)
        while (obstacle := self._obstacle()) and time.monotonic() < deadline:
            time.sleep(0.05)
        if obstacle:
            raise UserError(
                f"port {self.port} cannot be used for {self.name} ({obstacle}); set {self.variable} to another one"
            )

    def _obstacle(self) -> str | None:
        """Why the program could not listen on its port."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, self.port))
            except OSError as error:
                return os.strerror(error.errno or 0).lower()
        return None

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        """Wait for the first answer. Raises TimeoutError if the program ends or takes too long."""
        deadline = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if request(self.port, "GET", self.health) == 200:
                    return
            if process.poll() is not None:
                raise TimeoutError(f"it ended with exit code {process.returncode} before it answered")
            time.sleep(0.1)
        raise TimeoutError(f"it did not answer within {SECONDS_TO_START:.0f} seconds")

    def _note(self) -> dict[str, float] | None:
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
            note: dict[str, float] = json.loads(self.file.read_text())
            return note
        return None

    def _leader(self) -> int | None:
        """The noted process id, unless it belongs to another process by now.

        The system does not reuse an id as long as a session bears it. So if the noted process has ended and its id was
        reused, its children have ended too.
        """
        if (note := self._note()) is None:
            return None
        leader = int(note["pid"])
        with contextlib.suppress(psutil.NoSuchProcess):
            if abs(psutil.Process(leader).create_time() - note["started"]) >= CLOCK_TOLERANCE:
                return None
        return leader


def request(port: int, method: str, path: str, content: object = None) -> int:
    """Send a request to a port of this machine, past any proxy, and return the HTTP status of the response."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    with contextlib.closing(connection):
        body = None if content is None else json.dumps(content)
        connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        return connection.getresponse().status


def _end_session(leader: int) -> bool:
    """Send SIGTERM to all processes of a session, then SIGKILL. Returns whether there were any."""
    was_running = False
    for sent in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + SECONDS_TO_STOP
        for process in _session(leader):
            was_running = True
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(sent)
        while _session(leader) and time.monotonic() < deadline:
            time.sleep(0.05)
    return was_running


def _session(leader: int | None) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError, PermissionError):
            if os.getsid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found
