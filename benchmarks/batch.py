"""Measures the speed and the memory of scoring a large table, and whether a kill loses or repeats a row.

    python benchmarks/batch.py --bundle .cache/bundles/california-housing-1 --data housing.csv

Rows are drawn from `--data` with seeded noise and written as CSV and Parquet. Each file is scored in a process of its
own, in turns with the compiled predictor in this process on the same rows, encoded before, in chunks of the same size
with the same number of threads. Then a CSV with some bad rows is scored by processes that are killed at random moments
until one of them ends, and the result is compared with that of an undisturbed process.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import frame
import numpy as np
import pandas as pd
from frame import Figure, spread

from tabular.batch.scoring import BatchModel, score
from tabular.bundles import bundle as bundles
from tabular.bundles import reference
from tabular.bundles.bundle import MANIFEST, Bundle, digest
from tabular.bundles.encoding import Encoder
from tabular.bundles.predictor import CompiledPredictor, Rows
from tabular.config.batch import BatchConfig

CHUNK, SMALL_CHUNK = 50_000, 5_000
NOISE: Final = 0.01
BAD: Final = 997
"""One in so many rows of the table for the kills is bad."""


@dataclass(frozen=True)
class BatchScene:
    """The model and the rows that both parts measure."""

    given: argparse.Namespace
    bundle: Bundle
    table: pd.DataFrame
    """The rows to score."""
    folder: Path
    """A temporary folder that holds the rows as `rows.csv` and `rows.parquet`."""

    def command(self, source: str, output: str, chunk: int) -> list[str]:
        """The command of a process that scores a file of the folder."""
        worker = [sys.executable, __file__, "--bundle", str(self.given.bundle), "--threads", str(self.given.threads)]
        return [*worker, "--score", str(self.folder / source), str(self.folder / output), str(chunk)]

    def scored(self, source: str, output: str, chunk: int) -> dict[str, Any]:
        """The figures that such a process prints."""
        command = self.command(source, output, chunk)
        finished = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
        figures: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
        return figures

    def outcome(self, output: str) -> pd.DataFrame:
        """The outcome of each row, by its number."""
        good = pd.read_parquet(self.folder / output / "predictions", columns=["row", "row_hash", "prediction"])
        bad = pd.read_parquet(self.folder / output / "rejects")
        return pd.concat([good, bad]).set_index("row").sort_index()


def main() -> None:
    """Measure and print a table, or score one file for another process of this benchmark."""
    parser = frame.parser(__doc__)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--data", type=Path, help="a CSV with the model's columns")
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--score", nargs=3, help=argparse.SUPPRESS)
    frame.add_parts(parser, PARTS)
    given = parser.parse_args()
    if given.score:
        score_one(given, *given.score)
        return
    frame.print_machine()
    bundle = bundles.read(given.bundle)
    with tempfile.TemporaryDirectory(prefix="stackhouse-batch-") as name:
        folder = Path(name)
        table = drawn(bundle, pd.read_csv(given.data), given.rows, given.seed)
        table.to_csv(folder / "rows.csv", index=False)
        table.to_parquet(folder / "rows.parquet", index=False)
        scene = BatchScene(given, bundle, table, folder)
        sys.exit(frame.measure({part: partial(PARTS[part], scene) for part in given.only}, given.json))


def score_one(given: argparse.Namespace, source: str, output: str, chunk: str) -> None:
    """Score one file, and print the figures as a line of JSON."""
    bundle = bundles.read(given.bundle)
    sha256 = digest((given.bundle / MANIFEST).read_bytes())
    predictor = CompiledPredictor.load(given.bundle, given.threads)
    model = BatchModel(bundle, reference.read(given.bundle), sha256, predictor)
    report, _ = score(BatchConfig(model=bundle.name, input=source, output=output, chunk_rows=int(chunk)), model)
    # getrusage would report the peak of the parent process where that was higher.
    status = Path("/proc/self/status").read_text()
    peak = int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024
    figures = report.model_dump(include={"rows", "scored", "rejected", "rows_per_second", "resumed"})
    print(json.dumps(figures | {"peak_mib": peak}))


def drawn(bundle: Bundle, table: pd.DataFrame, count: int, seed: int) -> pd.DataFrame:
    """Rows of a table, with each number changed by about one percent."""
    names = [column.name for column in bundle.columns]
    found = table[names].sample(count, replace=True, random_state=seed, ignore_index=True)
    noise = np.random.default_rng(seed)
    for column in bundle.columns:
        if column.kind == "number":
            found[column.name] = (found[column.name] * (1 + noise.normal(0, NOISE, count))).round(4)
    return found


def speed(scene: BatchScene) -> list[Figure]:
    """The rows per second of both formats and of the predictor alone, in turns."""
    given, bundle, table, folder = scene.given, scene.bundle, scene.table, scene.folder
    predictor = CompiledPredictor.load(given.bundle, given.threads)
    chunks = [encoded(bundle, table[start : start + CHUNK]) for start in range(0, len(table), CHUNK)]
    predictor.predict(chunks[0])

    def alone() -> float:
        began = time.perf_counter()
        for rows in chunks:
            predictor.predict(rows)
        return len(table) / (time.perf_counter() - began)

    def batch(kind: str) -> dict[str, Any]:
        shutil.rmtree(folder / "scored", ignore_errors=True)
        return scene.scored(f"rows.{kind}", "scored", CHUNK)

    base: list[float] = []
    made: dict[str, list[dict[str, Any]]] = {"CSV": [], "Parquet": []}
    for _ in range(given.rounds):
        base.append(alone())
        for kind, rounds in made.items():
            rounds.append(batch(kind.lower()))
    figures = [
        Figure(f"{len(table):,} rows, {bundle.algorithm}", f"{given.threads} threads, chunks of {CHUNK:,}"),
        Figure("compiled predictor in this process, rows/s", spread(base, 0)),
    ]
    for kind, rounds in made.items():
        rates = [figure["rows_per_second"] for figure in rounds]
        ratios = [rate / own for rate, own in zip(rates, base, strict=True)]
        peak = max(figure["peak_mib"] for figure in rounds)
        figures += [
            Figure(f"{kind}, rows/s", spread(rates, 0)),
            Figure(f"{kind}, ratio", spread(ratios), ">= 0.6", bool(np.median(ratios) >= 0.6)),
            Figure(f"{kind}, peak of the process, MiB", f"{peak:,.0f}", "< 1024", peak < 1024),
        ]
        assert all(figure["scored"] == len(table) for figure in rounds)
    return figures


def kills(scene: BatchScene) -> list[Figure]:
    """Kill the process at random moments until it ends by itself, and look for each row."""
    given, table = scene.given, scene.table.head(1_000_000)
    spoil(table, scene.folder / "killed.csv")
    began = time.perf_counter()
    scene.scored("killed.csv", "whole", SMALL_CHUNK)
    lasts = time.perf_counter() - began
    draw = random.Random(given.seed)
    killed = 0
    while killed < given.kills:
        command = scene.command("killed.csv", "broken", SMALL_CHUNK)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            process.wait(timeout=draw.uniform(0.2, 0.4) * lasts)
            break
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed += 1
    last = scene.scored("killed.csv", "broken", SMALL_CHUNK)
    expected, found = scene.outcome("whole"), scene.outcome("broken")
    once = found.index.is_unique and sorted(found.index) == list(range(len(table)))
    same = found.equals(expected)
    return [
        Figure("kills, and finished chunks that the last run found", f"{killed}, {last['resumed']}"),
        Figure(f"each of {len(table):,} rows exactly once", "yes" if once else "no", "yes", once),
        Figure("equal to the result without kills", "yes" if same else "no", "yes", same),
        Figure("rejected rows", f"{last['rejected']:,}"),
    ]


def spoil(table: pd.DataFrame, file: Path) -> None:
    """Write a CSV in which some rows have a cell too many, or text where a number should be."""
    lines = table.to_csv(index=False).splitlines()
    for place in range(BAD, len(lines), BAD):
        lines[place] = f"{lines[place]},more" if place % 2 else f"many{lines[place]}"
    file.write_text("\n".join(lines) + "\n")


def encoded(bundle: Bundle, table: pd.DataFrame) -> Rows:
    """The rows in the form that the predictor takes."""
    columns: dict[str, Any] = {
        column.name: table[column.name].to_numpy(np.float64)
        if column.kind == "number"
        else table[column.name].astype(object).where(table[column.name].notna(), None).tolist()
        for column in bundle.columns
    }
    return Encoder(bundle.columns).columns(columns, limit=len(table))[0]


PARTS: dict[str, Callable[[BatchScene], list[Figure]]] = {"speed": speed, "kills": kills}


if __name__ == "__main__":
    main()
