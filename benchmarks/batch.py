"""How fast a large table is scored, in how much memory, and whether a kill loses or repeats a row.

    python benchmarks/batch.py --bundle .cache/bundles/california-housing-1 --data housing.csv

Rows are drawn from `--data` with seeded noise, and written as CSV and Parquet. Each is scored in a process of its own,
in turns with the compiled predictor in this process on the same rows, encoded before, in the same chunks with the same
number of threads. Then a CSV with bad rows among the good is scored by processes that are killed at random moments
until one of them ends, and compared with what an undisturbed one has written.
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
from frame import ROOT, Figure, spread

from tabular.bundles import bundle as bundles
from tabular.bundles.bundle import Bundle
from tabular.bundles.encoding import Encoder
from tabular.bundles.predictor import CompiledPredictor, Rows

CHUNK: Final = 50_000
NOISE: Final = 0.01
BAD: Final = 997
"""One row in so many is bad in the table of the kills."""


@dataclass(frozen=True)
class BatchScene:
    """What both parts need."""

    given: argparse.Namespace
    bundle: Bundle
    table: pd.DataFrame
    """The rows to score."""
    folder: Path
    """A temporary folder with the rows as `rows.csv` and `rows.parquet`."""


def main() -> None:
    """Measure, and print a table."""
    parser = frame.parser(__doc__)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="a CSV with the model's columns")
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--kill-rows", type=int, default=1_000_000)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=42)
    frame.add_parts(parser, PARTS)
    given = parser.parse_args()
    frame.print_machine()
    bundle = bundles.read(given.bundle)
    with tempfile.TemporaryDirectory(prefix="stackhouse-batch-") as name:
        folder = Path(name)
        table = drawn(bundle, pd.read_csv(given.data), given.rows, given.seed)
        table.to_csv(folder / "rows.csv", index=False)
        table.to_parquet(folder / "rows.parquet", index=False)
        scene = BatchScene(given, bundle, table, folder)
        sys.exit(frame.measure({part: partial(PARTS[part], scene) for part in given.only}, given.json))


def drawn(bundle: Bundle, table: pd.DataFrame, count: int, seed: int) -> pd.DataFrame:
    """Rows of a table, each number changed by about a hundredth."""
    names = [column.name for column in bundle.columns]
    found = table[names].sample(count, replace=True, random_state=seed, ignore_index=True)
    noise = np.random.default_rng(seed)
    for column in bundle.columns:
        if column.kind == "number":
            found[column.name] = (found[column.name] * (1 + noise.normal(0, NOISE, count))).round(4)
    return found


def speed(scene: BatchScene) -> list[Figure]:
    """Rows a second of both formats and of the predictor alone, in turns."""
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
        return worked(given, folder / f"rows.{kind}", folder / "scored", CHUNK)

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
    """Kill the process at random moments until it is done, and look for each row."""
    given, folder = scene.given, scene.folder
    table = scene.table.head(given.kill_rows)
    file = folder / "killed.csv"
    spoil(table, file)
    whole, broken = folder / "whole", folder / "broken"
    began = time.perf_counter()
    worked(given, file, whole, 5_000)
    lasts = time.perf_counter() - began
    draw = random.Random(given.seed)
    killed = 0
    while killed < given.kills:
        process = subprocess.Popen(command(given, file, broken, 5_000), env=environment(), stdout=subprocess.DEVNULL)
        try:
            process.wait(timeout=draw.uniform(0.2, 0.4) * lasts)
            break
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed += 1
    last = worked(given, file, broken, 5_000)
    expected, found = outcome(whole), outcome(broken)
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


def outcome(folder: Path) -> pd.DataFrame:
    """The outcome of each row (its prediction, or its reasons of rejection) by row number."""
    good = pd.read_parquet(folder / "predictions", columns=["row", "row_hash", "prediction"])
    bad = pd.read_parquet(folder / "rejects")
    return pd.concat([good, bad]).set_index("row").sort_index()


def encoded(bundle: Bundle, table: pd.DataFrame) -> Rows:
    """The rows, encoded for the predictor."""
    columns: dict[str, Any] = {
        column.name: table[column.name].to_numpy(np.float64)
        if column.kind == "number"
        else table[column.name].astype(object).where(table[column.name].notna(), None).tolist()
        for column in bundle.columns
    }
    return Encoder(bundle.columns).columns(columns, limit=len(table))[0]


def worked(given: argparse.Namespace, source: Path, output: Path, chunk: int) -> dict[str, Any]:
    """The figures that a scoring process prints."""
    finished = subprocess.run(
        command(given, source, output, chunk), env=environment(), stdout=subprocess.PIPE, check=True, text=True
    )
    figures: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
    return figures


def command(given: argparse.Namespace, source: Path, output: Path, chunk: int) -> list[str]:
    """The command line of a scoring process."""
    worker = [sys.executable, str(ROOT / "benchmarks" / "batch_worker.py"), str(given.bundle), str(source)]
    return [*worker, str(output), "--threads", str(given.threads), "--chunk-rows", str(chunk)]


def environment() -> dict[str, str]:
    """The environment with the project's packages on the path."""
    return os.environ | {"PYTHONPATH": str(ROOT)}


PARTS: dict[str, Callable[[BatchScene], list[Figure]]] = {"speed": speed, "kills": kills}


if __name__ == "__main__":
    main()
