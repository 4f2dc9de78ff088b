"""Long-running programs that outlive the command which starts them, and that a later command finds and stops."""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tabular.errors import UserError

HOST = "127.0.0.1"
SECONDS_TO_START = 120.0
"""MLflow takes about 8 seconds on 2 idle cores, and many times that on busy ones."""
SECONDS_TO_STOP = 10.0
SECONDS_TO_RELEASE = 1.0
"""The threads of a killed process end a little later than the process, and keep its port until then."""
LOG_LINES = 20
MARK = "STACKHOUSE_PROGRAM"
"""Environment variable by which the processes of a program are recognised, because children inherit it."""


class StartFailed(RuntimeError):
    """The program ended or did not answer in time. The message ends with the last lines of its log."""


@dataclass(frozen=True)
class DetachedProgram:
    """A program that listens on a port of this machine."""

    name: str
    folder: Path
    """An absolute path. It holds `<name>.log` and what the program stores."""
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

    def running(self) -> tuple[int, int] | None:
        """The id of the program's first process and the port that it was started on; None if it does not run."""
        for process, port in self._processes().items():
            with contextlib.suppress(ProcessLookupError):
                if os.getsid(process.pid) == process.pid:
                    return process.pid, port
        return None

    def start(self) -> None:
        """Start the program and wait until it answers.

        Raises:
            UserError: something else listens on the port.
            StartFailed: the program did not come up; none of its processes is left running.
        """
        self.clear()
        self.folder.mkdir(parents=True, exist_ok=True)
        log = self.folder / f"{self.name}.log"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
        with log.open("ab") as output:
            written_before = output.tell()
            process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env={**inherited, **self.environment, MARK: f"{self.folder / self.name}:{self.port}"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            self._wait(process)
        except BaseException as error:
            self.stop()
            if not isinstance(error, TimeoutError):
                raise
            lines = log.read_bytes()[written_before:].decode(errors="replace").splitlines()[-LOG_LINES:]
            raise StartFailed("\n".join([f"{self.name}: {error}; the end of {log}:", *lines])) from None

    def stop(self) -> bool:
        """End the program and its children. Returns whether anything was running."""
        was_running = False
        for end in (psutil.Process.terminate, psutil.Process.kill):
            deadline = time.monotonic() + SECONDS_TO_STOP
            for process in self._processes():
                was_running = True
                with contextlib.suppress(psutil.NoSuchProcess):
                    end(process)
            while self._processes() and time.monotonic() < deadline:
                time.sleep(0.05)
        return was_running

    def clear(self) -> None:
        """End the children that a killed process may have left, because they keep the port.

        Raises:
            UserError: something else listens on the port.
        """
        self.stop()
        deadline = time.monotonic() + SECONDS_TO_RELEASE
        while (obstacle := self._obstacle()) and time.monotonic() < deadline:
            time.sleep(0.05)
        if obstacle:
            raise UserError(
                f"port {self.port} cannot be used for {self.name} ({obstacle}); set {self.variable} to another one"
            )

    def _processes(self) -> dict[psutil.Process, int]:
        """The running processes of the program, each with the port that it was started on."""
        found = {}
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                path, _, port = process.environ().get(MARK, "").rpartition(":")
                if path == str(self.folder / self.name) and process.status() != psutil.STATUS_ZOMBIE:
                    found[process] = int(port)
        return found

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


def request(port: int, method: str, path: str, content: object = None) -> int:
    """Send a request to a port of this machine, past any proxy, and return the HTTP status of the response."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    with contextlib.closing(connection):
        body = None if content is None else json.dumps(content)
        connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        return connection.getresponse().status
