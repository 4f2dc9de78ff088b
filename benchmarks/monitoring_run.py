"""The monitor on a large log: the whole command, from its start to its verdict.

    python benchmarks/monitoring_run.py --data TABLE [--model NAME] [--records 1000000] [--feedback 0.1]

It works on the registry of the active stack, which must hold a champion that was trained on TABLE (a CSV or Parquet
file with the target). Rows of TABLE become a log of single-row predictions of the last 24 hours, and
`configs/monitor.yaml` is run on it. The verdict is kept like any other.
"""

import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import frame
import numpy as np
import pandas as pd

from registry import bundles
from registry.mlflow_registry import model_named, registry_client
from stacks import local
from tabular.bundles.bundle import Bundle
from tabular.bundles.encoding import Encoder
from tabular.bundles.predictor import CompiledPredictor
from tabular.prediction_log.records import FEEDBACK, PREDICTIONS, Feedback, Prediction, lines
from tabular.storage.repository import ROOT

MOST_SECONDS = 60.0
FILE_RECORDS = 100_000
"""Records of a file, which makes files about as large as those of the service."""
MEDIAN_MS, SPREAD = 0.6, 0.5
"""Median of the latencies, and standard deviation of their logarithms."""
HOURS = 24
SEED = 42


def main() -> None:
    """Measure, and print the figures."""
    parser = frame.parser(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a table with the model's inputs and its target")
    parser.add_argument("--model", help="name of the model; left out where the registry holds a single one")
    parser.add_argument("--records", type=int, default=1_000_000, help="number of logged predictions")
    parser.add_argument("--feedback", type=float, default=0.1, help="share of them whose true value is known")
    arguments = parser.parse_args()
    local.activate(ROOT)
    name = model_named(registry_client(), arguments.model)
    champion = bundles.fetch(name, "champion")
    is_parquet = arguments.data.suffix == ".parquet"
    table = pd.read_parquet(arguments.data) if is_parquet else pd.read_csv(arguments.data)
    frame.print_machine()
    with tempfile.TemporaryDirectory() as room:
        log, end = Path(room), datetime.now(UTC)
        known = write_log(log, champion.bundle, champion.folder, table, end, arguments.records, arguments.feedback)
        size = sum(file.stat().st_size for file in log.rglob("*.jsonl"))
        print(f"log: {arguments.records:,} predictions and {known:,} true values, {size / 1e6:,.0f} MB")
        seconds, peak, code = _run(name, log, end)
    print(f"the whole command: {seconds:.1f} s (at most {MOST_SECONDS:g}), {peak / 1e6:,.0f} MB, exit code {code}")
    sys.exit(0 if code in (0, 3) and seconds <= MOST_SECONDS else 1)


def write_log(
    log: Path, bundle: Bundle, folder: Path, table: pd.DataFrame, end: datetime, records: int, share: float
) -> int:
    """Write predictions of rows drawn from a table, spread over the hours before `end`, in the service's own format.

    Args:
        log: destination of the log.
        bundle: bundle of the model.
        folder: folder of the compiled bundle.
        table: raw inputs and the target.
        end: moment after the last prediction.
        records: number of predictions.
        share: share of the predictions whose true value comes a second later.

    Returns:
        Number of true values.
    """
    answers = _answers(bundle, folder, table)
    truths = table[bundle.target].tolist()
    draw = np.random.default_rng(SEED)
    drawn = draw.integers(len(answers), size=records).tolist()
    seconds = np.sort(draw.uniform(0, HOURS * 3600, records)).tolist()
    latencies = draw.lognormal(np.log(MEDIAN_MS), SPREAD, records).tolist()
    is_known = (draw.random(records) < share).tolist()
    for first in range(0, records, FILE_RECORDS):
        predictions, feedback = [], []
        for number in range(first, min(first + FILE_RECORDS, records)):
            moment, request_id = end - timedelta(hours=HOURS) + timedelta(seconds=seconds[number]), f"{number:032x}"
            shared = request_id, None, moment, bundle.name, bundle.version, latencies[number]
            predictions.append(Prediction(*shared, *answers[drawn[number]]))
            if is_known[number]:
                feedback.append(Feedback(request_id, moment + timedelta(seconds=1), truths[drawn[number]]))
        for kind, some in ((PREDICTIONS, predictions), (FEEDBACK, feedback)):
            for day in sorted({record.time.date() for record in some}):
                file = log / kind / f"date={day.isoformat()}" / f"{first:09d}.jsonl"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(lines([record for record in some if record.time.date() == day]))
    return sum(is_known)


def _answers(bundle: Bundle, folder: Path, table: pd.DataFrame) -> list[tuple[dict[str, Any], Any, Any]]:
    """Inputs, prediction and probabilities of each row of the table."""
    columns = {
        column.name: [None if pd.isna(value) else value for value in table[column.name].astype(object).tolist()]
        for column in bundle.columns
    }
    inputs = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    rows, _ = Encoder(bundle.columns).rows(inputs, len(inputs))
    output = CompiledPredictor.load(folder).predict(rows).tolist()
    if not bundle.classes:
        return [(row, value, None) for row, value in zip(inputs, output, strict=True)]
    return [
        (row, bundle.classes[int(np.argmax(shares))], dict(zip(bundle.classes, shares, strict=True)))
        for row, shares in zip(inputs, output, strict=True)
    ]


def _run(name: str, log: Path, end: datetime) -> tuple[float, int, int]:
    """Run the monitor and print its last lines. Returns its seconds, the bytes at its peak, and its exit code."""
    settings = {"model": name, "log": str(log), "window.until": end.isoformat()}
    given = [part for key, value in settings.items() for part in ("--set", f"monitoring.{key}='{value}'")]
    began, peak = time.perf_counter(), 0
    command = [sys.executable, "run.py", "--config", "configs/monitor.yaml", *given]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        peak = max(peak, _peak(process.pid))
    code = process.wait()
    print("".join(said[-8:]))
    return time.perf_counter() - began, peak, code


def _peak(process: int) -> int:
    """Return the most memory that a process has had, in bytes; 0 when it has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:")), 0)


if __name__ == "__main__":
    main()
