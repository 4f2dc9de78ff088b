"""The speed and the memory of scoring a large table, beside the compiled predictor alone.

    python benchmarks/batch.py --data CSV [--rows 2000000] [--rounds 3]

Held-out rows are drawn with seeded noise and written as CSV and Parquet. Each file is scored in a process of its own,
in turns with the compiled predictor in this process on the same rows, encoded before, in chunks of the same size with
the same number of threads. tests/tabular/batch/test_ledger.py kills a batch, and looks for each row afterwards.
"""

import argparse
import multiprocessing
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import frame
import numpy as np
import pandas as pd
from frame import Figure, peak_mib, spread
from scene import Scene, scene_of, scene_parser

from tabular.batch.scoring import BatchModel, score
from tabular.bundles import bundle as bundles
from tabular.bundles import reference
from tabular.bundles.bundle import MANIFEST, digest
from tabular.bundles.predictor import CompiledPredictor
from tabular.config.batch import BatchConfig

CHUNK = 50_000
NOISE = 0.01
THREADS = os.cpu_count() or 1


def speed(scene: Scene, given: argparse.Namespace) -> Iterator[Figure]:
    """The rows per second of both formats and of the predictor alone, in turns."""
    predictor, table = scene.predictor(THREADS), drawn(scene, given.rows)
    chunks = [scene.encoded(table[start : start + CHUNK])[0] for start in range(0, len(table), CHUNK)]
    predictor.predict(chunks[0])
    alone: list[float] = []
    found: dict[str, list[tuple[float, float]]] = {"csv": [], "parquet": []}
    context = multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory(prefix="stackhouse-batch-") as folder,
        ProcessPoolExecutor(1, context, max_tasks_per_child=1) as processes,
    ):
        table.to_csv(f"{folder}/rows.csv", index=False)
        table.to_parquet(f"{folder}/rows.parquet", index=False)
        for _ in range(given.rounds):
            began = time.perf_counter()
            for rows in chunks:
                predictor.predict(rows)
            alone.append(len(table) / (time.perf_counter() - began))
            for kind, rounds in found.items():
                rounds.append(processes.submit(scored, scene.folder, f"{folder}/rows.{kind}", f"{folder}/out").result())
                shutil.rmtree(f"{folder}/out")
    yield Figure(f"{len(table):,} rows, compiled predictor in this process, rows/s", spread(alone, 0))
    for kind, rounds in found.items():
        rates, peaks = ([*column] for column in zip(*rounds, strict=True))
        ratios = [rate / own for rate, own in zip(rates, alone, strict=True)]
        yield Figure(f"{kind}, rows/s", spread(rates, 0))
        yield Figure(f"{kind}, ratio", spread(ratios), ">= 0.6", bool(np.median(ratios) >= 0.6))
        yield Figure(f"{kind}, peak of the process, MiB", f"{max(peaks):,.0f}", "< 1024", max(peaks) < 1024)


def scored(folder: Path, source: str, output: str) -> tuple[float, float]:
    """Score a file, and return the rows per second and the MiB at the peak of this process."""
    bundle, sha256 = bundles.read(folder), digest((folder / MANIFEST).read_bytes())
    model = BatchModel(bundle, reference.read(folder), sha256, CompiledPredictor.load(folder, THREADS))
    report, _ = score(BatchConfig(model=bundle.name, input=source, output=output, chunk_rows=CHUNK), model)
    assert report.scored == report.rows
    return report.rows_per_second, peak_mib()


def drawn(scene: Scene, count: int) -> pd.DataFrame:
    """Held-out rows, with each number changed by about one percent."""
    found = scene.table.sample(count, replace=True, random_state=42, ignore_index=True)
    noise = np.random.default_rng(42)
    numbers = [column.name for column in scene.bundle.columns if column.kind == "number"]
    found[numbers] = (found[numbers] * (1 + noise.normal(0, NOISE, (count, len(numbers))))).round(4)
    return found


if __name__ == "__main__":
    parser = scene_parser(__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    frame.measure({"batch": partial(speed, scene_of(options), options)})
