"""The service and the apps that it is compared with, each a process of its own on the loopback, and their load."""

import asyncio
import gc
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import psutil
from frame import ROOT, Figure

if TYPE_CHECKING:
    from scene import Scene

CONNECTIONS = 8
START_SECONDS = 120.0
STOP_SECONDS = 20.0
SERVICE = "bentoml serve"
UVICORN = (
    "uvicorn --factory --app-dir benchmarks --host 127.0.0.1 --loop uvloop --http httptools --workers 1 "
    "--no-access-log --log-level warning"
)
COMMANDS = {
    SERVICE: "bentoml serve --host 127.0.0.1",
    "FastAPI + compiled": f"{UVICORN} rivals:compiled",
    "FastAPI + pandas": f"{UVICORN} rivals:original",
}
"""The command of each server without the interpreter and the port, by the name of the server."""
WRK = """
local requests, place = {}, 0
init = function()
  for number, body in ipairs({%(bodies)s}) do
    requests[number] = wrk.format("POST", nil, {["Content-Type"] = "%(kind)s"}, body)
  end
end
request = function()
  place = place %% #requests + 1
  return requests[place]
end
done = function(summary, latency)
  local errors = summary.errors
  print(string.format('result [%%d, %%f, %%d, %%f]', summary.requests - errors.status, summary.duration / 1e6,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout, latency:percentile(99) / 1000))
end
"""


