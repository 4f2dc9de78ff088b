"""The servers that are measured, each in a process on loopback: the service, the apps beside it, an empty service."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from frame import ROOT

CONNECTIONS = 8
START_SECONDS = 120.0
STOP_SECONDS = 20.0
EMPTY = """
import bentoml


@bentoml.service(workers=1)
class Empty:
    @bentoml.api
    def nothing(self) -> int:
        return 0
"""
WRK = """
local requests, place = {}, 0
init = function()
  for line in io.lines("%(list)s") do
    local file = io.open(line, "rb")
    local headers = {["Content-Type"] = "%(kind)s"}
    requests[#requests + 1] = wrk.format("POST", "%(path)s", headers, file:read("*a"))
    file:close()
  end
end
request = function()
  place = place %% #requests + 1
  return requests[place]
end
done = function(summary, latency)
  local errors = summary.errors
  local found = '{"requests": %%d, "microseconds": %%d, "not_2xx": %%d, "broken": %%d, "p99_ms": %%f}'
  io.write(string.format('\\nresult ' .. found .. '\\n',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout, latency:percentile(99) / 1000))
end
"""


@dataclass
class Server:
    """A server process and its port."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def url(self) -> str:
        """The address, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    def worker(self) -> psutil.Process:
        """The one process of a BentoML service that answers requests."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        alive = (child for child in children if child.status() != psutil.STATUS_ZOMBIE)
        return next(child for child in alive if any("worker.service" in word for word in child.cmdline()))


@dataclass(frozen=True)
class Load:
    """The figures that wrk reports."""

    requests: int
    seconds: float
    not_2xx: int
    broken: int
    p99_ms: float

    @property
    def rate(self) -> float:
        """Successful requests per second."""
        return (self.requests - self.not_2xx) / self.seconds


@contextmanager
def running(
    command: list[str], environment: dict[str, str], ready: str, folder: Path = ROOT, pause: float = 0.02
) -> Iterator[Server]:
    """Start a server; it answers when the block is entered, and is gone after it.

    Args:
        command: without the interpreter; `{port}` is replaced.
        environment: the variables of the process.
        ready: the path that answers 200 when the server takes requests.
        folder: where it is started.
        pause: between two looks, in seconds.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", *(word.format(port=port) for word in command)]
    log = Path(environment["BENCHMARK_LOGS"]) / f"{command[0]}-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            words, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    server = Server(process, port, log)
    try:
        until = time.monotonic() + START_SECONDS
        while status(server.url + ready) != 200:
            if process.poll() is not None or time.monotonic() > until:
                sys.exit(f"{' '.join(words)} does not come up:\n{log.read_text()[-3000:]}")
            time.sleep(pause)
        yield server
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a server to end, and kill the processes that remain."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def status(url: str) -> int | None:
    """The HTTP status of a GET request; None while nothing answers."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            code: int = answer.status
            return code
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def get(url: str) -> Any:
    """The JSON answer to a GET request."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def post(url: str, body: bytes, kind: str = "application/json") -> Any:
    """The JSON answer to a POST request."""
    request = urllib.request.Request(url, body, {"Content-Type": kind}, method="POST")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def environment(folder: Path, store: str | None, **settings: str) -> dict[str, str]:
    """The variables of a service: its log and its cache in fresh folders, nothing of this shell's own settings.

    Args:
        folder: for everything temporary.
        store: BentoML's home; None leaves what is set.
        settings: more variables.
    """
    known = {name: value for name, value in os.environ.items() if not name.startswith("STACKHOUSE_")}
    home = {"BENTOML_HOME": store} if store else {}
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    return {
        **known,
        **home,
        "BENTOML_DO_NOT_TRACK": "True",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'benchmarks'}",
        "BENCHMARK_LOGS": str(logs),
        "STACKHOUSE_CACHE": str(folder / "cache"),
        "STACKHOUSE_PREDICTION_LOG": str(folder / "log"),
        **settings,
    }


SERVICE = ["bentoml", "serve", "--host", "127.0.0.1", "--port", "{port}"]
SERVICE_READY = "/readyz"


def rival(name: str) -> list[str]:
    """The command of an app of `serving_rivals`."""
    server = ["--loop", "uvloop", "--http", "httptools", "--workers", "1", "--no-access-log", "--log-level", "warning"]
    return ["uvicorn", f"serving_rivals:{name}", "--factory", "--host", "127.0.0.1", "--port", "{port}", *server]


def empty_service(folder: Path) -> Path:
    """Make a folder with a service that does nothing, for `bentoml serve`."""
    place = folder / "empty"
    place.mkdir(exist_ok=True)
    (place / "service.py").write_text(EMPTY)
    return place


def wrk(
    url: str, path: str, bodies: list[bytes], folder: Path, seconds: float, kind: str = "application/json", **more: int
) -> Load:
    """Ask as fast as the answers come.

    Args:
        url: of the server.
        path: of the route.
        bodies: sent in turns.
        folder: for the bodies, which wrk reads.
        seconds: how long; whole ones, at least 1.
        kind: their content type.
        more: `connections`, where it is not the usual number.
    """
    program = shutil.which("wrk")
    if program is None:
        sys.exit("wrk is missing; install it: apt-get install wrk")
    place = folder / "wrk"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for number, body in enumerate(bodies):
        (place / f"{number}.body").write_bytes(body)
    names = place / "list"
    names.write_text("".join(f"{place / f'{number}.body'}\n" for number in range(len(bodies))))
    script = place / "post.lua"
    script.write_text(WRK % {"list": names, "kind": kind, "path": path})
    connections = more.get("connections", CONNECTIONS)
    command = [program, "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "10s", "-s"]
    done = subprocess.run([*command, str(script), url], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.rpartition("\nresult ")[2])
    return Load(
        found["requests"], found["microseconds"] / 1e6, found["not_2xx"], found["broken"], round(found["p99_ms"], 2)
    )
