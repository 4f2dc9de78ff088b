"""Seconds and memory from an unknown table to a registered model without an edit, as the table grows.

    python benchmarks/tables.py [--rows 20000,200000] [--columns 30]

Each table is made with a seed: numbers, whole numbers, categories of 3 to 400 levels, a boolean, dates, holes in a
tenth of four columns, and a skewed target. `init` writes the config, and `run.py` trains with it, both as processes of
their own, in a copy of the repository with a fresh ZenML store.
"""

import argparse
import resource
from collections.abc import Iterator
from functools import partial

import frame
import numpy as np
import pandas as pd
from frame import Figure
from training import fresh_project


def tables(given: argparse.Namespace) -> Iterator[Figure]:
    """Measure each size."""
    seconds = []
    sizes = [int(rows) for rows in given.rows.split(",")]
    with fresh_project() as project:
        for rows in sizes:
            name = f"table{rows}"
            table(rows, given.columns).to_csv(project.folder / f"{name}.csv", index=False)
            init = project.run("init", "--data", f"{name}.csv", "--target", "price").seconds
            seconds.append(project.run("--config", f"configs/{name}.yaml").seconds)
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
            yield Figure(f"{rows:,} rows: init, s", f"{init:.1f}")
            yield Figure(f"{rows:,} rows: training, s", f"{seconds[-1]:.1f}")
            yield Figure(f"{rows:,} rows: peak of all processes so far, GB", f"{peak:.2f}")
            yield Figure(f"{rows:,} rows: R²", f"{project.summary()['metrics']['r2']:.4f}")
    yield Figure(f"{sizes[-1] / sizes[0]:g} times as many rows: times as long", f"{seconds[-1] / seconds[0]:.2f}")


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
    parser = frame.parser(__doc__)
    parser.add_argument("--rows", default="20000,200000", help="sizes between commas, the smallest first")
    parser.add_argument("--columns", type=int, default=30, help="with the target; at least 12")
    frame.measure({"tables": partial(tables, parser.parse_args())})