@dataclass
class Server:
    """A server process on the loopback."""

    port: int
    process: int = 0
    """Id of the process that was started, which may have others that answer."""
    logged: int = 0
    """Number of lines of its prediction log, once it has ended."""

    def url(self, path: str) -> str:
        """The address of a route."""
        return f"http://127.0.0.1:{self.port}{path}"

    def post(self, path: str, body: bytes) -> Any:
        """Send a JSON body, and decode the JSON of the answer."""
        request = urllib.request.Request(self.url(path), body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def workers(self) -> list[psutil.Process]:
        """The processes that the server has started."""
        with suppress(psutil.NoSuchProcess):
            return list(psutil.Process(self.process).children(recursive=True))
        return []

    def is_ready(self) -> bool:
        """Whether it answers requests."""
        with suppress(OSError), urllib.request.urlopen(self.url("/readyz"), timeout=2) as answer:
            return bool(answer.status == 200)
        return False


class Load(NamedTuple):
    """The answers to many requests."""

    answered: int
    """Number of requests with a status code of 2xx."""
    seconds: float
    failed: int
    """Number of all other requests, and of connections that failed or timed out."""
    p99_ms: float

    @property
    def rate(self) -> float:
        """Answered requests a second."""
        return self.answered / self.seconds


@contextmanager
def running(name: str, scene: "Scene", manifest: str | None = None) -> Iterator[Server]:
    """Run a server, which is ready inside the block and has ended after it.

    Args:
        name: a key of `COMMANDS`.
        scene: the model to serve.
        manifest: the release manifest that the service follows; that of the scene by default.
    """
    with tempfile.TemporaryDirectory(prefix="stackhouse-bundle-") as cache:
        variables = {
            "BENCHMARK_BUNDLE": str(scene.folder),
            "STACKHOUSE_MANIFEST": manifest or scene.manifest,
            "STACKHOUSE_CACHE": cache,
        }
        with launched(COMMANDS[name], variables) as server:
            yield server


@contextmanager
def launched(command: str, variables: Mapping[str, str]) -> Iterator[Server]:
    """Run a module of Python that serves, with a prediction log of its own; it is ready inside the block.

    Args:
        command: the module and its options, without the port.
        variables: its environment, beside that of this process without the settings of a service.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server = Server(free.getsockname()[1])
    words = [sys.executable, "-m", *command.split(), "--port", str(server.port)]
    with tempfile.TemporaryDirectory(prefix="stackhouse-server-") as temporary:
        folder = Path(temporary)
        own = {key: value for key, value in os.environ.items() if not key.startswith("STACKHOUSE_")}
        environment = own | {"BENTOML_DO_NOT_TRACK": "True", "STACKHOUSE_PREDICTION_LOG": str(folder / "log")}
        said = folder / "said"
        with said.open("wb") as output:
            process = subprocess.Popen(
                words,
                cwd=ROOT,
                env=environment | dict(variables),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        server.process = process.pid
        try:
            until = time.monotonic() + START_SECONDS
            while not server.is_ready():
                if process.poll() is not None or time.monotonic() > until:
                    sys.exit(f"{' '.join(words)} does not start:\n{said.read_text()[-3000:]}")
                time.sleep(0.02)
            yield server
        finally:
            workers = server.workers()
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for worker in workers:  # BentoML's do not belong to the group
                with suppress(psutil.NoSuchProcess):
                    worker.kill()
            for file in (folder / "log").rglob("*.jsonl"):
                with file.open("rb") as content:
                    server.logged += sum(block.count(b"\n") for block in iter(lambda: content.read(2**20), b""))


def unlogged(server: Server, answered: int) -> Figure:
    """The number of answered rows that are missing in the prediction log of a service that has ended."""
    missing = max(0, answered - server.logged)
    return Figure("answered and not in the prediction log", f"{missing} of {answered}", "0", missing == 0)


def wrk(url: str, bodies: list[bytes], seconds: float, kind: str = "application/json") -> Load:
    """Send requests as fast as they are answered.

    Args:
        url: the address of the route.
        bodies: the bodies that are sent in turn.
        seconds: duration, rounded to whole seconds, at least 1.
        kind: content type of the bodies.
    """
    program = shutil.which("wrk")
    if program is None:
        sys.exit("wrk is missing; install it: apt-get install wrk")
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        quoted = ",".join(f"[==[{body.decode()}]==]" for body in bodies)
        script.write(WRK % {"bodies": quoted, "kind": kind})
        script.flush()
        command = [program, "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "--timeout", "10s", "-s"]
        done = subprocess.run([*command, script.name, url], capture_output=True, text=True, check=True)
    return Load(*json.loads(done.stdout.rpartition("result ")[2]))


async def paced(server: Server, bodies: list[bytes], rate: float, seconds: float) -> Load:
    """Send requests of one row at a fixed rate, whether or not they are answered (an open loop), which wrk cannot.

    The time of a request runs from the moment at which it was due to its answer.

    Args:
        server: the server.
        bodies: JSON bodies that are sent in turn.
        rate: requests a second.
        seconds: duration.
    """
    head = f"POST /predict HTTP/1.1\r\nHost: {server.port}\r\nContent-Type: application/json\r\nContent-Length: "
    requests = [f"{head}{len(body)}\r\n\r\n".encode() + body for body in bodies]
    due: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    milliseconds: list[float] = []

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        while True:
            moment, request = await due.get()
            writer.write(request)
            found = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(found.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]))
            if found.startswith(b"HTTP/1.1 200"):
                milliseconds.append((time.perf_counter() - moment) * 1000)
            due.task_done()

    gc.freeze()  # a collection of everything that this process has loaded would count as time of the server
    connections = [asyncio.create_task(connection()) for _ in range(CONNECTIONS)]
    count, began = round(rate * seconds), time.perf_counter()
    for number in range(count):
        moment = began + number / rate
        await asyncio.sleep(max(0.0, moment - time.perf_counter()))
        due.put_nowait((moment, requests[number % len(requests)]))
    with suppress(TimeoutError):
        await asyncio.wait_for(due.join(), 10)
    for task in connections:
        task.cancel()
    return Load(len(milliseconds), seconds, count - len(milliseconds), float(np.percentile(milliseconds, 99)))


def swapped(
    server: Server,
    bodies: list[bytes],
    seconds: float,
    forth: tuple[str, Callable[[], None]],
    back: tuple[str, Callable[[], None]],
) -> list[Figure]:
    """Change the release there and back under load: failed requests, and the time of each change.

    Args:
        server: a service.
        bodies: JSON bodies of one row each.
        seconds: duration of the load.
        forth: a version, and what releases it.
        back: the version that is released at first, and what releases it again.
    """

    def waited(version: str, release: Callable[[], None]) -> float:
        """Seconds from the start of the release until the service answers with the version; infinity after 30."""
        began = time.monotonic()
        release()
        while time.monotonic() - began < 30:
            if server.post("/predict", bodies[0])["model_version"] == version:
                return time.monotonic() - began
            time.sleep(0.02)
        return float("inf")

    url = server.url("/predict")
    wrk(url, bodies, 1)
    with ThreadPoolExecutor(1) as threads:
        load = threads.submit(wrk, url, bodies, seconds)
        time.sleep(seconds / 4)
        there = waited(*forth)
        time.sleep(max(0.0, seconds / 3 - there))
        again = waited(*back)
        found = load.result()
    what = "until the other version answers, there and back, s"
    return [
        Figure(f"failed of {found.answered + found.failed:,} requests", str(found.failed), "0", found.failed == 0),
        Figure(what, f"{there:.2f}, {again:.2f}", "<= 5", max(there, again) <= 5),
        Figure("p99 meanwhile, ms", f"{found.p99_ms:.1f}"),
    ]
