"""Times the whole training command and compares it with a script for the same problem: seconds by step, and the ratio.

    python benchmarks/training.py DATA [--against SCRIPT] [--trials 50]

DATA is a CSV of California housing. SCRIPT takes DATA as its argument, does the work in plain scikit-learn, and prints
one JSON line with `seconds` by stage; without it only the command of this project is timed. Both run on this machine
one after the other, the command in a copy of the repository with a fresh ZenML store. The ratio therefore compares
whole processes, start included and without any cached step.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import frame

ONE_STEP = """
from zenml import pipeline, step

@step
def one(number: int) -> int:
    return number + 1

@pipeline(enable_cache=False)
def smallest() -> None:
    one(1)

smallest()
"""


def main() -> None:
    """Time everything and print one JSON object."""
    parser = frame.parser(__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--trials", type=int, default=50)
    arguments = parser.parse_args()
    data = arguments.data.resolve()
    with tempfile.TemporaryDirectory(prefix="stackhouse-benchmark-") as folder:
        project = frame.copied(Path(folder))
        environment = {**os.environ, "ZENML_CONFIG_PATH": f"{folder}/zenml", "ZENML_ANALYTICS_OPT_IN": "false"}
        report = project / "reports" / "latest" / "summary.json"
        command = [sys.executable, "run.py", "--set", f"data.path={data}", "--set", f"search.trials={arguments.trials}"]
        ours = timed(command, project, environment)
        summary = json.loads(report.read_text())
        again = timed(command, project, environment)
        cached = json.loads(report.read_text())["cached"]
        (project / "smallest.py").write_text(ONE_STEP)
        smallest = timed([sys.executable, "smallest.py"], project, environment)
    result: dict[str, Any] = {
        "machine": frame.machine(),
        "trials": arguments.trials,
        "seconds": round(ours, 1),
        "seconds_by_step": summary["seconds"],
        "metrics": summary["metrics"],
        "cached_seconds": round(again, 1),
        "cached_steps": len(cached),
        "one_step_pipeline_seconds": round(smallest, 1),
        "cached_to_one_step": round(again / smallest, 2),
    }
    if arguments.against:
        started = time.perf_counter()
        printed = subprocess.run(
            [sys.executable, arguments.against, data], check=True, capture_output=True, text=True
        ).stdout
        other = time.perf_counter() - started
        by_hand = json.loads(printed.strip().splitlines()[-1])
        result |= {
            "by_hand_seconds": round(other, 1),
            "by_hand_by_stage": by_hand["seconds"],
            "ratio": round(ours / other, 3),
        }
    print(json.dumps(result, indent=2))


def timed(command: list[str], folder: Path, environment: dict[str, str]) -> float:
    """Seconds of a whole process; its output is shown when it fails."""
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
