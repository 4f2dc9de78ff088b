"""The service under load, in figures that are ratios inside one run: speed, a swap, a kill, hostile input, size.

    python benchmarks/serving.py [--bundle FOLDER] [--data CSV] [--seconds 10] [--rounds 5] [--only one_row,hot_swap]

The model is the newest of BentoML's store, or the bundle in FOLDER. CSV is the table that it was trained on: its
held-out rows are sent; without it, made-up rows are. Everything runs on the loopback with one worker, with validation,
metrics and the prediction log on. It needs wrk, and schemathesis (which uv fetches when it is not installed).
"""

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import serving_safety
import serving_scene
import serving_speed
from serving_scene import Line, Scene

PARTS: dict[str, Callable[[Scene], list[Line]]] = {
    "one_row": serving_speed.one_row,
    "batches": serving_speed.batches,
    "cold_start": serving_speed.cold_start,
    "hot_swap": serving_safety.hot_swap,
    "hostile": serving_safety.hostile,
    "killed_worker": serving_safety.killed_worker,
    "skew": serving_safety.skew,
    "size": serving_safety.size,
}


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--bundle", type=Path, help="a folder; else the newest model of BentoML's store")
    parser.add_argument("--data", type=Path, help="the training table; else rows are made up")
    parser.add_argument(
        "--seconds", type=float, default=10.0, help="of each measurement; the swap takes three times this"
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often those that are compared take turns")
    parser.add_argument("--only", help=f"names between commas: {', '.join(PARTS)}")
    parser.add_argument("--json", type=Path, help="write the table there as well")
    arguments = parser.parse_args()
    wanted = arguments.only.split(",") if arguments.only else list(PARTS)
    if unknown := [name for name in wanted if name not in PARTS]:
        parser.error(f"--only: there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.platform()}")
    with tempfile.TemporaryDirectory(prefix="stackhouse-serving-") as name:
        folder = Path(name)
        store = serving_scene.store_with(arguments.bundle.resolve(), folder) if arguments.bundle else None
        bundle_folder = serving_scene.newest_bundle()
        bundle = serving_scene.read_bundle(bundle_folder)
        table = serving_scene.held_out(bundle, arguments.data)
        scene = Scene(folder, bundle_folder, bundle, table, store, arguments.seconds, arguments.rounds)
        print(f"{bundle.name} {bundle.version}, {bundle.algorithm}, compiled: {bundle.compiled}, {len(table)} rows")
        found = {part: _measured(part, scene) for part in wanted}
    if arguments.json:
        tables = {part: [line._asdict() for line in lines] for part, lines in found.items()}
        arguments.json.write_text(json.dumps(tables, indent=2))
    missed = [f"{part}: {line.what}" for part, lines in found.items() for line in lines if line.good is False]
    print(f"\nmissed: {'; '.join(missed) or 'nothing'}")
    sys.exit(1 if missed else 0)


def _measured(part: str, scene: Scene) -> list[Line]:
    """One part, and its lines printed when it is done."""
    began = time.perf_counter()
    lines = PARTS[part](scene)
    shutil.rmtree(scene.folder / part)
    print(f"\n{part} ({time.perf_counter() - began:.0f} s)")
    for line in lines:
        verdict = "" if line.good is None else "ok" if line.good else "MISSED"
        print(f"  {line.what:<62} {line.found:<28} {line.wanted:<9} {verdict}".rstrip(), flush=True)
    return lines


if __name__ == "__main__":
    main()
