"""The monitor on a large log: the whole command, from its start to its verdict.

    python benchmarks/monitoring_run.py --data CSV [--records 1000000]

Held-out rows of the champion of configs/train.yaml become a log of single-row predictions of the last 24 hours, and
`configs/monitor.yaml` is run on it. The verdict is kept like any other.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import frame
import numpy as np
from frame import ROOT, Figure, peak_mib
from scene import Scene, plain, scene_of, scene_parser

from tabular.prediction_log.records import FEEDBACK, PREDICTIONS, Feedback, Prediction, lines

MOST_SECONDS = 60.0
FILE_RECORDS = 100_000
"""Records of a file, which makes files about as large as those of the service."""
MEDIAN_MS, SPREAD = 0.6, 0.5
"""Median of the latencies, and standard deviation of their logarithms."""
KNOWN = 0.1
"""Share of the predictions whose true value comes a second later."""
HOURS = 24


def run(scene: Scene, given: argparse.Namespace) -> Iterator[Figure]:
    """Write the log, and run the monitor on it."""
    with tempfile.TemporaryDirectory(prefix="stackhouse-log-") as folder:
        log, end = Path(folder), datetime.now(UTC)
        known = write_log(log, scene, end, given.records)
        size = sum(file.stat().st_size for file in log.rglob("*.jsonl"))
        yield Figure("predictions and true values", f"{given.records:,} and {known:,}, {size / 1e6:,.0f} MB")
        settings = {"model": scene.bundle.name, "log": folder, "window.until": end.isoformat()}
        words = [word for key, value in settings.items() for word in ("--set", f"monitoring.{key}='{value}'")]
        began, peak = time.perf_counter(), 0.0
        command = [sys.executable, "run.py", "--config", "configs/monitor.yaml", *words]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            peak = max(peak, peak_mib(process.pid))
        code = process.wait()
        seconds = time.perf_counter() - began
    print("".join(said[-8:]))
    yield Figure("exit code", str(code), "0 or 3", code in (0, 3))
    yield Figure("the whole command, s", f"{seconds:.1f}", f"<= {MOST_SECONDS:g}", seconds <= MOST_SECONDS)
    yield Figure("peak, MB", f"{peak * 2**20 / 1e6:,.0f}")


def write_log(log: Path, scene: Scene, end: datetime, records: int) -> int:
    """Write predictions of drawn rows, spread over the hours before `end`, in the service's own format.

    Args:
        log: destination of the log.
        scene: the model and the rows.
        end: moment after the last prediction.
        records: number of predictions.

    Returns:
        Number of true values.
    """
    predicted = scene.predictor().predict(scene.encoded(scene.table)[0]).tolist()
    answers = list(zip(plain(scene.table).to_dict("records"), predicted, strict=True))
    draw = np.random.default_rng(42)
    drawn = draw.integers(len(answers), size=records).tolist()
    seconds = np.sort(draw.uniform(0, HOURS * 3600, records)).tolist()
    latencies = draw.lognormal(np.log(MEDIAN_MS), SPREAD, records).tolist()
    is_known = (draw.random(records) < KNOWN).tolist()
    model = scene.bundle.name, scene.bundle.version
    for first in range(0, records, FILE_RECORDS):
        predictions, feedback = [], []
        for number in range(first, min(first + FILE_RECORDS, records)):
            moment, request_id = end - timedelta(hours=HOURS) + timedelta(seconds=seconds[number]), f"{number:032x}"
            predictions.append(Prediction(request_id, None, moment, *model, latencies[number], *answers[drawn[number]]))
            if is_known[number]:
                feedback.append(Feedback(request_id, moment + timedelta(seconds=1), scene.truths[drawn[number]]))
        for kind, some in ((PREDICTIONS, predictions), (FEEDBACK, feedback)):
            for day in sorted({record.time.date() for record in some}):
                file = log / kind / f"date={day.isoformat()}" / f"{first:09d}.jsonl"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(lines([record for record in some if record.time.date() == day]))
    return sum(is_known)


if __name__ == "__main__":
    parser = scene_parser(__doc__)
    parser.add_argument("--records", type=int, default=1_000_000, help="number of logged predictions")
    options = parser.parse_args()
    frame.measure({"monitoring": partial(run, scene_of(options), options)})
