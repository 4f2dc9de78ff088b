"""Robustness of the service: a swap and a kill under load, hostile requests, equal predictions, its size."""

import json
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from frame import ROOT, Figure, spread
from numpy.typing import NDArray
from serving_client import Remembering
from serving_scene import Scene, columns, plain
from serving_servers import SERVICE, SERVICE_READY, Server, environment, get, post, running, wrk

from tabular.bundles import manifest as release
from tabular.bundles.bundle import MANIFEST, MODEL, digest
from tabular.prediction_log.reading import LogReader
from tabular.storage import places
from tabular.storage.persistence import from_bytes

CASES = 2000
SCHEMATHESIS = "schemathesis==4.32.5"
SHORT_LIST = ROOT / "service" / "requirements.txt"
LARGEST_ENVIRONMENT = 250
SINGLE_ROWS = 500
FLUSHED_SECONDS = 3.0
KILLS = 3
RECOVERY_SECONDS = 60.0


def hot_swap(scene: Scene) -> list[Figure]:
    """The manifest changes to a second version and back while wrk asks; what fails, and how long each change takes."""
    place = scene.place("hot_swap")
    versions = {}
    for version in (scene.bundle.version, f"{scene.bundle.version}-again"):
        folder = Path(shutil.copytree(scene.bundle_folder, place / f"bundle-{version}"))
        content = json.loads((folder / MANIFEST).read_bytes()) | {"version": version}
        (folder / MANIFEST).write_text(json.dumps(content))
        versions[version] = release.Release(
            version=version, bundle=str(folder), sha256=digest((folder / MANIFEST).read_bytes())
        )
    manifest = str(place / "manifest.json")

    def change(revision: int, version: str) -> None:
        changed = release.ManifestChange(
            at=datetime.now(UTC).isoformat(), by="benchmarks/serving.py", why="a swap under load"
        )
        wanted = release.Manifest(
            revision=revision, name=scene.bundle.name, champion=versions[version], changed=changed
        )
        places.write(manifest, wanted.model_dump_json().encode())

    first, second = versions
    change(1, first)
    seconds = max(6.0, 3 * scene.seconds)
    variables = environment(place, scene.store, STACKHOUSE_MANIFEST=manifest)
    bodies = scene.rows()
    with running(SERVICE, variables, SERVICE_READY) as server:
        wrk(server.url, "/predict", bodies, place, 1)
        with ThreadPoolExecutor(1) as threads:
            load = threads.submit(wrk, server.url, "/predict", bodies, place, seconds)
            time.sleep(seconds / 4)
            forth = answers_with(server, bodies[0], second, lambda: change(2, second))
            time.sleep(max(0.0, seconds / 3 - forth))
            back = answers_with(server, bodies[0], first, lambda: change(3, first))
            found = load.result()
        warnings = get(server.url + "/health")["warnings"]
    failed, worst = found.not_2xx + found.broken, max(forth, back)
    return [
        Figure(f"requests in {found.seconds:.0f} s", str(found.requests)),
        Figure("failed of them", str(failed), "0", failed == 0),
        Figure("until the new version answers, there and back, s", f"{forth:.2f}, {back:.2f}", "<= 5", worst <= 5),
        Figure("p99 meanwhile, ms", f"{found.p99_ms:.1f}"),
        Figure("warnings afterwards", "; ".join(warnings) or "none"),
    ]


def answers_with(server: Server, body: bytes, version: str, change: Any) -> float:
    """Seconds from the beginning of a change until the service answers with a version; infinite after 30."""
    began = time.monotonic()
    change()
    while time.monotonic() - began < 30:
        if post(server.url + "/predict", body)["model_version"] == version:
            return time.monotonic() - began
        time.sleep(0.02)
    return float("inf")


