"""Seconds and memory from an unknown table to a registered model without an edit, as the table grows.

    python benchmarks/tables.py [--rows 20000,200000] [--columns 30]

Each table is made with a seed: numbers, whole numbers, categories of 3 to 400 levels, a boolean, dates, holes in a
tenth of four columns, and a skewed target. `init` writes the config, and `run.py` trains with it, both as processes of
their own, in a copy of the repository with a fresh ZenML store.
"""

import json
import os
import resource
import sys
import tempfile
from pathlib import Path

import frame
import numpy as np
import pandas as pd
from training import timed


def main() -> None:
    """Measure each size, and print one JSON object."""
    parser = frame.parser(__doc__)
    parser.add_argument("--rows", default="20000,200000", help="sizes between commas, the smallest first")
    parser.add_argument("--columns", type=int, default=30, help="with the target; at least 12")
    arguments = parser.parse_args()
    found = []
    with tempfile.TemporaryDirectory(prefix="stackhouse-tables-") as folder:
        project = frame.copied(Path(folder))
        environment = {
            **os.environ,
            "ZENML_CONFIG_PATH": f"{folder}/zenml",
            "BENTOML_HOME": f"{folder}/bentoml",
            "ZENML_ANALYTICS_OPT_IN": "false",
        }
        run = [sys.executable, "run.py"]
        for rows in map(int, arguments.rows.split(",")):
            file = Path(folder) / f"table{rows}.csv"
            table(rows, arguments.columns).to_csv(file, index=False)
            first = timed([*run, "init", "--data", str(file), "--target", "price"], project, environment)
            trained = timed([*run, "--config", f"configs/{file.stem}.yaml"], project, environment)
            summary = json.loads((project / "reports" / "latest" / "summary.json").read_text())
            found.append(
                {
                    "rows": rows,
                    "init_seconds": round(first, 1),
                    "train_seconds": round(trained, 1),
                    "peak_gigabytes": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20, 2),
                    "r2": round(summary["metrics"]["r2"], 4),
                    "compiled": summary["package"]["compiled"],
                    "seconds_by_step": summary["seconds"],
                }
            )
    smallest, largest = found[0], found[-1]
    result = {
        "machine": frame.machine(),
        "tables": found,
        "times_as_many_rows": largest["rows"] / smallest["rows"],
        "times_as_long": round(largest["train_seconds"] / smallest["train_seconds"], 2),
    }
    print(json.dumps(result, indent=2))


def table(rows: int, columns: int) -> pd.DataFrame:
    """A made-up table.

    Args:
        rows: how many.
        columns: how many, with the target; what the ten others leave are float64 numbers.

    Returns:
        The table; the target `price` is positive and skewed, and depends on few of the columns.
    """
    random = np.random.default_rng(3)
    numbers = random.normal(size=(rows, columns - 10))
    made = pd.DataFrame(
        {f"number_{place}": np.round(values * (place + 1), 3) for place, values in enumerate(numbers.T)}
    )
    for place in range(3):
        made[f"whole_{place}"] = random.integers(0, 50, rows)
    for levels in (3, 8, 25, 400):
        made[f"kind_{levels}"] = [f"k{level}" for level in random.integers(0, levels, rows)]
    made["flag"] = random.random(rows) < 0.4
    made["when"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 1500, rows), unit="D")
    worth = 3 * numbers[:, 0] + 2 * np.sin(2 * numbers[:, 1]) + made["whole_0"] / 10 + 2 * made["flag"]
    worth += made["kind_3"].map({"k0": 0.0, "k1": 1.0, "k2": 3.0}) + random.normal(size=rows)
    for name in ("number_0", "number_1", "whole_1", "kind_8"):
        made.loc[random.random(rows) < 0.1, name] = None
    made["price"] = np.round(np.exp(worth / 8 + 4), 2)
    return made


if __name__ == "__main__":
    main()
