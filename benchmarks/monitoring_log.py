"""A prediction log to measure with: what the service would have written, without asking it a million times."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tabular.bundles.bundle import Bundle, read
from tabular.bundles.encoding import Encoder
from tabular.bundles.predictor import CompiledPredictor
from tabular.prediction_log import log_records
from tabular.prediction_log.log_files import FEEDBACK, PREDICTIONS, ROLL_BYTES
from tabular.prediction_log.log_windows import read_window

MEDIAN_MS, SPREAD = 0.6, 0.5
"""Of the latencies, whose logarithms are normal."""


class Written(NamedTuple):
    """What a log holds."""

    records: int
    feedback: int
    bytes: int
    seconds: float


class _Row(NamedTuple):
    """What the service would say of a row of the table."""

    notes: dict[str, dict[str, int]]
    inputs: dict[str, Any]
    prediction: float | str
    probabilities: dict[str, float] | None


def write_log(
    folder: Path,
    bundle_folder: Path,
    table: pd.DataFrame,
    start: datetime,
    end: datetime,
    records: int = 1_000_000,
    seed: int = 42,
    feedback: float = 0.0,
) -> Written:
    """Write single-row predictions, drawn from a table and spread evenly over a span, in the service's own format.

    Args:
        folder: the log's destination.
        bundle_folder: of a compiled bundle.
        table: the raw inputs; where it has the target, that is the true value.
        start: of the first prediction, with an offset from UTC.
        end: no prediction is made then or later.
        records: how many.
        seed: of the draw, the times, the latencies and who gives feedback.
        feedback: the share of predictions whose true value comes, a second later; needs the target.
    """
    began = time.perf_counter()
    bundle = read(bundle_folder)
    rows = _answered(bundle, bundle_folder, table)
    draw = np.random.default_rng(seed)
    drawn = draw.integers(len(rows), size=records)
    seconds = np.sort(draw.uniform(0, (end - start).total_seconds(), records))
    latencies = draw.lognormal(np.log(MEDIAN_MS), SPREAD, records).tolist()
    is_known = draw.random(records) < feedback
    truths = table[bundle.target].tolist() if feedback else []
    files = {kind: _Files(folder / kind) for kind in (PREDICTIONS, FEEDBACK)}
    for number, (place, second) in enumerate(zip(drawn.tolist(), seconds.tolist(), strict=True)):
        row, name, moment = rows[place], f"{seed:08x}-{number:x}", start + timedelta(seconds=second)
        of = name, bundle.name, bundle.version
        record = log_records.prediction(moment, *of, latencies[number], *row)
        files[PREDICTIONS].add(moment, log_records.line(record))
        if is_known[number]:
            said = moment + timedelta(seconds=1)
            files[FEEDBACK].add(said, log_records.line(log_records.feedback(said, name, truths[place], None)))
    size = sum(file.close() for file in files.values())
    return Written(records, int(is_known.sum()), size, time.perf_counter() - began)


class _Files:
    """Lines in files of a day, as large as those of the service."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lines: list[bytes] = []
        self._day = ""
        self._size = self._number = self._total = 0

    def add(self, moment: datetime, line: bytes) -> None:
        day = moment.astimezone(UTC).date().isoformat()
        if day != self._day or self._size >= ROLL_BYTES:
            self.close()
            self._day = day
        self._lines.append(line)
        self._size += len(line) + 1

    def close(self) -> int:
        """Write what waits. Returns the bytes of all files so far."""
        if self._lines:
            self._number += 1
            path = self._folder / f"date={self._day}" / f"000000-benchmark-{self._number:06d}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"\n".join([*self._lines, b""]))
        self._total += self._size
        self._lines, self._size = [], 0
        return self._total


def _answered(bundle: Bundle, folder: Path, table: pd.DataFrame) -> Sequence[_Row]:
    encoder, predictor = Encoder(bundle.columns), CompiledPredictor.load(folder)
    columns = {
        column.name: [None if pd.isna(value) else value for value in table[column.name].astype(object).tolist()]
        for column in bundle.columns
    }
    inputs = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    output = predictor.predict(encoder.rows(inputs, len(inputs))[0])
    notes = [asdict(encoder.row(row)[1]) for row in inputs]
    if not bundle.classes:
        return [_Row(*row, None) for row in zip(notes, inputs, output.tolist(), strict=True)]
    return [
        _Row(note, row, bundle.classes[int(np.argmax(shares))], dict(zip(bundle.classes, shares, strict=True)))
        for row, note, shares in zip(inputs, notes, output.tolist(), strict=True)
    ]


def reading(
    folder: Path, bundle_folder: Path, start: datetime, end: datetime, most: int = 1_000_000, labelled: bool = False
) -> dict[str, float]:
    """What `read_window` takes, in a process of its own: seconds, seconds of the processor, and MB at the peak.

    Args:
        folder: the log.
        bundle_folder: of the version that is looked at.
        start: of the window.
        end: of the window.
        most: rows that are kept.
        labelled: whether true values are wanted, of the same span.
    """
    arguments = [str(folder), str(bundle_folder), start.isoformat(), end.isoformat(), str(most), str(int(labelled))]
    done = subprocess.run([sys.executable, __file__, *arguments], capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _read(destination: str, bundle_folder: str, start: str, end: str, most: str, labelled: str) -> None:
    bundle = read(Path(bundle_folder))
    span = datetime.fromisoformat(start), datetime.fromisoformat(end)
    before, began = time.process_time(), time.perf_counter()
    window = read_window(destination, bundle, *span, int(most), span if int(labelled) else None)
    found = {
        "rows": len(window.predicted),
        "requests": len(window.requests.times),
        "labelled": len(window.labelled.times),
        "unreadable": window.unreadable,
        "cpu_seconds": time.process_time() - before,
        "seconds": time.perf_counter() - began,
        "peak_mb": _peak() / 1024,
    }
    print(json.dumps(found))


def _peak() -> int:
    """The most memory of this process so far in KB; what `getrusage` says includes the process that started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    _read(*sys.argv[1:])