def hostile(scene: Scene) -> list[Figure]:
    """Schemathesis over the OpenAPI document, with new seeds until there were 2,000 cases."""
    place = scene.place("hostile")
    wanted = CASES if scene.seconds >= 5 else CASES // 10
    cases = seed = reported = 0
    with running(SERVICE, environment(place, scene.store), SERVICE_READY) as server:
        while cases < wanted and seed < 20:
            seed += 1
            said = _schemathesis(server, place, seed, wanted // 8)
            generated = re.search(r"(\d[\d,]*) generated", said)
            if generated is None:
                sys.exit(f"schemathesis says nothing of its cases:\n{said[-3000:]}")
            cases += int(generated[1].replace(",", ""))
            found = len(re.findall(r"^- Server error", said, re.MULTILINE))
            reported += found
            if found:
                print(said, file=sys.stderr)
        by_status = _by_status(server)
        alive = post(server.url + "/predict", scene.rows()[0])["model_version"] == scene.bundle.version
        log = server.log.read_text()
    errors = sum(count for status, count in by_status.items() if status.startswith("5"))
    traces = log.count("Traceback (most recent call last)")
    return [
        Figure("cases", str(cases), f">= {wanted}", cases >= wanted),
        Figure("answers by status", ", ".join(f"{status}: {count}" for status, count in sorted(by_status.items()))),
        Figure("answers with 5xx", str(errors), "0", errors == 0),
        Figure("5xx that schemathesis reports", str(reported), "0", reported == 0),
        Figure("stack traces in the service's log", str(traces), "0", traces == 0),
        Figure("predicts afterwards", "yes" if alive else "no", "yes", alive),
    ]


def _by_status(server: Server) -> dict[str, int]:
    """A counter of the service's own metrics."""
    with urllib.request.urlopen(server.url + "/metrics", timeout=10) as answer:
        metrics = answer.read().decode()
    found: dict[str, int] = {}
    for status, count in re.findall(r'^stackhouse_requests_total\{.*status="(\d+)".*\} (\S+)$', metrics, re.MULTILINE):
        found[status] = found.get(status, 0) + int(float(count))
    return found


def _schemathesis(server: Server, place: Path, seed: int, examples: int) -> str:
    """Run it once, and return its output."""
    beside = Path(sys.executable).with_name("schemathesis")
    program = str(beside) if beside.exists() else shutil.which("schemathesis")
    start = (
        [program] if program else [sys.executable, "-m", "uv", "tool", "run", "--from", SCHEMATHESIS, "schemathesis"]
    )
    options = ["--checks", "not_a_server_error", "--continue-on-failure", "--warnings", "off", "--no-color"]
    command = [*start, "run", server.url + "/openapi.json", *options, "--seed", str(seed), "-n", str(examples)]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=1800)
    return done.stdout + done.stderr


def killed_worker(scene: Scene) -> list[Figure]:
    """SIGKILL of the worker under load, some times: seconds until it answers again, and what the log has lost."""
    place = scene.place("killed_worker")
    variables = environment(place, scene.store)
    kills: list[float] = []
    away: list[float] = []
    with running(SERVICE, variables, SERVICE_READY) as server:
        with Remembering(server.port, scene.rows()) as client:
            for number in range(min(KILLS, scene.rounds)):
                # The log is written twice a second: kills at other moments of that half.
                time.sleep(max(2.0, scene.seconds) + number * 0.17)
                worker = server.worker()
                kills.append(time.monotonic())
                worker.kill()
                away.append(_seconds_away(client, kills[-1]))
            time.sleep(max(1.0, scene.seconds / 3))
        time.sleep(FLUSHED_SECONDS)
    log, now = LogReader(variables["STACKHOUSE_PREDICTION_LOG"]), datetime.now(UTC)
    logged = [record.request_id for some in log.predictions((now - timedelta(days=1), now)) for record in some]
    known = set(logged)
    lost = [answer.at for answer in client.answers if answer.request_id not in known]
    # An answer that the worker gave may be read a moment after the kill.
    spans = [min((kill - at for kill in kills if at <= kill + 0.1), key=abs, default=float("inf")) for at in lost]
    return [
        Figure("answers, kills", f"{len(client.answers)}, {len(kills)}"),
        Figure("until it answers again, seconds", spread(away), "recovers", max(away) < RECOVERY_SECONDS),
        Figure("answered and not in the log", str(len(lost))),
        Figure("the oldest, s before its kill", f"{max(spans, default=0):.2f}", "<= 1", max(spans, default=0) <= 1),
        Figure("twice in the log", str(len(logged) - len(known)), "0", len(logged) == len(known)),
        Figure("torn lines", str(log.unreadable)),
        Figure("connections that failed", str(len(client.broken))),
        Figure("answers that were no 200", str(len(client.refused)), "0", not client.refused),
    ]


