"""The service in figures: speed, a release under load, equal predictions, and the size of its environment.

    python benchmarks/serving.py --data CSV [--seconds 10] [--rounds 5] [--only one_row hot_swap]

The model is the champion of configs/train.yaml, and its held-out rows are sent. The service runs on the loopback with
one worker, with validation, metrics and the prediction log. What is compared takes turns, so that ratios within one
run count. It needs wrk.
"""

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path

import frame
import numpy as np
from frame import ROOT, Figure, spread
from scene import Scene, plain, scene_of, scene_parser
from servers import COMMANDS, SERVICE, Load, paced, running, swapped, unlogged, wrk

from tabular.bundles.bundle import MANIFEST, digest
from tabular.bundles.making.compiling import raw_columns
from tabular.bundles.making.parity import latencies
from tabular.bundles.manifest import Manifest, ManifestChange, Release
from tabular.storage import places

BATCH = 1000
WARM_SECONDS = 1.0
ONE_ROW_BODIES = 200
SINGLE_ROWS = 500
LARGEST_ENVIRONMENT = 250


def one_row(scene: Scene, given: argparse.Namespace) -> list[Figure]:
    """Requests a second beside two FastAPI apps, measured in turns, and the latency at half of the service's peak."""
    bodies = scene.bodies(ONE_ROW_BODIES)
    loads: dict[str, list[Load]] = {name: [] for name in COMMANDS}
    with ExitStack() as stack:
        servers = {name: stack.enter_context(running(name, scene)) for name in COMMANDS}
        for turn in range(given.rounds + 1):  # the first turn warms up
            for name, server in servers.items():
                loads[name].append(wrk(server.url("/predict"), bodies, given.seconds if turn else WARM_SECONDS))
        half = float(np.median([load.rate for load in loads[SERVICE][1:]])) / 2
        calm = [asyncio.run(paced(servers[SERVICE], bodies, half, given.seconds)) for _ in range(given.rounds)]
    failed = sum(load.failed for some in (calm, *loads.values()) for load in some)
    rates = {name: [load.rate for load in some[1:]] for name, some in loads.items()}
    figures = [Figure(f"{name}, requests/s", spread(some, 0)) for name, some in rates.items()]
    for (name, some), least in zip(list(rates.items())[1:], (0.55, 20), strict=True):
        ratios = [own / other for own, other in zip(rates[SERVICE], some, strict=True)]
        figures.append(Figure(f"ratio to {name}", spread(ratios), f">= {least}", bool(np.median(ratios) >= least)))
    p99 = [load.p99_ms for load in calm]
    return [
        *figures,
        Figure("failed requests", str(failed), "0", not failed),
        unlogged(servers[SERVICE], sum(load.answered for load in (*calm, *loads[SERVICE]))),
        Figure("p99 at its peak, ms", spread([load.p99_ms for load in loads[SERVICE][1:]], 1)),
        Figure(f"p99 at {half:.0f} requests/s, ms", spread(p99, 1), "< 25", bool(np.median(p99) < 25)),
    ]


def batches(scene: Scene, given: argparse.Namespace) -> Iterator[Figure]:
    """Rows a second in batches of 1,000 rows in each form, beside the predictor alone in this process."""
    table = plain(scene.table.head(BATCH))
    forms = {
        "columns": (json.dumps({"columns": table.to_dict("list")}).encode(), "application/json"),
        "rows": (json.dumps({"rows": table.to_dict("records")}).encode(), "application/json"),
        "CSV": (table.to_csv(index=False).encode(), "text/csv"),
    }
    predictor = scene.predictor()
    rows, _ = scene.encoded(table)

    def alone(seconds: float) -> float:
        calls, began = 0, time.perf_counter()
        while (spent := time.perf_counter() - began) < seconds:
            predictor.predict(rows)
            calls += 1
        return calls * len(table) / spent

    seconds = max(1.0, given.seconds / 2)
    loads: dict[str, list[Load]] = {name: [] for name in forms}
    base: dict[str, list[float]] = {name: [] for name in forms}
    with running(SERVICE, scene) as server:
        for turn in range(given.rounds + 1):  # the first turn warms up
            for name, (body, kind) in forms.items():
                base[name].append(alone(seconds / 2 if turn else 0.2))
                loads[name].append(wrk(server.url("/predict_batch"), [body], seconds if turn else WARM_SECONDS, kind))
    yield Figure(
        "compiled predictor in this process, rows/s", spread([rate for own in base.values() for rate in own[1:]], 0)
    )
    for name in forms:
        rates = [load.rate * len(table) for load in loads[name][1:]]
        ratios = [rate / own for rate, own in zip(rates, base[name][1:], strict=True)]
        yield Figure(f"{name}, rows/s", spread(rates, 0))
        yield Figure(f"{name}, ratio", spread(ratios), ">= 0.5", bool(np.median(ratios) >= 0.5))
    every = [load for some in loads.values() for load in some]
    failed = sum(load.failed for load in every)
    yield Figure("failed requests", str(failed), "0", not failed)
    yield unlogged(server, sum(load.answered for load in every) * len(table))


