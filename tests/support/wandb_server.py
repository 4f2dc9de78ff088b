"""A stand-in for the W&B API on loopback, for tests without a network; it is not W&B.

It answers only what `wandb.sweep`, `wandb.agent` and a run ask for, with the shapes that the client needs. It has no
Bayesian method and no hyperband: it draws points at random from a fixed seed, and stops the trials that it is told
to. Whether W&B itself takes what the client sends, it cannot tell.
"""

import base64
import gzip
import json
import random
import re
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import yaml

ENTITY, PROJECT = "someone", "houses"


@dataclass
class Run:
    """Everything that a run has sent."""

    name: str
    sweep: str
    drawn: dict[str, Any]
    """The parameters that the agent was told to try."""
    config: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    """Rows of the history, without the client's own keys."""
    summary: dict[str, Any] = field(default_factory=dict)
    exit_code: int | None = None
    """Exit code of the run; None while it runs."""
    told_to_stop: bool = False


class WandbServer(ThreadingHTTPServer):
    """Serves from a thread, inside a `with`.

    Args:
        key: the API key that is accepted.
    """

    daemon_threads = True

    def __init__(self, key: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.authorization = "Basic " + base64.b64encode(f"api:{key}".encode()).decode()
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.sweeps: dict[str, dict[str, Any]] = {}
        """Sweep configs as they were received, by sweep id."""
        self.runs: list[Run] = []
        """Runs in the order in which they were handed out."""
        self.stopping: set[int] = set()
        """Numbers of the runs that are told to stop after their first row of history."""
        self.last = 1_000_000
        """Number of runs after which the sweep ends."""
        self.paused = False
        """Whether no runs are handed out."""
        self.silent = False
        """Whether requests are accepted and never answered."""
        self._agents: dict[str, str] = {}
        self._random = random.Random(7)
        self._lock = threading.Lock()
        self._closing = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._closing.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: the client's process ends with open connections, which is expected."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def wait_silently(self) -> None:
        """Hold a request until the server closes."""
        self._closing.wait()

    def query(self, text: str, variables: dict[str, Any]) -> dict[str, Any]:
        """The answer to a GraphQL operation; raises LookupError for an object that does not exist."""
        name = re.findall(r"(?:query|mutation)\s+(\w+)", text)[0]
        operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "Viewer": self._viewer,
            "ServerFeaturesQuery": lambda _: {"serverInfo": {"features": []}},
            "OrganizationCoreWeaveOrganizationID": lambda _: {"entity": None},
            "UpsertSweep": self._upsert_sweep,
            "CreateAgent": self._create_agent,
            "Heartbeat": self._heartbeat,
            "UpsertBucket": self._upsert_bucket,
            "CreateRunFiles": self._create_files,
        }
        with self._lock:
            if name not in operations:
                raise LookupError(f"the stand-in does not know {name}")
            return operations[name](variables)

    def stream(self, run: str, sent: dict[str, Any]) -> None:
        """Keep what a run streams: rows of its history, its summary, and that it has ended."""
        with self._lock:
            found = self._run(run)
            for file, chunk in sent.get("files", {}).items():
                rows = [json.loads(line) for line in chunk["content"]] if file.endswith((".json", ".jsonl")) else []
                if file == "wandb-history.jsonl":
                    found.history += [_own(row) for row in rows]
                elif file == "wandb-summary.json":
                    found.summary = _own(rows[-1])
            if sent.get("complete"):
                found.exit_code = sent["exitcode"]

    def _run(self, name: str) -> Run:
        return next(run for run in self.runs if run.name == name)

    def _viewer(self, _: dict[str, Any]) -> dict[str, Any]:
        teams = {"edges": [{"node": {"name": ENTITY}}]}
        return {"viewer": {"id": "1", "entity": ENTITY, "username": ENTITY, "flags": "{}", "teams": teams}}

    def _upsert_sweep(self, given: dict[str, Any]) -> dict[str, Any]:
        name = f"sweep{len(self.sweeps)}"
        self.sweeps[name] = yaml.safe_load(given["config"])
        return {"upsertSweep": {"sweep": {"name": name, "project": _project(given)}, "configValidationWarnings": []}}

    def _create_agent(self, given: dict[str, Any]) -> dict[str, Any]:
        if given["sweep"] not in self.sweeps:
            raise LookupError("sweep not found")
        name = f"agent{len(self._agents)}"
        self._agents[name] = given["sweep"]
        return {"createAgent": {"agent": {"id": name}}}

    def _heartbeat(self, given: dict[str, Any]) -> dict[str, Any]:
        sweep = self._agents[given["id"]]
        running = list(json.loads(given["runState"]))
        commands: list[dict[str, Any]] = []
        if running:
            run = self._run(running[0])
            if self.runs.index(run) in self.stopping and run.history and not run.told_to_stop:
                run.told_to_stop = True
                commands = [{"type": "stop", "run_id": run.name}]
        elif len(self.runs) >= self.last:
            commands = [{"type": "exit"}]
        elif not self.paused:
            drawn = {key: self._draw(p) for key, p in self.sweeps[sweep]["parameters"].items()}
            self.runs.append(Run(f"run{len(self.runs)}", sweep, drawn))
            arguments = {key: {"value": value} for key, value in drawn.items()}
            commands = [{"type": "run", "run_id": self.runs[-1].name, "args": arguments}]
        return {"agentHeartbeat": {"agent": {"id": given["id"]}, "commands": json.dumps(commands)}}

    def _draw(self, parameter: dict[str, Any]) -> Any:
        if "values" in parameter:
            return self._random.choice(parameter["values"])
        if "min" not in parameter:
            return parameter["value"]
        if parameter["distribution"] == "int_uniform":
            return self._random.randint(parameter["min"], parameter["max"])
        drawn = self._random.uniform(parameter["min"], parameter["max"])
        step = parameter.get("q")
        # W&B's numbers of a stepped range are floats, whole or not.
        return float(round(drawn / step) * step) if step else drawn

    def _upsert_bucket(self, given: dict[str, Any]) -> dict[str, Any]:
        run = self._run(given["name"])
        if given.get("config"):
            run.config = {k: v["value"] for k, v in json.loads(given["config"]).items() if k != "_wandb"}
        bucket = {
            "id": run.name,
            "name": run.name,
            "displayName": run.name,
            "config": "{}",
            "sweepName": run.sweep,
            "project": _project(given),
            "historyLineCount": 0,
        }
        return {"upsertBucket": {"bucket": bucket, "inserted": True}}

    def _create_files(self, given: dict[str, Any]) -> dict[str, Any]:
        files = [{"name": file, "uploadUrl": f"{self.url}/upload/{file}"} for file in given["files"]]
        return {"createRunFiles": {"runID": given["run"], "uploadHeaders": [], "files": files}}


class _Handler(BaseHTTPRequestHandler):
    server: WandbServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self._body()
        if self.server.silent:
            self.server.wait_silently()
        elif self.headers.get("Authorization") != self.server.authorization:
            self._answer(401, {"errors": [{"message": "user is not logged in"}]})
        elif self.path == "/graphql":
            asked = json.loads(body)
            try:
                self._answer(200, {"data": self.server.query(asked["query"], asked.get("variables") or {})})
            except LookupError as error:
                self._answer(200, {"errors": [{"message": str(error)}]})
        else:
            self.server.stream(self.path.split("/")[4], json.loads(body))
            self._answer(200, {})

    def do_PUT(self) -> None:
        self._body()
        self._answer(200, {})

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def _body(self) -> bytes:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _project(given: dict[str, Any]) -> dict[str, Any]:
    entity = given.get("entityName") or given.get("entity") or ENTITY
    project = given.get("projectName") or given.get("project") or PROJECT
    return {"id": "1", "name": project, "entity": {"id": "1", "name": entity}}


def _own(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if not key.startswith("_")}