def _seconds_away(client: Remembering, since: float) -> float:
    """Seconds from a kill to the first answer of the next worker; infinity where there is none."""
    while time.monotonic() < since + RECOVERY_SECONDS:
        after = [answer.at for answer in client.answers.copy() if answer.at > since + 0.1]
        if after:
            return min(after) - since
        time.sleep(0.02)
    return float("inf")


def skew(scene: Scene) -> list[Figure]:
    """The held-out rows through HTTP and through the training pipeline: the largest relative difference."""
    place = scene.place("skew")
    pipeline: Any = from_bytes((scene.bundle_folder / MODEL).read_bytes())
    is_regression = scene.bundle.task == "regression"
    direct = np.asarray((pipeline.predict if is_regression else pipeline.predict_proba)(scene.table), np.float64)
    with running(SERVICE, environment(place, scene.store), SERVICE_READY) as server:
        batch = post(server.url + "/predict_batch", json.dumps({"columns": columns(scene.table)}).encode())
        rows = [json.dumps(row).encode() for row in plain(scene.table.head(SINGLE_ROWS))]
        single = [post(server.url + "/predict", row) for row in rows]
    if is_regression:
        together = np.array(batch["predictions"])
        one_by_one = np.array([answer["prediction"] for answer in single])
    else:
        together = np.array([batch["probabilities"][label] for label in scene.bundle.classes]).T
        one_by_one = np.array([[answer["probabilities"][label] for label in scene.bundle.classes] for answer in single])
    of_batch, of_rows = _difference(together, direct), _difference(one_by_one, direct[: len(single)])
    return [
        Figure(
            f"/predict_batch, {len(direct)} rows, largest relative difference",
            f"{of_batch:.1e}",
            "<= 1e-5",
            of_batch <= 1e-5,
        ),
        Figure(
            f"/predict, {len(single)} rows, largest relative difference", f"{of_rows:.1e}", "<= 1e-5", of_rows <= 1e-5
        ),
    ]


def _difference(served: NDArray[np.float64], direct: NDArray[np.float64]) -> float:
    if served.shape != direct.shape:
        return float("inf")
    return float(np.max(np.abs(served - direct) / np.maximum(np.abs(direct), 1e-12)))


def size(scene: Scene) -> list[Figure]:
    """The service's own environment, installed afresh from its short list."""
    home = scene.place("size") / "environment"
    packages = [sys.executable, "-m", "uv"]
    for command in (
        ["venv", "--quiet", "--python", sys.executable, str(home)],
        ["pip", "install", "--quiet", "--link-mode", "copy", "--python", f"{home}/bin/python", "-r", str(SHORT_LIST)],
    ):
        done = subprocess.run([*packages, *command], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"uv {' '.join(command)} failed:\n{done.stderr}")
    installed = _megabytes(home)
    subprocess.run([f"{home}/bin/python", "-m", "compileall", "-q", "-j", "0", str(home)], capture_output=True)
    compiled = _megabytes(home)
    return [
        Figure("installed, MB", f"{installed:.0f}", "<= 250", installed <= LARGEST_ENVIRONMENT),
        Figure("with all bytecode, MB", f"{compiled:.0f}"),
    ]


def _megabytes(folder: Path) -> float:
    """Bytes of the blocks that files take, each inode once, as `du` counts them."""
    found = {file.stat().st_ino: file.stat().st_blocks * 512 for file in folder.rglob("*") if not file.is_symlink()}
    return sum(found.values()) / 2**20