def hot_swap(scene: Scene, given: argparse.Namespace) -> list[Figure]:
    """The manifest changes to a second version and back under load: failed requests, and the time of each change."""
    revisions = count(1)
    with tempfile.TemporaryDirectory(prefix="stackhouse-swap-") as folder:
        manifest = f"{folder}/manifest.json"

        def release_of(version: str) -> Callable[[], None]:
            bundle = Path(shutil.copytree(scene.folder, f"{folder}/{version}"))
            content = json.dumps(json.loads((bundle / MANIFEST).read_bytes()) | {"version": version}).encode()
            (bundle / MANIFEST).write_bytes(content)
            champion = Release(version=version, bundle=str(bundle), sha256=digest(content))

            def write() -> None:
                changed = ManifestChange(at=datetime.now(UTC).isoformat(), by="benchmarks", why="a swap under load")
                name = scene.bundle.name
                wanted = Manifest(revision=next(revisions), name=name, champion=champion, changed=changed)
                places.write(manifest, wanted.model_dump_json().encode())

            return write

        first, second = scene.bundle.version, "again"
        back, forth = release_of(first), release_of(second)
        back()
        with running(SERVICE, scene, manifest) as server:
            seconds = max(6.0, 3 * given.seconds)
            return swapped(server, scene.bodies(ONE_ROW_BODIES), seconds, (second, forth), (first, back))


def parity(scene: Scene, given: argparse.Namespace) -> Iterator[Figure]:
    """The held-out rows over HTTP and through the original pipeline: the largest relative difference, and the time."""
    pipeline = scene.pipeline()
    direct = np.asarray(pipeline.predict(scene.table), np.float64)
    with running(SERVICE, scene) as server:
        columns = json.dumps({"columns": plain(scene.table).to_dict("list")}).encode()
        together = server.post("/predict_batch", columns)["predictions"]
        single = [server.post("/predict", body)["prediction"] for body in scene.bodies(SINGLE_ROWS)]
    for route, served in (("/predict_batch", together), ("/predict", single)):
        expected = direct[: len(served)]
        found = float(np.max(np.abs(np.array(served) - expected) / np.maximum(np.abs(expected), 1e-12)))
        what = f"{route}, {len(served):,} rows, largest relative difference"
        yield Figure(what, f"{found:.1e}", "<= 1e-5", found <= 1e-5)
    seconds = latencies(pipeline, scene.predictor(), scene.table, raw_columns(pipeline))
    yield Figure("one row in the compiled predictor, µs", f"{seconds['compiled_1_row'] * 1e6:.0f}")
    yield Figure("one row in the pipeline, ms", f"{seconds['original_1_row'] * 1e3:.1f}")


def size(scene: Scene, given: argparse.Namespace) -> list[Figure]:
    """The size of the service's own environment, installed from its requirements."""
    with tempfile.TemporaryDirectory(prefix="stackhouse-size-") as folder:
        python, requirements = f"{folder}/bin/python", str(ROOT / "service" / "requirements.txt")
        for command in (
            ["venv", "--quiet", "--clear", "--python", sys.executable, folder],
            ["pip", "install", "--quiet", "--link-mode", "copy", "--python", python, "-r", requirements],
        ):
            done = subprocess.run([sys.executable, "-m", "uv", *command], capture_output=True, text=True)
            if done.returncode:
                sys.exit(f"uv {' '.join(command)} failed:\n{done.stderr}")
        installed = _megabytes(folder)
        subprocess.run([python, "-m", "compileall", "-q", "-j", "0", folder], capture_output=True)
        return [
            Figure("installed, MB", f"{installed:.0f}", "<= 250", installed <= LARGEST_ENVIRONMENT),
            Figure("with all bytecode, MB", f"{_megabytes(folder):.0f}"),
        ]


def _megabytes(folder: str) -> float:
    """The blocks that the files of a folder occupy, each inode once, as `du` counts them."""
    files = [file.stat() for file in Path(folder).rglob("*") if not file.is_symlink()]
    return sum({file.st_ino: file.st_blocks * 512 for file in files}.values()) / 2**20


PARTS = {"one_row": one_row, "batches": batches, "hot_swap": hot_swap, "parity": parity, "size": size}

if __name__ == "__main__":
    parser = scene_parser(__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="seconds of a measurement; a release takes thrice")
    parser.add_argument("--rounds", type=int, default=5, help="number of turns of what is compared")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="the parts to measure")
    options = parser.parse_args()
    found = scene_of(options)
    frame.measure({part: partial(PARTS[part], found, options) for part in options.only})
