"""A release under load, equal predictions through HTTP, and the size of the service's environment."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from frame import ROOT, Figure
from numpy.typing import NDArray
from serving_scene import Scene, columns, plain
from serving_servers import SERVICE, Server, environment, get, post, running, wrk

from tabular.bundles import manifest as release
from tabular.bundles.bundle import MANIFEST, MODEL, digest
from tabular.storage import places
from tabular.storage.persistence import from_bytes

REQUIREMENTS = ROOT / "service" / "requirements.txt"
LARGEST_ENVIRONMENT = 250
SINGLE_ROWS = 500


def hot_swap(scene: Scene) -> list[Figure]:
    """The manifest changes to a second version and back under load: failed requests, and the time of each change."""
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
    with running(SERVICE, variables) as server:
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


def answers_with(server: Server, body: bytes, version: str, change: Callable[[], None]) -> float:
    """Seconds from the start of a change until the service answers with a version; infinity after 30 seconds."""
    began = time.monotonic()
    change()
    while time.monotonic() - began < 30:
        if post(server.url + "/predict", body)["model_version"] == version:
            return time.monotonic() - began
        time.sleep(0.02)
    return float("inf")


def parity(scene: Scene) -> list[Figure]:
    """The held-out rows through HTTP and through the original pipeline: the largest relative difference."""
    place = scene.place("parity")
    pipeline: Any = from_bytes((scene.bundle_folder / MODEL).read_bytes())
    is_regression, classes = scene.bundle.task == "regression", scene.bundle.classes
    direct = np.asarray((pipeline.predict if is_regression else pipeline.predict_proba)(scene.table), np.float64)
    with running(SERVICE, environment(place, scene.store)) as server:
        batch = post(server.url + "/predict_batch", json.dumps({"columns": columns(scene.table)}).encode())
        rows = [json.dumps(row).encode() for row in plain(scene.table.head(SINGLE_ROWS))]
        single = [post(server.url + "/predict", row) for row in rows]
    if is_regression:
        together = np.array(batch["predictions"])
        one_by_one = np.array([answer["prediction"] for answer in single])
    else:
        together = np.array([batch["probabilities"][label] for label in classes]).T
        one_by_one = np.array([[answer["probabilities"][label] for label in classes] for answer in single])
    return [
        _difference("/predict_batch", together, direct),
        _difference("/predict", one_by_one, direct[: len(single)]),
    ]


def _difference(route: str, served: NDArray[np.float64], direct: NDArray[np.float64]) -> Figure:
    found = float("inf")
    if served.shape == direct.shape:
        found = float(np.max(np.abs(served - direct) / np.maximum(np.abs(direct), 1e-12)))
    what = f"{route}, {len(direct)} rows, largest relative difference"
    return Figure(what, f"{found:.1e}", "<= 1e-5", found <= 1e-5)


def size(scene: Scene) -> list[Figure]:
    """The size of the service's own environment, installed from its requirements."""
    home = scene.place("size") / "environment"
    packages, python = [sys.executable, "-m", "uv"], f"{home}/bin/python"
    for command in (
        ["venv", "--quiet", "--python", sys.executable, str(home)],
        ["pip", "install", "--quiet", "--link-mode", "copy", "--python", python, "-r", str(REQUIREMENTS)],
    ):
        done = subprocess.run([*packages, *command], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"uv {' '.join(command)} failed:\n{done.stderr}")
    installed = _megabytes(home)
    subprocess.run([python, "-m", "compileall", "-q", "-j", "0", str(home)], capture_output=True)
    return [
        Figure("installed, MB", f"{installed:.0f}", "<= 250", installed <= LARGEST_ENVIRONMENT),
        Figure("with all bytecode, MB", f"{_megabytes(home):.0f}"),
    ]


def _megabytes(folder: Path) -> float:
    """The blocks that the files of a folder occupy, each inode once, as `du` counts them."""
    found = {file.stat().st_ino: file.stat().st_blocks * 512 for file in folder.rglob("*") if not file.is_symlink()}
    return sum(found.values()) / 2**20
