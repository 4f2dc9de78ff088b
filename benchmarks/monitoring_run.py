"""The monitor on a large log: the whole command, from its start to its verdict.

    python benchmarks/monitoring_run.py --data TABLE [--model NAME] [--records 1000000] [--feedback 0.1]

It works on the registry of the active stack, which must hold a champion of TABLE (a CSV or Parquet file with its
target). A log of so many single-row predictions of the last 24 hours is made from rows of TABLE, and
`configs/monitor.yaml` is run on it. The verdict is kept like any other.
"""

import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import frame
import pandas as pd
from monitoring_log import reading, write_log

from registry import bundles
from registry.mlflow_registry import model_named, registry_client
from stacks import local
from tabular.storage.repository import ROOT

MOST_SECONDS = 60.0


def main() -> None:
    """Measure, and print the figures."""
    parser = frame.parser(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a table with the model's inputs and its target")
    parser.add_argument("--model", help="its name; left out where the registry holds one model")
    parser.add_argument("--records", type=int, default=1_000_000, help="logged predictions")
    parser.add_argument("--feedback", type=float, default=0.1, help="the share of them whose true value is known")
    arguments = parser.parse_args()
    local.activate(ROOT)
    name = model_named(registry_client(), arguments.model)
    folder = bundles.fetch(name, "champion").folder
    is_parquet = arguments.data.suffix == ".parquet"
    table = pd.read_parquet(arguments.data) if is_parquet else pd.read_csv(arguments.data)
    end = datetime.now(UTC)
    start = end - timedelta(hours=24)
    frame.print_machine()
    with tempfile.TemporaryDirectory() as room:
        log = Path(room)
        written = write_log(log, folder, table, start, end, arguments.records, feedback=arguments.feedback)
        print(
            f"log: {written.records:,} predictions and {written.feedback:,} true values, "
            f"{written.bytes / 1e6:,.0f} MB, made in {written.seconds:.0f} s"
        )
        print(f"reading it alone: {json.dumps(reading(log, folder, start, end, arguments.records, labelled=True))}")
        seconds, peak, code = _run(name, log, end)
    print(f"the whole command: {seconds:.1f} s (at most {MOST_SECONDS:g}), {peak / 1e6:,.0f} MB, exit code {code}")
    sys.exit(0 if code in (0, 3) and seconds <= MOST_SECONDS else 1)


def _run(name: str, log: Path, end: datetime) -> tuple[float, int, int]:
    """Seconds, bytes at the peak and the exit code of `run.py`, whose last lines are printed."""
    settings = {"model": name, "log": str(log), "window.until": end.isoformat()}
    given = [part for key, value in settings.items() for part in ("--set", f"monitoring.{key}='{value}'")]
    began, peak = time.perf_counter(), 0
    command = [sys.executable, "run.py", "--config", "configs/monitor.yaml", *given]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        peak = max(peak, _peak(process.pid))
    code = process.wait()
    print("".join(lines[-8:]))
    return time.perf_counter() - began, peak, code


def _peak(process: int) -> int:
    """The most memory of a process so far, in bytes; 0 when it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


if __name__ == "__main__":
    main()
