"""The service in figures: speed, a release under load, equal predictions, and the size of its environment.

    python benchmarks/serving.py [--bundle FOLDER] [--data CSV] [--seconds 10] [--rounds 5] [--only one_row,hot_swap]

The model is the newest one of BentoML's store, or the bundle in FOLDER. CSV is the table that the model was trained
on, whose held-out rows are sent; without it, random rows are sent. The service runs on the loopback with one worker,
with validation, metrics and the prediction log. What is compared takes turns, so that ratios within one run count. It
needs wrk.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import frame
import serving_safety
import serving_scene
import serving_speed
from frame import Figure
from serving_scene import Scene

from tabular.bundles.bundle import read

PARTS: dict[str, Callable[[Scene], list[Figure]]] = {
    "one_row": serving_speed.one_row,
    "batches": serving_speed.batches,
    "hot_swap": serving_safety.hot_swap,
    "parity": serving_safety.parity,
    "size": serving_safety.size,
}


def main() -> None:
    """Measure, and print a table."""
    parser = frame.parser(__doc__)
    parser.add_argument("--bundle", type=Path, help="folder of the bundle; by default the newest model")
    parser.add_argument("--data", type=Path, help="the training table; by default the rows are random")
    parser.add_argument(
        "--seconds", type=float, default=10.0, help="of each measurement; the release takes three times as long"
    )
    parser.add_argument("--rounds", type=int, default=5, help="number of turns of what is compared")
    frame.add_parts(parser, PARTS)
    arguments = parser.parse_args()
    frame.print_machine()
    with tempfile.TemporaryDirectory(prefix="stackhouse-serving-") as name:
        folder = Path(name)
        store = serving_scene.store_with(arguments.bundle.resolve(), folder) if arguments.bundle else None
        bundle_folder = serving_scene.newest_bundle()
        bundle = read(bundle_folder)
        table = serving_scene.held_out(bundle, arguments.data)
        scene = Scene(folder, bundle_folder, bundle, table, store, arguments.seconds, arguments.rounds)
        print(f"{bundle.name} {bundle.version}, {bundle.algorithm}, compiled: {bundle.compiled}, {len(table)} rows")
        parts = {part: partial(_cleared, part, scene) for part in arguments.only}
        sys.exit(frame.measure(parts, arguments.json))


def _cleared(part: str, scene: Scene) -> list[Figure]:
    """The figures of a part, whose folder is deleted so that the parts together do not fill the disk."""
    figures = PARTS[part](scene)
    shutil.rmtree(scene.folder / part)
    return figures


if __name__ == "__main__":
    main()
