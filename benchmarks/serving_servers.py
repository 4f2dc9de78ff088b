"""The service and the apps that it is compared with, each a process of its own on the loopback, and wrk."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from frame import ROOT

CONNECTIONS = 8
START_SECONDS = 120.0
STOP_SECONDS = 20.0
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
    """A server process on the loopback."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def url(self) -> str:
        """Address of the server, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"


@dataclass(frozen=True)
class Load:
    """The result of wrk."""

    requests: int
    seconds: float
    not_2xx: int
    """Number of answers with another status code than 2xx."""
    broken: int
    """Number of connections that failed or timed out."""
    p99_ms: float

    @property
    def rate(self) -> float:
        """Successful requests a second."""
        return (self.requests - self.not_2xx) / self.seconds


@contextmanager
def running(command: list[str], environment: dict[str, str]) -> Iterator[Server]:
    """Run a server, which is ready inside the block and has ended after it.

    Args:
        command: command without the interpreter; `{port}` is replaced.
        environment: environment variables of the process.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", *(word.format(port=port) for word in command)]
    log = Path(environment["BENCHMARK_LOGS"]) / f"{command[0]}-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            words, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    server = Server(process, port)
    try:
        until = time.monotonic() + START_SECONDS
        while not _is_ready(server):
            if process.poll() is not None or time.monotonic() > until:
                sys.exit(f"{' '.join(words)} does not start:\n{log.read_text()[-3000:]}")
            time.sleep(0.02)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _is_ready(server: Server) -> bool:
    try:
        with urllib.request.urlopen(f"{server.url}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def get(url: str) -> Any:
    """Send a GET, and decode the JSON of the answer."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def post(url: str, body: bytes) -> Any:
    """Send a JSON body, and decode the JSON of the answer."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method="POST")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def environment(folder: Path, store: str | None, **settings: str) -> dict[str, str]:
    """The environment variables of a service, whose log and cache lie in fresh folders.

    Args:
        folder: folder for everything temporary.
        store: BentoML's home; None keeps the usual one.
        settings: further variables.
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


def rival(name: str) -> list[str]:
    """The command that starts an app of `serving_rivals`."""
    server = ["--loop", "uvloop", "--http", "httptools", "--workers", "1", "--no-access-log", "--log-level", "warning"]
    return ["uvicorn", f"serving_rivals:{name}", "--factory", "--host", "127.0.0.1", "--port", "{port}", *server]


def wrk(
    url: str,
    path: str,
    bodies: list[bytes],
    folder: Path,
    seconds: float,
    kind: str = "application/json",
) -> Load:
    """Send requests as fast as they are answered.

    Args:
        url: address of the server.
        path: path of the route.
        bodies: bodies that are sent in turn.
        folder: folder for the bodies, which wrk reads.
        seconds: duration, rounded to whole seconds, at least 1.
        kind: content type of the bodies.
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
    command = [program, "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "--timeout", "10s", "-s"]
    done = subprocess.run([*command, str(script), url], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.rpartition("\nresult ")[2])
    return Load(
        found["requests"], found["microseconds"] / 1e6, found["not_2xx"], found["broken"], round(found["p99_ms"], 2)
    )
